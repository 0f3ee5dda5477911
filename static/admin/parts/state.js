// What a page shows while it does not know yet, when there is nothing, and when asking failed.

import { h, show } from "../../js/h.js";
import { moment } from "../words.js";

/** A state in words: `good`, `warn`, `bad` or `idle`. Never by colour alone: the word stands beside the dot. */
export const pill = (tone, text, more = {}) => h("span", { class: "pill", dataset: { tone }, ...more }, h("span", { class: "dot", "aria-hidden": "true" }), text);

export const nothing = (title, text, ...more) => h("div", { class: "nothing" }, h("p", { class: "nothing-title" }, title), text && h("p", { class: "muted" }, text), more);

/** The faults of a refused call, each with its field. */
export function faultList(error) {
  const faults = (error.faults ?? []).filter((fault) => fault && typeof fault === "object");
  return faults.length === 0 ? null : h("ul", { class: "faults" }, faults.map((fault) =>
    h("li", {}, fault.field ? h("code", {}, fault.field) : null, fault.field ? " " : "", fault.rule ?? fault.message ?? "")));
}

export const failure = (error, again) => h("div", { class: "notice bad", role: "alert" },
  h("div", {}, h("p", {}, error.message), faultList(error)),
  again && h("button", { class: "ghost", type: "button", onclick: again }, "Try again"));

/**
 * Shows a resource: `build()` answers `{element, update(data)}` and is called once, when there is something to show.
 * What is known stays when asking again fails, with the time as of which it is.
 */
export function loaded(ctx, resource, build) {
  const note = h("div", { class: "loaded-note" });
  const body = h("div", { class: "loaded-body" });
  let view = null;
  ctx.effect(() => {
    const { phase, data, at, error } = resource.state();
    body.setAttribute("aria-busy", String(phase === "loading"));
    if (phase === "loading") show(body, h("p", { class: "loading" }, "Loading…"));
    else if (phase === "failed") show(body, failure(error, () => resource.refresh()));
    else {
      if (!view) {
        view = build();
        show(body, view.element);
      }
      view.update(data);
    }
    show(note, phase === "ready" && error
      ? h("p", { class: "notice" }, h("span", {}, `As of ${moment(at)}: asking again failed. ${error.message}`), h("button", { class: "ghost", type: "button", onclick: () => resource.refresh() }, "Try again"))
      : null);
  });
  return h("div", { class: "loaded" }, note, body);
}
