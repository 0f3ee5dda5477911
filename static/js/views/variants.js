// The question as it was asked and every what-if of it: to go back to, and two of them side by side.

import { h, show } from "../h.js";
import { brief, figure as figureText } from "../format.js";
import { t } from "../words.js";
import { dataTable } from "./table.js";

/** What-ifs told in the bar; older ones are in the lists of the comparison. */
const SHOWN = 6;

export function variants(app) {
  const bar = h("div", { class: "variants", role: "group", "aria-label": t("variants.title") });
  const left = h("select", { "aria-label": t("variants.left") });
  const right = h("select", { "aria-label": t("variants.right") });
  const table = h("div", {});
  const compare = h("details", { class: "compare" }, h("summary", {}, t("variants.compare")),
    h("p", { class: "compare-pick" }, left, h("span", {}, t("variants.with")), right), table);
  const node = h("section", { class: "part", "aria-label": t("variants.title"), hidden: true }, bar, compare);
  let run = null;
  let known = "";
  for (const select of [left, right]) select.addEventListener("change", drawTable);
  compare.addEventListener("toggle", drawTable);

  const complete = () => app.runs.familyOf(run).filter((r) => r.result);
  const name = (family, at) => (at === 0 ? t("variants.original") : t("variants.nth", { n: at }));

  function update() {
    if (!run) return;
    const family = complete();
    const now = `${run.key} ${family.map((r) => r.key).join(" ")}`;
    if (now === known) return;
    known = now;
    node.hidden = family.length < 2;
    if (node.hidden) return;
    const first = Math.max(1, family.length - SHOWN);
    show(bar, family.map((r, at) => (at > 0 && at < first ? null : h("button", { class: "variant", type: "button", "aria-current": r === run ? "true" : "false",
      title: changesOf(r).join("; "), onclick: () => app.open(r.key, { replace: true }) }, name(family, at)))));
    const [a, b] = [left.value, right.value];
    for (const select of [left, right]) {
      show(select, family.map((r, at) => h("option", { value: r.key }, [name(family, at), ...changesOf(r).slice(0, 2)].join(" · "))));
    }
    const has = (key) => family.some((r) => r.key === key);
    left.value = has(a) ? a : family[0].key;
    right.value = has(b) && b !== family[0].key && run.key === family[0].key ? b : run === family[0] ? family.at(-1).key : run.key;
    drawTable();
  }

  function drawTable() {
    if (!compare.open) return;
    const [a, b] = [left, right].map((select) => app.runs.byKey(select.value));
    if (a?.result && b?.result) show(table, comparison(a, b));
  }

  return {
    node, update,
    display: (next) => {
      run = next;
      known = "";
      update();
    },
  };
}

/** What a run changed against the question as it was asked. */
function changesOf(run) {
  const assumptions = run.asked?.session_context?.assumptions ?? {};
  return Object.entries(assumptions).map(([name, value]) => {
    const quantity = run.result?.quantities.find((q) => q.name === name);
    return quantity ? `${quantity.label} ${brief(quantity.value, quantity.unit)}` : `${name.replaceAll("_", " ")} ${value}`;
  });
}

function comparison(a, b) {
  const figures = (run) => [...run.result.headline, ...run.result.business_impact.figures];
  const edited = new Set([a, b].flatMap((run) => Object.keys(run.asked?.session_context?.assumptions ?? {})));
  const rows = [];
  for (const name of edited) {
    const [was, is] = [a, b].map((run) => run.result.quantities.find((q) => q.name === name));
    const told = (q) => ({ text: q ? brief(q.value, q.unit) : "–", value: q?.value });
    if (was || is) rows.push([{ text: (was ?? is).label }, told(was), told(is), difference(was, is)]);
  }
  const seen = new Set();
  for (const f of [...figures(a), ...figures(b)]) {
    if (seen.has(f.label)) continue;
    seen.add(f.label);
    const [was, is] = [a, b].map((run) => figures(run).find((other) => other.label === f.label));
    const told = (other) => ({ text: other ? figureText(other) : "–", value: other?.value });
    rows.push([{ text: f.label }, told(was), told(is), difference(was, is)]);
  }
  const columns = ["variants.what", "variants.left", "variants.right", "variants.difference"].map((key) => ({ name: t(key), unit: "" }));
  return dataTable({ id: "compare", title: t("variants.compare"), columns, rows });
}

function difference(was, is) {
  if (!was || !is || was.unit !== is.unit || !Number.isFinite(was.value) || !Number.isFinite(is.value)) return { text: "–" };
  const by = is.value - was.value;
  const part = was.value !== 0 ? ` (${by >= 0 ? "+" : "−"}${brief(Math.abs(by / was.value), "fraction")})` : "";
  return { text: by === 0 ? "=" : `${by > 0 ? "+" : ""}${brief(by, is.unit)}${part}`, value: by };
}
