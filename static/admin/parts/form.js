// Fields with a label, a hint and their fault; a form is read and told its faults as a whole.

import { h } from "../../js/h.js";

let made = 0;

/** `{name, label, hint?, value?, type?, options?, rows?, required?, min?, max?, check?(value) → fault | null}` → a node. */
export function field({ name, label, hint = null, value = "", type = "text", options = null, rows = null, check = null, quiet = false, ...more }) {
  made += 1;
  const id = `field-${made}`;
  const about = `${id}-hint ${id}-fault`;
  const common = { id, name, "aria-describedby": about, ...more };
  let input;
  if (options) input = h("select", common, options.map(([key, text]) => h("option", { value: key, selected: String(key) === String(value) }, text)));
  else if (rows) {
    input = h("textarea", { ...common, rows });
    input.value = value;
  } else if (type === "checkbox") input = h("input", { ...common, type, checked: Boolean(value) });
  else {
    input = h("input", { ...common, type });
    if (type !== "file") input.value = value ?? "";
  }
  input.check = check;
  const title = h("label", { for: id, class: quiet ? "quiet" : null }, label);
  const rest = [hint && h("p", { class: "hint", id: `${id}-hint` }, hint), h("p", { class: "field-error", id: `${id}-fault`, hidden: true })];
  return h("div", { class: type === "checkbox" ? "field check" : "field" }, type === "checkbox" ? [input, title] : [title, input], rest);
}

/** `{values, faults: [{field, message}]}`: every fault at once. */
export function read(form) {
  const values = {};
  const faults = [];
  for (const input of form.querySelectorAll("input[name], select[name], textarea[name]")) {
    const value = input.type === "checkbox" ? input.checked : input.type === "file" ? input.files[0] ?? null : input.value;
    values[input.name] = value;
    const fault = input.required && (value === "" || value === null) ? "This is needed." : input.check?.(value, values) ?? null;
    if (fault) faults.push({ field: input.name, message: fault });
  }
  return { values, faults };
}

/** Shows each fault at its field and goes to the first; answers those that belong to no field. */
export function showFaults(form, faults) {
  for (const input of form.querySelectorAll("[aria-invalid]")) input.removeAttribute("aria-invalid");
  for (const place of form.querySelectorAll(".field-error")) place.hidden = true;
  const rest = [];
  let first = null;
  for (const fault of faults) {
    const input = [...form.querySelectorAll("[name]")].find((one) => one.name === fault.field);
    if (!input) {
      rest.push(fault);
      continue;
    }
    input.setAttribute("aria-invalid", "true");
    const place = document.getElementById(input.id.concat("-fault"));
    place.textContent = fault.message;
    place.hidden = false;
    first ??= input;
  }
  first?.focus();
  return rest;
}

/** A field in a row of filters: acts while it is typed in, after a short pause. */
export function filter({ label, value, options = null, placeholder = null, act, type = "search" }) {
  let waiting = null;
  const now = (event) => act(event.target.value);
  const soon = (event) => {
    clearTimeout(waiting);
    // Who has left the page meanwhile is not taken back to it.
    waiting = setTimeout(() => input.isConnected && now(event), 250);
  };
  const input = options
    ? h("select", { onchange: now }, options.map(([key, text]) => h("option", { value: key, selected: key === (value ?? "") }, text)))
    : h("input", { type, placeholder, oninput: soon, autocomplete: "off", spellcheck: "false" });
  if (!options) input.value = value ?? "";
  return h("label", { class: "filter" }, h("span", {}, label), input);
}
