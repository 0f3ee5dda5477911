// A long list, a page at a time: the server's cursors are kept so that one can go back.

import { h, show } from "../../js/h.js";
import { signal } from "../../js/signal.js";

export class Pages {
  constructor() {
    this.cursors = signal([null]);
  }
  get after() {
    return this.cursors().at(-1);
  }
  first() {
    if (this.cursors().length > 1) this.cursors([null]);
  }
}

/** Buttons for the page before and after; hidden where there is only one. `noun` is what is listed. */
export function pager(pages, noun) {
  const element = h("nav", { class: "pager", "aria-label": `Pages of ${noun}` });
  const update = (next) => {
    const known = pages.cursors();
    element.hidden = known.length === 1 && !next;
    show(element,
      h("button", { class: "ghost", type: "button", disabled: known.length === 1, onclick: () => pages.cursors(known.slice(0, -1)) }, "Back"),
      h("span", { class: "muted" }, `Page ${known.length}`),
      h("button", { class: "ghost", type: "button", disabled: !next, onclick: () => pages.cursors([...known, next]) }, "More"));
  };
  return { element, update };
}
