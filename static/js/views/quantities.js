// What the answer rests on. A changed value asks the same question again with that value; its place stays, so that a slider
// can be held while the answer follows.

import { h, show, keyed } from "../h.js";
import { asPercent, brief, isShare, spell } from "../format.js";
import { t, tOr } from "../words.js";
import { WhatIf } from "../whatif.js";

const STEPS = 200;
/** How far a slider reaches around a value whose range is too wide to be dragged through. */
const REACH = 10;
const SHORT_RANGE = 100;

export function quantitiesEditor(app) {
  let run = null;
  let edited = {};
  /** The recomputation under way. */
  let child = null;
  const fields = new WeakMap();
  const intro = h("p", { class: "muted" });
  const state = h("p", { class: "computing", role: "status" });
  const list = h("ul", { class: "quantities" });
  const looked = h("ul", { class: "quantities" });
  const catalog = h("details", { class: "catalog" }, h("summary", {}, ""), looked);
  const node = h("aside", { class: "result-side", "aria-label": t("numbers.title") }, h("h2", {}, t("numbers.title")), intro, state, list, catalog);

  const whatIf = new WhatIf({
    ask: (wish) => { child = app.vary(run, wish); },
    after: (ms, act) => {
      const timer = setTimeout(act, ms);
      return () => clearTimeout(timer);
    },
    now: () => performance.now(),
  });
  const want = (held) => {
    whatIf.want({ ...edited }, held);
    update();
  };

  /** Shows what `next` rests on. */
  function display(next) {
    run = next;
    if (!child && whatIf.wish === null) edited = { ...run.asked?.session_context?.assumptions };
    const { quantities } = run.result;
    const may = app.control() && run.asked !== null && run.sessionId !== null && !run.earlier;
    const own = quantities.filter((q) => q.source !== "catalog");
    const found = quantities.filter((q) => q.source === "catalog");
    show(intro, may && quantities.some((q) => q.editable) ? t("numbers.edit") : t("numbers.rests"));
    for (const [place, some] of [[list, own], [looked, found]]) {
      keyed(place, some, (q) => `${q.name} ${q.editable && may}`, (q) => line(q, q.editable && may));
      some.forEach((q, n) => fields.get(place.children[n])(q));
    }
    catalog.hidden = found.length === 0;
    show(catalog.firstElementChild, t("numbers.catalog", { n: found.length }));
  }

  function line(quantity, editable) {
    const chip = h("span", { class: "chip-place" });
    const note = h("p", { class: "quantity-note" });
    const value = editable ? field(quantity, (typed, held) => {
      edited[quantity.name] = typed;
      want(held);
    }) : plain();
    const made = h("li", { class: "quantity", dataset: { source: quantity.source } },
      h("div", { class: "quantity-head" }, h("label", editable ? { for: `q-${quantity.name}` } : {}, quantity.label), chip),
      value.nodes, note);
    fields.set(made, (q) => {
      const given = q.name in (run.asked?.session_context?.assumptions ?? {});
      show(chip, given ? h("span", { class: "chip changed" }, t("source.edited"), editable ? h("button", { class: "chip-reset", type: "button", "aria-label": t("understood.reset", { label: q.label }), onclick: () => {
        delete edited[q.name];
        want(false);
      } }, "×") : null)
        : h("span", { class: `chip from-${q.source}`, title: q.note ?? "" }, tOr(`source.${q.source}`, q.source)));
      show(note, q.quote ? h("q", {}, q.quote) : q.note ? h("span", { lang: "en" }, q.note) : null);
      value.refresh(q);
    });
    return made;
  }

  /** Called with each change of the runs: follows the recomputation to its end. */
  function update() {
    const busy = child !== null || whatIf.wish !== null;
    show(state, busy ? t(app.link().phase === "online" ? "numbers.computing" : "numbers.waiting") : "");
    node.toggleAttribute("data-busy", busy);
    if (!child || ["sending", "accepted", "running"].includes(child.status)) return;
    const ended = child;
    child = null;
    if (ended.status === "refused" && ended.error?.temporary && ended.error.code === "rate_limited") {
      app.drop(ended);
      whatIf.refused(ended.asked.session_context.assumptions ?? {}, ended.error.retry_after_ms);
      return;
    }
    whatIf.landed();
    app.open(ended.key, { replace: true });
  }

  return { node, display, update, leave: () => whatIf.stop() };
}

function plain() {
  const text = h("p", { class: "quantity-value" });
  return { nodes: text, refresh: (q) => show(text, brief(q.value, q.unit)) };
}

/** A number with its slider; `change(value, held)`. */
function field(quantity, change) {
  // A share is edited as people say it: 80 %, not 0.8.
  const { factor, unit } = isShare(quantity.unit) ? { factor: 100, unit: asPercent(quantity.unit) } : { factor: 1, unit: quantity.unit };
  const box = h("input", { id: `q-${quantity.name}`, type: "number", step: "any", inputmode: "decimal" });
  const slider = h("input", { type: "range", id: `s-${quantity.name}`, min: "0", max: String(STEPS), step: "1", "aria-label": `${quantity.label}, ${spell(unit)}` });
  let held = false;
  let stands = NaN;
  let scale = null;
  const told = () => slider.setAttribute("aria-valuetext", brief(box.valueAsNumber, unit));
  const commit = (still) => {
    const typed = box.valueAsNumber;
    if (!box.checkValidity() || !Number.isFinite(typed)) {
      box.reportValidity();
      return;
    }
    if (typed === stands) return;
    stands = typed;
    change(typed / factor, still);
  };
  box.addEventListener("change", () => commit(false));
  box.addEventListener("input", () => {
    if (scale) slider.value = String(Math.round(scale.to(box.valueAsNumber) * STEPS));
  });
  // Enter and the arrows of the box change it without leaving it.
  box.addEventListener("keydown", (event) => {
    if (event.key === "Enter") commit(false);
  });
  slider.addEventListener("pointerdown", () => { held = true; });
  slider.addEventListener("input", () => {
    box.value = String(coarse(scale.from(Number(slider.value) / STEPS)));
    told();
    if (held) commit(true);
  });
  slider.addEventListener("change", () => {
    held = false;
    // What it came to rest on goes now, even where it went already while it was held: then it waited its turn.
    change(box.valueAsNumber / factor, false);
  });

  function refresh(q) {
    if (held || document.activeElement === box) return;
    const value = q.value * factor;
    stands = shown(value);
    box.value = String(stands);
    const [low, high] = (q.range ?? []).map((end) => end * factor);
    const ranged = high > low;
    box.min = ranged ? String(low) : "";
    box.max = ranged ? String(high) : "";
    // The slider under the reader's hand keeps its measure: a step must mean the same as the last one.
    if (document.activeElement !== slider) scale = ranged ? scaleOf(value, low, high) : null;
    slider.hidden = scale === null;
    if (scale && document.activeElement !== slider) slider.value = String(Math.round(scale.to(value) * STEPS));
    told();
  }
  return { nodes: [h("div", { class: "quantity-edit" }, box, h("span", { class: "unit" }, spell(unit))), slider], refresh };
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
