// What the answer rests on. An edited value asks the same question again with that value.

import { h } from "../h.js";
import { brief } from "../format.js";

/** Between the last change and the recomputation: time to move a slider with the arrow keys. */
const SETTLE_MS = 700;
const STEPS = 200;
const SOURCE = { message: "your message", assumption: "assumed", catalog: "catalog", computed: "computed" };

export function quantitiesEditor(app, run) {
  const edited = { ...(run.asked?.session_context?.assumptions ?? {}) };
  const may = run.asked !== null && run.sessionId !== null && !run.earlier;
  let timer = null;
  const change = (quantity, value) => {
    edited[quantity.name] = value;
    clearTimeout(timer);
    timer = setTimeout(() => app.ask({
      ...run.asked.example_message_metadata, content: run.asked.content,
      context: { parent_session_id: run.sessionId, assumptions: edited },
    }), SETTLE_MS);
  };
  const list = run.result.quantities;
  const editable = may && list.some((q) => q.editable);
  return [
    h("h2", {}, "Your numbers"),
    h("p", { class: "muted" }, editable ? "Change one and the answer is computed again." : "What the answer rests on."),
    h("ul", { class: "quantities" }, list.map((q) => h("li", { class: "quantity", dataset: { source: q.source } },
      h("div", { class: "quantity-head" }, h("label", q.editable && may ? { for: `q-${q.name}` } : {}, q.label),
        h("span", { class: `chip from-${q.source}`, title: q.note ?? "" }, SOURCE[q.source] ?? q.source)),
      q.editable && may ? field(q, change) : h("p", { class: "quantity-value" }, brief(q.value, q.unit)),
      q.quote ? h("p", { class: "quantity-note" }, h("q", {}, q.quote)) : q.note ? h("p", { class: "quantity-note" }, q.note) : null))),
  ];
}

function field(quantity, change) {
  const box = h("input", { id: `q-${quantity.name}`, type: "number", step: "any", inputmode: "decimal", value: String(round(quantity.value)) });
  const commit = (value) => {
    if (Number.isFinite(value) && value !== quantity.value) change(quantity, value);
  };
  box.addEventListener("change", () => commit(box.valueAsNumber));
  const [low, high] = quantity.range ?? [];
  if (!(high > low)) return h("div", { class: "quantity-edit" }, box, h("span", { class: "unit" }, quantity.unit));
  box.min = String(low);
  box.max = String(high);
  const scale = scaleOf(low, high);
  const slider = h("input", { type: "range", min: "0", max: String(STEPS), step: "1", "aria-label": `${quantity.label}, ${quantity.unit}` });
  slider.value = String(Math.round(scale.to(quantity.value) * STEPS));
  const told = () => slider.setAttribute("aria-valuetext", brief(box.valueAsNumber, quantity.unit));
  slider.addEventListener("input", () => {
    box.value = String(round(scale.from(Number(slider.value) / STEPS)));
    told();
  });
  slider.addEventListener("change", () => commit(box.valueAsNumber));
  box.addEventListener("input", () => { slider.value = String(Math.round(scale.to(box.valueAsNumber) * STEPS)); });
  told();
  return [h("div", { class: "quantity-edit" }, box, h("span", { class: "unit" }, quantity.unit)), slider];
}

/** A slider over decades moves by factors, over a short range by steps. */
function scaleOf(low, high) {
  if (low > 0 && high / low > 50) {
    const span = Math.log(high / low);
    return { from: (part) => low * Math.exp(part * span), to: (value) => clamp(Math.log(value / low) / span) };
  }
  return { from: (part) => low + part * (high - low), to: (value) => clamp((value - low) / (high - low)) };
}

const clamp = (part) => (part > 0 ? Math.min(1, part) : 0);
/** Four digits: what a slider can mean. A typed value is taken as typed. */
const round = (value) => Number(value.toPrecision(value >= 1000 && Number.isInteger(value) ? 12 : 4));
