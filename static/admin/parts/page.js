// The head of every page, and its parts.

import { h } from "../../js/h.js";

export const page = (title, lead, acts = [], ...body) => h("div", { class: "page" },
  h("div", { class: "page-head" }, h("div", {}, h("h1", {}, title), lead && h("p", { class: "muted" }, lead)), acts.length ? h("div", { class: "page-acts" }, acts) : null), body);

export const part = (title, ...body) => h("section", { class: "part" }, title && h("h2", {}, title), body);
/** One figure with its name; `href` opens what is behind it, `tone` says how it is. */
export const tile = (name, value, about, { href = null, tone = null } = {}) => h(href ? "a" : "div", { class: "tile", href, dataset: tone ? { tone } : {} },
  h("p", { class: "tile-name" }, name), h("p", { class: "tile-value" }, value), about && h("p", { class: "sub" }, about));
export const filters = (...fields) => h("div", { class: "filters", role: "search" }, fields);
export const button = (text, act, more = {}) => h("button", { class: "ghost", type: "button", onclick: act, ...more }, text);
export const main = (text, act, more = {}) => button(text, act, { class: "primary", ...more });

/** Hands the browser a file to keep. */
export function save(name, blob) {
  const address = URL.createObjectURL(blob);
  h("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
