// What the answer rests on. An edited value asks the same question again with that value.

import { h } from "../h.js";
import { asPercent, brief, isShare, spell } from "../format.js";

/** Between the last change and the recomputation: time to move a slider with the arrow keys. */
const SETTLE_MS = 700;
const STEPS = 200;
/** How far a slider reaches around a value whose range is too wide to be dragged through. */
const REACH = 10;
const SHORT_RANGE = 100;
const SOURCE = { message: "your message", assumption: "assumed", catalog: "catalog", computed: "computed" };

export function quantitiesEditor(app, run) {
  const given = run.asked?.session_context?.assumptions ?? {};
  const edited = { ...given };
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
  const looked = list.filter((q) => q.source === "catalog");
  const editable = may && list.some((q) => q.editable);
  const lines = (some) => h("ul", { class: "quantities" }, some.map((q) => h("li", { class: "quantity", dataset: { source: q.source } },
    h("div", { class: "quantity-head" }, h("label", q.editable && may ? { for: `q-${q.name}` } : {}, q.label),
      q.name in given ? h("span", { class: "chip changed" }, "edited by you")
        : h("span", { class: `chip from-${q.source}`, title: q.note ?? "" }, SOURCE[q.source] ?? q.source)),
    q.editable && may ? field(q, change) : h("p", { class: "quantity-value" }, brief(q.value, q.unit)),
    q.quote ? h("p", { class: "quantity-note" }, h("q", {}, q.quote)) : q.note ? h("p", { class: "quantity-note" }, q.note) : null)));
  return [
    h("h2", {}, "Your numbers"),
    h("p", { class: "muted" }, editable ? "Change one and the answer is computed again." : "What the answer rests on."),
    lines(list.filter((q) => q.source !== "catalog")),
    looked.length === 0 ? null : h("details", { class: "catalog" }, h("summary", {}, `${looked.length} from the catalog`), lines(looked)),
  ];
}

function field(quantity, change) {
  // A share is edited as people say it: 80 %, not 0.8.
  const { factor, unit } = isShare(quantity.unit) ? { factor: 100, unit: asPercent(quantity.unit) } : { factor: 1, unit: quantity.unit };
  const value = quantity.value * factor;
  const box = h("input", { id: `q-${quantity.name}`, type: "number", step: "any", inputmode: "decimal", value: String(shown(value)) });
  const commit = (typed) => {
    if (box.checkValidity() && Number.isFinite(typed) && typed !== shown(value)) change(quantity, typed / factor);
    else box.reportValidity();
  };
  box.addEventListener("change", () => commit(box.valueAsNumber));
  const edit = h("div", { class: "quantity-edit" }, box, h("span", { class: "unit" }, spell(unit)));
  const [low, high] = (quantity.range ?? []).map((end) => end * factor);
  if (!(high > low)) return edit;
  box.min = String(low);
  box.max = String(high);
  const scale = scaleOf(value, low, high);
  if (!scale) return edit;
  const slider = h("input", { type: "range", min: "0", max: String(STEPS), step: "1", "aria-label": `${quantity.label}, ${spell(unit)}` });
  slider.value = String(Math.round(scale.to(value) * STEPS));
  const told = () => slider.setAttribute("aria-valuetext", brief(box.valueAsNumber, unit));
  slider.addEventListener("input", () => {
    box.value = String(coarse(scale.from(Number(slider.value) / STEPS)));
    told();
  });
  slider.addEventListener("change", () => commit(box.valueAsNumber));
  box.addEventListener("input", () => { slider.value = String(Math.round(scale.to(box.valueAsNumber) * STEPS)); });
  told();
  return [edit, slider];
}

/** A short range by steps; a wide one by factors around the value; none where the value gives no measure. */
function scaleOf(value, low, high) {
  if (high - low <= SHORT_RANGE) return { from: (part) => low + part * (high - low), to: (v) => clamp((v - low) / (high - low)) };
  if (!(value > 0)) return null;
  const least = Math.max(low, value / REACH);
  const span = Math.log(Math.min(high, value * REACH) / least);
  return { from: (part) => least * Math.exp(part * span), to: (v) => clamp(Math.log(v / least) / span) };
}

const clamp = (part) => (part > 0 ? Math.min(1, part) : 0);
/** A number as it was said, without the dust of binary fractions. */
const shown = (value) => Number(value.toPrecision(12));
/** Three digits: what a slider can mean. */
const coarse = (value) => Number(value.toPrecision(3));
