// A table that stays in step with a list: what did not change stays the same node, so that focus and selections survive.
// On a narrow screen each row becomes a card, with the name of its column before each value.

import { h, keyed, show } from "../../js/h.js";
import { nothing } from "./state.js";

/**
 * `columns`: `{name, cell(row), numeric?, wide?, acts?}`; `key(row)` names a row; `empty`: `{title, text}`.
 * Answers `{element, update(rows)}`.
 */
export function table({ caption, columns, key, empty, tone = () => null }) {
  const body = h("tbody", { role: "rowgroup" });
  const head = columns.map((column) => h("th", { scope: "col", role: "columnheader", class: kind(column) }, column.acts ? h("span", { class: "quiet" }, column.name) : column.name));
  const grid = h("table", { class: "grid", role: "table" }, h("caption", { class: "quiet" }, caption),
    h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, head)), body);
  const box = h("div", { class: "grid-box" }, grid);
  const none = h("div", { hidden: true }, nothing(empty.title, empty.text));
  const shown = new Map();
  const update = (rows) => {
    grid.hidden = rows.length === 0;
    none.hidden = rows.length > 0;
    keyed(body, rows, key, () => h("tr", { role: "row" }));
    rows.forEach((row, at) => {
      const name = String(key(row));
      const text = JSON.stringify(row);
      const node = body.children[at];
      if (shown.get(name)?.text === text && shown.get(name).node === node) return;
      shown.set(name, { text, node });
      fill(node, columns, row, tone(row));
    });
    for (const name of shown.keys()) if (!rows.some((row) => String(key(row)) === name)) shown.delete(name);
  };
  return { element: h("div", { class: "table" }, box, none), update };
}

const kind = (column) => [column.numeric && "num-cell", column.wide && "wide", column.acts && "acts"].filter(Boolean).join(" ") || null;

function fill(node, columns, row, tone) {
  const held = node.contains(document.activeElement) ? document.activeElement.textContent : null;
  if (tone) node.dataset.tone = tone;
  else delete node.dataset.tone;
  show(node, columns.map((column, at) => h(at === 0 ? "th" : "td", { scope: at === 0 ? "row" : null, role: at === 0 ? "rowheader" : "cell", class: kind(column), dataset: { label: column.acts ? "" : column.name } },
    h("span", { class: "cell" }, column.cell(row)))));
  if (held !== null) [...node.querySelectorAll("a, button")].find((element) => element.textContent === held)?.focus();
}

/** A button in a row: small, and named for what it acts on. */
export const rowAct = (text, about, act, more = {}) => h("button", { class: "ghost small", type: "button", "aria-label": `${text}: ${about}`, onclick: act, ...more }, text);
