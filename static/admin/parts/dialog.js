// A question before something is done: what goes, what stays, whether there is a way back.

import { append, h, show } from "../../js/h.js";
import { failure } from "./state.js";
import { read, showFaults } from "./form.js";

/**
 * Answers the values of `fields` (nodes made by `form.js`), or null where it was given up.
 * `preview()` answers a promise of nodes that say what goes; without it nothing is offered.
 */
export function ask({ title, text = null, preview = null, fields = [], act, danger = false, wide = false }) {
  const { promise, resolve } = Promise.withResolvers();
  const what = h("div", { class: "preview" });
  const yes = h("button", { class: danger ? "danger" : "primary", type: "submit" }, act);
  const close = (value) => {
    dialog.close();
    dialog.remove();
    resolve(value);
  };
  const form = h("form", { novalidate: true, onsubmit: (event) => {
    event.preventDefault();
    const { values, faults } = read(form);
    if (faults.length === 0) close(values);
    else showFaults(form, faults);
  } },
  append(h("div", { class: "dialog-body" }), [h("h2", { id: "dialog-title" }, title), text && h("p", {}, text), preview && what, fields]),
  h("footer", {}, h("button", { class: "ghost", type: "button", onclick: () => close(null) }, "Cancel"), yes));
  const dialog = h("dialog", { class: wide ? "dialog wide" : "dialog", "aria-labelledby": "dialog-title", oncancel: (event) => {
    event.preventDefault();
    close(null);
  } }, form);
  document.body.append(dialog);
  dialog.showModal();
  if (preview) foresee(what, yes, preview);
  return promise;
}

async function foresee(place, yes, preview) {
  yes.disabled = true;
  show(place, h("p", { class: "loading" }, "Looking what goes…"));
  try {
    show(place, await preview());
    yes.disabled = false;
  } catch (error) {
    show(place, failure(error, () => foresee(place, yes, preview)));
  }
}

/** Something to read, closed by Escape or its button. */
export function tell(title, ...children) {
  const close = () => {
    dialog.close();
    dialog.remove();
  };
  const dialog = h("dialog", { class: "dialog wide", "aria-labelledby": "dialog-title", onclose: () => dialog.remove() },
    h("div", { class: "dialog-body" }, h("h2", { id: "dialog-title" }, title), children),
    h("footer", {}, h("button", { class: "primary", type: "button", onclick: close }, "Close")));
  document.body.append(dialog);
  dialog.showModal();
  return close;
}

/** `dt`/`dd` pairs; what is null is left out. */
export const facts = (pairs, more = {}) => h("dl", { class: "facts", ...more },
  pairs.filter((pair) => pair && pair[1] !== null && pair[1] !== undefined).map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
