// What was just done, and for a while the way back. They outlive the page on which it was done.

import { h } from "../../js/h.js";
import { faultList } from "./state.js";
import { span } from "../words.js";

const STAYS_MS = 8_000;
const BAD_STAYS_MS = 20_000;
const SHOWN_MAX = 4;

/** `undo` is called once; until `until` (ms) it is offered, with the time that is left. */
export function toast(text, { tone = "good", error = null, undo = null, until = null } = {}) {
  const place = document.getElementById("toasts");
  const left = h("span", { class: "toast-left", "aria-hidden": "true" });
  const node = h("div", { class: "toast", dataset: { tone } }, h("div", { class: "toast-text" }, h("p", {}, text), error && faultList(error)));
  const close = () => {
    clearInterval(ticking);
    node.remove();
  };
  const end = until ?? Date.now() + (undo ? 60_000 : tone === "bad" ? BAD_STAYS_MS : STAYS_MS);
  if (undo) node.append(h("button", { class: "ghost", type: "button", onclick: () => { close(); undo(); } }, "Undo"), left);
  node.append(h("button", { class: "icon", type: "button", "aria-label": "Close", onclick: close }, "×"));
  const tick = () => {
    if (Date.now() >= end && !node.matches(":focus-within")) close();
    else if (undo) left.textContent = span(Math.max(0, end - Date.now()));
  };
  const ticking = setInterval(tick, 1_000);
  tick();
  place.append(node);
  while (place.children.length > SHOWN_MAX) place.firstElementChild.remove();
  return close;
}

/**
 * Does something and says how it went. `done(result)` is what to say; `undo(result)` answers what takes it back, or null.
 * Answers the result, or null where it was refused.
 */
export async function perform(run, { done, undo = null, until = () => null, after = () => {} } = {}) {
  try {
    const result = await run();
    const text = done?.(result);
    if (text) {
      const takeBack = undo?.(result);
      const back = takeBack && (() => perform(takeBack, { done: () => "Undone: it is as it was before.", after }));
      toast(text, { undo: back, until: until(result) });
    }
    after(result);
    return result ?? true;
  } catch (error) {
    toast(error.message, { tone: "bad", error });
    after(null);
    return null;
  }
}
