// The panel that opens behind a number: formula, arithmetic, inputs and where each came from.

import { h, show } from "../h.js";
import { full, rounded } from "../format.js";
import { t, tOr } from "../words.js";

/** Returns `open(id)` for the derivations of a run's result. */
export function arithmetic(run) {
  const byId = new Map((run.result.provenance ?? []).map((derivation) => [derivation.id, derivation]));
  return (id) => {
    if (byId.has(id)) panel(run, byId, [id]);
  };
}

/** One dialog at a time; `trail` are the derivations followed so far. */
function panel(run, byId, trail) {
  document.querySelector("dialog.arithmetic")?.remove();
  const content = h("div", { class: "arithmetic-body" });
  const close = h("button", { class: "icon", type: "button", "aria-label": t("close"), onclick: () => dialog.close() }, "×");
  const back = h("button", { class: "link", type: "button", onclick: () => { trail.pop(); draw(); } }, `← ${t("arithmetic.back")}`);
  const dialog = h("dialog", { class: "arithmetic", "aria-labelledby": "arithmetic-title" },
    h("header", {}, back, h("p", { class: "eyebrow" }, t("arithmetic.title")), close), content);
  dialog.addEventListener("close", () => dialog.remove());
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  const draw = () => {
    back.hidden = trail.length < 2;
    show(content, derivation(run, byId, byId.get(trail.at(-1)), (id) => { trail.push(id); draw(); }));
    content.scrollTop = 0;
  };
  document.body.append(dialog);
  draw();
  dialog.showModal();
}

function derivation(run, byId, d, follow) {
  return [
    h("h2", { id: "arithmetic-title" }, d.label),
    h("p", { class: "arithmetic-result" }, rounded(d.result, d.unit)),
    h("h3", {}, t("arithmetic.formula")), h("p", { class: "formula" }, d.formula),
    h("h3", {}, t("arithmetic.filled")), h("p", { class: "formula filled" }, d.arithmetic),
    h("h3", {}, t("arithmetic.inputs")), h("ul", { class: "inputs" }, d.inputs.map((input) => inputLine(run, byId, input, follow))),
    d.reference ? [h("h3", {}, t("arithmetic.reference")), h("p", { class: "muted" }, d.reference)] : null,
  ];
}

function inputLine(run, byId, input, follow) {
  const value = full(input.value, input.unit);
  return h("li", {},
    h("div", { class: "input-line" }, h("code", {}, input.symbol), h("span", {}, input.label),
      input.source === "computed" && byId.has(input.from)
        ? h("button", { class: "num", type: "button", dataset: { derivation: input.from }, onclick: () => follow(input.from) }, value)
        : h("strong", {}, value)),
    h("p", { class: "input-source" }, h("span", { class: `chip from-${input.source}` }, tOr(`source.${input.source}`, input.source)), whence(run, input)));
}

/** Where an input came from, as closely as is known. */
function whence(run, input) {
  const quantity = run.result.quantities.find((q) => q.name === input.from);
  if (input.source === "message") return h("q", {}, input.quote ?? quantity?.quote ?? input.from);
  if (input.source === "assumption") return quantity?.note ?? input.from.replaceAll("_", " ");
  if (input.source === "computed") return t("arithmetic.follow");
  return input.from;
}
