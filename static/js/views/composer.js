// The visitor's own message.

import { h, show } from "../h.js";
import { effect } from "../signal.js";
import { topic, word } from "../format.js";
import { CATEGORIES, COMPLEXITIES, CONTENT_MIN, CONTENT_MAX, scalars } from "../frames.js";

const PLACEHOLDER = "We spend $18,000 a month on GPT-4o for 1.2M support chats, about 900 input and 250 output tokens each. How do we halve it?";
const TITLE_MAX = 60;

export function composer(app) {
  const text = h("textarea", { id: "content", name: "content", rows: "4", placeholder: PLACEHOLDER, "aria-describedby": "content-count content-error", required: true });
  const count = h("output", { id: "content-count", class: "count" });
  const error = h("p", { id: "content-error", class: "field-error", role: "alert" });
  const form = h("form", { class: "composer", novalidate: true, "aria-label": "Your own message" },
    h("label", { for: "content", class: "composer-label" }, "Your situation, in your words"), text,
    h("div", { class: "composer-foot" }, error, count),
    h("div", { class: "composer-bar" },
      choice("category", "About", CATEGORIES, "cost-optimization", topic),
      choice("complexity", "Depth", COMPLEXITIES, "intermediate"),
      h("button", { class: "primary", type: "submit" }, "Compute the answer")));
  let from = null;

  const measure = () => {
    const length = scalars(text.value);
    show(count, `${length} / ${CONTENT_MAX}`);
    count.classList.toggle("bad", length > CONTENT_MAX);
    if (error.textContent && !faultOf(length)) complain("");
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
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const fault = faultOf(scalars(text.value)) || (app.wire ? "" : "The server has not let this page in yet.");
    complain(fault);
    if (fault) {
      text.focus();
      return;
    }
    const picked = new FormData(form);
    const content = text.value.trim();
    app.ask({
      content, title: from?.content === content ? from.title : titleFrom(content),
      category: picked.get("category"), complexity: picked.get("complexity"),
      businessValue: from?.businessValue ?? "conversion", estimatedTime: from?.estimatedTime ?? "unknown",
    });
  });
  effect(() => {
    from = app.draft();
    if (!from) return;
    text.value = from.content;
    for (const name of ["category", "complexity"]) form.elements[name].value = from[name];
    measure();
    text.focus();
    form.scrollIntoView({ block: "center" });
  });
  measure();
  return form;
}

function faultOf(length) {
  if (length < CONTENT_MIN) return `Please write at least ${CONTENT_MIN} characters; there ${length === 1 ? "is" : "are"} ${length}.`;
  if (length > CONTENT_MAX) return `At most ${CONTENT_MAX} characters; please cut ${length - CONTENT_MAX}.`;
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
