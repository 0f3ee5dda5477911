// What is understood of a message while it is typed: marked where it stands, and as chips to edit.

import { h, show, keyed } from "../h.js";
import { asPercent, isShare, spell, topic } from "../format.js";
import { t, tOr } from "../words.js";
import { understand } from "../api.js";
import { scalars, CONTENT_MIN, CONTENT_MAX } from "../frames.js";
import { Understanding, highlights } from "../understanding.js";

/** Assumptions shown at once; the rest unfolds. */
const ASSUMED_SHOWN = 6;

/** `picked()` → `{category, complexity, chosen}` of the form; `suggest(category)` where nobody chose. */
export function understood(app, { text, mirror, picked, suggest }) {
  let edits = {};
  let reading = null;
  /** What was read before it was edited: where it stands in the text. */
  let stated = [];
  const said = h("ul", { class: "chips" });
  const assumed = h("ul", { class: "chips" });
  const more = h("ul", { class: "chips" });
  const rest = h("details", { class: "more-assumed" }, h("summary", {}, ""), more);
  const notes = h("ul", { class: "reading-notes" });
  const state = h("p", { class: "reading-state quiet", role: "status" });
  const groups = h("div", { class: "reading-groups" },
    group("understood.said", said), group("understood.assumed", assumed, rest), notes);
  const node = h("section", { class: "reading", "aria-label": t("understood.title"), hidden: true }, state, groups);

  const machine = new Understanding({
    ask: (draft, signal) => understand(draft, signal),
    after: (ms, act) => {
      const timer = setTimeout(act, ms);
      return () => clearTimeout(timer);
    },
    show: heard,
  });

  function changed() {
    const content = text.value.trim();
    const { category, complexity, chosen } = picked();
    const length = scalars(content);
    // Before the server has let this page in nobody can be asked.
    const fits = app.user !== null && length >= CONTENT_MIN && length <= CONTENT_MAX;
    machine.changed({ content, complexity, ...(chosen ? { category } : {}), ...(Object.keys(edits).length ? { assumptions: { ...edits } } : {}) }, fits);
    paint();
  }

  function heard({ state: now, reading: found }) {
    node.dataset.state = now;
    if (now === "none") {
      reading = null;
      node.hidden = true;
      edits = {};
      stated = [];
    }
    if (now === "known") {
      reading = found;
      stated = [...stated.filter((q) => q.name in edits), ...found.quantities];
      node.hidden = false;
      draw();
      suggest(found.suggested_category);
    }
    // What was read before the last letters fits no longer where it stood.
    paint();
  }

  /** The marks lie behind the text, letter over letter; while the words change there are none. */
  function paint() {
    const fresh = node.dataset.state === "known" && reading;
    show(mirror, !fresh ? null : highlights(text.value, reading, edits, stated).map(({ text: letters, as }) =>
      (as === "text" ? letters : h("mark", { class: `as-${as}` }, letters))), "\u200b");
    mirror.scrollTop = text.scrollTop;
  }
  text.addEventListener("scroll", () => { mirror.scrollTop = text.scrollTop; });

  function draw() {
    const changedOnes = reading.assumptions.filter((q) => q.name in edits);
    const read = [...reading.quantities, ...changedOnes.filter((q) => stated.some((s) => s.name === q.name))];
    const place = (q) => (stated.find((s) => s.name === q.name) ?? q).span?.[0] ?? 0;
    read.sort((a, b) => place(a) - place(b));
    const open = reading.assumptions.filter((q) => !read.includes(q));
    keyed(said, read, (q) => q.name, chip);
    keyed(assumed, open.slice(0, ASSUMED_SHOWN), (q) => q.name, chip);
    keyed(more, open.slice(ASSUMED_SHOWN), (q) => q.name, chip);
    rest.hidden = open.length <= ASSUMED_SHOWN;
    show(rest.firstElementChild, t("understood.more", { n: open.length - ASSUMED_SHOWN }));
    for (const [list, of] of [[said, read], [assumed, open.slice(0, ASSUMED_SHOWN)], [more, open.slice(ASSUMED_SHOWN)]]) {
      of.forEach((q, n) => refresh(list.children[n], q));
      list.parentElement.hidden = of.length === 0 && list !== more;
    }
    show(notes, remarks());
    show(state, t("understood.told", { n: read.length, assumed: open.length }));
  }

  function chip(quantity) {
    const { factor, unit } = isShare(quantity.unit) ? { factor: 100, unit: asPercent(quantity.unit) } : { factor: 1, unit: quantity.unit };
    const [low, high] = (quantity.range ?? [null, null]).map((end) => (end === null ? null : end * factor));
    const box = h("input", { type: "number", step: "any", inputmode: "decimal", min: low, max: high, disabled: !quantity.editable, "aria-label": `${quantity.label}, ${spell(unit)}` });
    const reset = h("button", { class: "chip-reset", type: "button", "aria-label": t("understood.reset", { label: quantity.label }), onclick: () => {
      delete edits[quantity.name];
      changed();
      box.focus();
    } }, "×");
    box.addEventListener("input", () => {
      fit(box);
      const valid = box.checkValidity() && Number.isFinite(box.valueAsNumber);
      box.toggleAttribute("aria-invalid", !valid);
      if (!valid) return;
      edits[quantity.name] = box.valueAsNumber / factor;
      changed();
    });
    // Enter in a chip must not send the message half edited.
    box.addEventListener("keydown", (event) => {
      if (event.key === "Enter") event.preventDefault();
    });
    return h("li", { class: "chip edit", dataset: { factor } }, h("span", { class: "chip-label" }, quantity.label), box,
      h("span", { class: "unit" }, spell(unit)), h("span", { class: "chip-tag" }), reset);
  }

  function refresh(node, q) {
    const box = node.querySelector("input");
    const edited = q.name in edits;
    node.className = `chip edit ${edited ? "changed" : `from-${q.source}`}`;
    node.title = q.quote ? `“${q.quote}”` : q.note ?? "";
    show(node.querySelector(".chip-tag"), edited ? t("understood.tag_edited") : q.source === "assumption" ? t("understood.tag_assumed") : "");
    node.querySelector(".chip-reset").hidden = !edited;
    // Who types here knows better than the server.
    if (document.activeElement !== box) box.value = String(Number((q.value * Number(node.dataset.factor)).toPrecision(12)));
    fit(box);
  }

  function remarks() {
    const line = (kind, ...content) => h("li", { dataset: { kind } }, content);
    const { category, chosen } = picked();
    const asked = (reading.questions ?? []).filter((q) => !(q.name in edits));
    return [
      chosen && reading.suggested_category !== category
        ? line("hint", t("understood.suggested", { topic: topic(reading.suggested_category) })) : null,
      ...reading.unused.filter((u) => !u.in_range).map((u) => line("wrong", t("understood.wrong", { quote: u.quote }))),
      ...reading.unknown_models.map((name) => line("wrong", t("understood.unknown_model", { name }))),
      ...reading.flags.filter((flag) => flag.startsWith("contradiction:")).map((flag) => line("wrong", tOr(`flag.${flag}`, t("flag.contradiction")))),
      reading.refusal ? line("hint", h("span", { lang: "en" }, reading.refusal.message)) : null,
      ...asked.map((q) => line("question", h("span", { lang: "en" }, q.text), known(q.name)
        ? h("button", { class: "link", type: "button", onclick: () => focusOn(q.name) }, t("understood.answer")) : null)),
    ];
  }

  const known = (name) => [...node.querySelectorAll(".chip.edit")].find((c) => c.dataset.key === name);
  function focusOn(name) {
    rest.open ||= more.contains(known(name));
    known(name)?.querySelector("input").select();
  }

  return {
    node, changed,
    /** What the visitor put in the place of what was read or assumed. */
    edits: () => ({ ...edits }),
    forget: () => {
      edits = {};
      stated = [];
    },
    leave: () => machine.stop(),
  };
}

const group = (title, ...lists) => h("div", { class: "reading-group" }, h("h2", {}, t(title)), lists);

/** As wide as its number, so that a row of chips stays a row. */
function fit(box) {
  box.style.width = `${Math.min(14, Math.max(3, box.value.length)) + 1.5}ch`;
}
