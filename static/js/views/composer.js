// The visitor's own message, and under it what is understood of it.

import { h, show } from "../h.js";
import { effect } from "../signal.js";
import { topic, word } from "../format.js";
import { t } from "../words.js";
import { CATEGORIES, COMPLEXITIES, CONTENT_MIN, CONTENT_MAX, scalars } from "../frames.js";
import { understood } from "./understood.js";

const TITLE_MAX = 60;

export function composer(app) {
  const text = h("textarea", { id: "content", name: "content", rows: "4", placeholder: t("composer.placeholder"), "aria-describedby": "content-count content-error", required: true, spellcheck: "false" });
  const mirror = h("div", { class: "mirror", "aria-hidden": "true" });
  const count = h("output", { id: "content-count", class: "count" });
  const error = h("p", { id: "content-error", class: "field-error", role: "alert" });
  const form = h("form", { class: "composer", novalidate: true, "aria-label": t("composer.form") },
    h("label", { for: "content", class: "composer-label" }, t("composer.label")),
    h("div", { class: "composer-text" }, mirror, text),
    h("div", { class: "composer-foot" }, error, count));
  const panel = understood(app, { text, mirror, picked: () => picked(), suggest });
  form.append(panel.node, h("div", { class: "composer-bar" },
    choice("category", t("composer.about"), CATEGORIES, "cost-optimization", topic),
    choice("complexity", t("composer.depth"), COMPLEXITIES, "intermediate"),
    h("button", { class: "primary", type: "submit" }, t("composer.submit"))));
  let from = null;
  /** Whether the visitor chose what it is about; until then the words do. */
  let chosen = false;

  function picked() {
    const of = new FormData(form);
    return { category: of.get("category"), complexity: of.get("complexity"), chosen };
  }
  /** The agent that the words ask for, where nobody chose one. */
  function suggest(category) {
    if (!chosen) form.elements.category.value = category;
  }
  const measure = () => {
    const length = scalars(text.value);
    show(count, `${length} / ${CONTENT_MAX}`);
    count.classList.toggle("bad", length > CONTENT_MAX);
    if (error.textContent && !faultOf(length)) complain("");
    panel.changed();
  };
  const complain = (message) => {
    show(error, message);
    if (message) text.setAttribute("aria-invalid", "true");
    else text.removeAttribute("aria-invalid");
  };
  text.addEventListener("input", measure);
  text.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.metaKey || event.ctrlKey)) form.requestSubmit();
  });
  form.addEventListener("change", (event) => {
    if (event.target.name === "category") chosen = true;
    if (["category", "complexity"].includes(event.target.name)) panel.changed();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const fault = faultOf(scalars(text.value)) || (app.wire ? "" : t("composer.not_in"));
    complain(fault);
    if (fault) {
      text.focus();
      return;
    }
    const { category, complexity } = picked();
    const content = text.value.trim();
    const edits = panel.edits();
    app.ask({
      content, title: from?.content === content ? from.title : titleFrom(content), category, complexity,
      businessValue: from?.businessValue ?? "conversion", estimatedTime: from?.estimatedTime ?? "unknown",
      context: Object.keys(edits).length ? { assumptions: edits } : {},
    });
  });
  effect(() => {
    from = app.draft();
    if (!from) return;
    text.value = from.content;
    chosen = true;
    for (const name of ["category", "complexity"]) form.elements[name].value = from[name];
    panel.forget();
    measure();
    text.focus();
    form.scrollIntoView({ block: "center" });
  });
  measure();
  return { node: form, leave: panel.leave };
}

function faultOf(length) {
  if (length < CONTENT_MIN) return t("composer.too_short", { least: CONTENT_MIN, n: length });
  if (length > CONTENT_MAX) return t("composer.too_long", { most: CONTENT_MAX, over: length - CONTENT_MAX });
  return "";
}

function titleFrom(content) {
  const line = content.replace(/\s+/g, " ");
  const letters = [...line];
  return letters.length <= TITLE_MAX ? line : `${letters.slice(0, TITLE_MAX - 1).join("")}…`;
}

function choice(name, label, values, chosen, spell = word) {
  return h("fieldset", { class: "choice" }, h("legend", {}, label),
    h("div", { class: "choice-row" }, values.map((value) => h("label", {},
      h("input", { type: "radio", name, value, checked: value === chosen }), h("span", {}, spell(value))))));
}
