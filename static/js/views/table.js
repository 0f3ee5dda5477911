// A table of the answer; a cell with an id opens its arithmetic.

import { h } from "../h.js";
import { spell } from "../format.js";
import { t } from "../words.js";

/** Up to here a number stays on one line with its unit, on a phone too. */
const WHOLE = 24;

/** `open(id)` shows a derivation; without it the numbers are text. */
export function dataTable(table, open = null) {
  const numeric = table.columns.map((_, n) => table.rows.every((row) => row[n]?.value !== undefined || !row[n]?.text) && table.rows.some((row) => row[n]?.value !== undefined));
  return h("div", { class: "table-box", tabindex: "0", role: "group", "aria-label": table.title },
    h("table", {}, h("caption", {}, table.title),
      h("thead", {}, h("tr", {}, table.columns.map((column, n) => h("th", { scope: "col", class: numeric[n] ? "num-cell" : null }, column.name,
        column.unit ? h("span", { class: "unit" }, ` ${spell(column.unit)}`) : null)))),
      h("tbody", {}, table.rows.map((row) => h("tr", {}, row.map((cell, n) =>
        h(n === 0 ? "th" : "td", { scope: n === 0 ? "row" : null, class: numeric[n] ? "num-cell" : null }, number(cell.text, cell.id, open))))))));
}

/** A number as a button that opens its arithmetic, where it has one. */
export function number(text, id, open) {
  if (!id || !open) return text;
  return h("button", { class: text.length <= WHOLE ? "num whole" : "num", type: "button", dataset: { derivation: id }, title: t("table.how"), onclick: () => open(id) }, text);
}
