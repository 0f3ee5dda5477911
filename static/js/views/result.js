// The answer: what matters first, then why, then everything else. Each number opens its arithmetic.

import { h, show } from "../h.js";
import { duration, figure as figureText, pieces } from "../format.js";
import { t, tag as localeTag, tOr } from "../words.js";
import { arithmetic } from "./arithmetic.js";
import { dataTable, number } from "./table.js";
import { quantitiesEditor } from "./quantities.js";
import { variants } from "./variants.js";
import { takeAway } from "./takeaway.js";
import { chartView } from "../charts/draw.js";

/** `display(run)` shows a run's answer; another run of the same family may follow, and what is held stays held. */
export function resultView(app) {
  const top = h("div", { class: "result-top" });
  const main = h("div", { class: "result-main" });
  const editor = quantitiesEditor(app);
  const family = variants(app);
  const node = h("div", { class: "result" }, top, family.node, h("div", { class: "result-columns" }, main, editor.node));
  let shown = null;

  function display(run) {
    if (shown === run) return;
    shown = run;
    const open = arithmetic(run);
    app.track("result_viewed", { run });
    show(top, restsOnNothing(run), headline(app, run, open));
    show(main, body(app, run, open));
    editor.display(run);
    family.display(run);
  }
  return {
    node, display,
    update: () => {
      editor.update();
      family.update();
    },
    leave: editor.leave,
  };
}

function body(app, run, open) {
  const { result } = run;
  const prose = (text, refs) => glued(pieces(text, refs), open);
  const shownTables = new Set(result.charts.map((chart) => chart.table));
  return [
    h("p", { class: "summary", lang: "en" }, prose(result.summary, result.summary_refs)),
    section("result.stands_out", findings(result.findings, prose)),
    section("result.recommendations", recommendations(result.recommendations, prose, open)),
    section("result.charts", result.charts.map((chart) => chartView(chart, result.tables.find((table) => table.id === chart.table), open)), "charts"),
    section("result.tables", result.tables.filter((table) => !shownTables.has(table.id)).map((table) => dataTable(table, open))),
    impact(result.business_impact, prose, open),
    section("result.roadmap", phases(result.implementation_guidance)),
    section("result.measures", metrics(result.success_metrics)),
    section("result.insights", findings(result.business_insights, prose)),
    section("result.questions", questions(result.questions)),
    takeAway(app, run),
    execution(run),
  ];
}

/** A number never parts from the comma after it. */
function glued(list, open) {
  const out = [];
  for (let n = 0; n < list.length; n++) {
    const piece = list[n];
    const next = list[n + 1];
    const sign = piece.id && next && !next.id ? /^[\p{P}\p{S}]+/u.exec(next.text)?.[0] : "";
    if (!sign) {
      out.push(number(piece.text, piece.id, open));
      continue;
    }
    out.push(h("span", { class: "glued" }, number(piece.text, piece.id, open), sign));
    list[n + 1] = { ...next, text: next.text.slice(sign.length) };
  }
  return out;
}

/** An answer without a single number of the visitor's own must not look like one. */
function restsOnNothing({ result, asked }) {
  const edited = Object.keys(asked?.session_context?.assumptions ?? {}).length > 0;
  if (edited || result.quantities.some((q) => q.source === "message")) return null;
  return h("div", { class: "notice" }, h("p", {}, h("strong", {}, t("result.no_numbers")), ` ${t("result.no_numbers_more")}`));
}

function section(title, content, kind = "") {
  if (content === null || (Array.isArray(content) && content.length === 0)) return null;
  return h("section", { class: `part ${kind}` }, h("h2", {}, t(title)), content);
}

function headline(app, run, open) {
  const before = app.runs.parentOf(run)?.result?.headline ?? [];
  return h("div", { class: "headline" }, run.result.headline.map((figure) => {
    const was = before.find((f) => f.label === figure.label && f.text !== figure.text);
    return h("button", { class: "figure", type: "button", dataset: { derivation: figure.id }, onclick: () => open(figure.id) },
      h("span", { class: "figure-label", lang: "en" }, figure.label), h("span", { class: "figure-value" }, figureText(figure)),
      h("span", { class: "figure-foot" }, was ? t("result.was", { value: figureText(was) }) : t("result.see_arithmetic")));
  }));
}

function findings(list, prose) {
  if (!list?.length) return null;
  return h("ul", { class: "findings" }, list.map((finding) => h("li", { class: "finding", lang: "en", dataset: { severity: finding.severity } },
    h("h3", {}, finding.severity === "contradiction" ? h("span", { class: "tag" }, t("result.contradiction")) : null, finding.title), h("p", {}, prose(finding.text, finding.refs)))));
}

function recommendations(list, prose, open) {
  if (!list.length) return null;
  const sorted = [...list].sort((a, b) => a.priority - b.priority);
  return h("ol", { class: "recommendations" }, sorted.map((r) => h("li", { class: "recommendation" },
    h("div", { class: "recommendation-head" }, h("h3", { lang: "en" }, r.title),
      r.gain ? h("p", { class: "gain" }, number(figureText(r.gain), r.gain.id, open), h("span", { class: "gain-label", lang: "en" }, r.gain.label)) : null),
    h("p", { lang: "en" }, prose(r.rationale, r.refs)),
    h("ul", { class: "tags" }, tag("result.effort", r.effort), tag("result.impact", r.impact), tag("result.confidence", r.confidence)),
    r.formula ? h("details", { class: "sums" }, h("summary", {}, t("result.sums")),
      h("p", { class: "formula" }, r.formula), h("p", { class: "formula filled" }, r.arithmetic)) : null)));
}

const tag = (label, value) => (value ? h("li", { dataset: { level: value } }, `${t(label)} `, h("strong", {}, tOr(`level.${value}`, value))) : null);

function impact(business, prose, open) {
  if (!business?.text && !business?.figures?.length) return null;
  return section("result.worth", [
    business.text ? h("p", { lang: "en" }, prose(business.text, business.refs)) : null,
    h("dl", { class: "figures" }, business.figures.map((f) => h("div", {}, h("dt", { lang: "en" }, f.label), h("dd", {}, number(figureText(f), f.id, open))))),
  ]);
}

function phases(list) {
  if (!list.length) return null;
  return h("ol", { class: "phases" }, list.map((phase) => h("li", {},
    h("p", { class: "phase-weeks" }, phase.from_week === phase.to_week ? t("result.week", { n: phase.from_week }) : t("result.weeks", { from: phase.from_week, to: phase.to_week })),
    h("h3", { lang: "en" }, phase.title), h("ul", { lang: "en" }, phase.steps.map((step) => h("li", {}, step))))));
}

function metrics(list) {
  if (!list.length) return null;
  const cell = (text) => ({ text });
  return dataTable({ id: "success", title: t("result.success"), columns: ["result.measure", "result.today", "result.aim", "result.how"].map((name) => ({ name: t(name), unit: "" })),
    rows: list.map((m) => [cell(m.name), cell(m.baseline), cell(m.target), cell(m.how)]) });
}

function questions(list) {
  if (!list?.length) return null;
  return h("ol", { class: "questions", lang: "en" }, list.map((q) => h("li", {}, h("strong", {}, q.text), " ", h("span", { class: "muted" }, q.effect))));
}

/** What really ran, said plainly. */
function execution(run) {
  const { execution: e, catalog } = run.result;
  const engine = e.backend.startsWith("builtin") ? t(e.backend === "builtin" ? "result.builtin" : "result.standby")
    : t("result.backend", { backend: `${e.backend}${e.model ? `, ${e.model}` : ""}`, tokens: e.tokens.toLocaleString(localeTag()), cost: `$${e.cost_usd}` });
  return h("footer", { class: "execution" },
    h("p", {}, t("result.computed_by", { engine, time: duration(run.processingMs), breaker: tOr(`breaker.${e.breaker_state}`, e.breaker_state) }),
      run.fallback ? h("strong", {}, ` ${t("result.fallback", { why: run.fallback })}`) : null),
    h("p", { lang: "en" }, catalog.text), (catalog.attributions ?? []).map((line) => h("p", { class: "muted", lang: "en" }, line)));
}
