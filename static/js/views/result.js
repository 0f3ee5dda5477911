// The answer: what matters first, then why, then everything else. Each number opens its arithmetic.

import { h } from "../h.js";
import { duration, pieces } from "../format.js";
import { arithmetic } from "./arithmetic.js";
import { dataTable, number } from "./table.js";
import { quantitiesEditor } from "./quantities.js";
import { chartView } from "../charts/draw.js";

export function resultView(app, run) {
  const { result } = run;
  const open = arithmetic(run);
  const prose = (text, refs) => pieces(text, refs).map((piece) => number(piece.text, piece.id, open));
  const shownTables = new Set(result.charts.map((chart) => chart.table));
  app.track("result_viewed", run);
  return h("div", { class: "result" },
    restsOnNothing(run),
    headline(app, run, open),
    h("div", { class: "result-columns" },
      h("div", { class: "result-main" },
        h("p", { class: "summary" }, prose(result.summary, result.summary_refs)),
        section("What stands out", findings(result.findings, prose)),
        section("Recommendations", recommendations(result.recommendations, prose, open)),
        section("Charts", result.charts.map((chart) => chartView(chart, result.tables.find((t) => t.id === chart.table), open)), "charts"),
        section("Tables", result.tables.filter((t) => !shownTables.has(t.id)).map((t) => dataTable(t, open))),
        impact(result.business_impact, prose, open),
        section("Roadmap", phases(result.implementation_guidance)),
        section("How you will know", metrics(result.success_metrics)),
        section("What your message also says", findings(result.business_insights, prose)),
        section("What would sharpen this", questions(result.questions)),
        section("Take it away", files(app, run)),
        execution(run)),
      h("aside", { class: "result-side", "aria-label": "Your numbers" }, quantitiesEditor(app, run))));
}

/** An answer without a single number of the visitor's own must not look like one. */
function restsOnNothing({ result, asked }) {
  const edited = Object.keys(asked?.session_context?.assumptions ?? {}).length > 0;
  if (edited || result.quantities.some((q) => q.source === "message")) return null;
  return h("div", { class: "notice" }, h("p", {}, h("strong", {}, "No number in your message could be used."), " What follows rests on assumptions alone; set them under “Your numbers”, or ask again with your own."));
}

function section(title, content, kind = "") {
  if (content === null || (Array.isArray(content) && content.length === 0)) return null;
  return h("section", { class: `part ${kind}` }, h("h2", {}, title), content);
}

function headline(app, run, open) {
  const parent = run.asked?.session_context?.parent_session_id;
  const before = parent ? app.runs.bySession(parent)?.result?.headline ?? [] : [];
  return h("div", { class: "headline" }, run.result.headline.map((figure) => {
    const was = before.find((f) => f.label === figure.label && f.text !== figure.text);
    return h("button", { class: "figure", type: "button", dataset: { derivation: figure.id }, onclick: () => open(figure.id) },
      h("span", { class: "figure-label" }, figure.label), h("span", { class: "figure-value" }, figure.text),
      h("span", { class: "figure-foot" }, was ? `was ${was.text}` : "see the arithmetic"));
  }));
}

function findings(list, prose) {
  if (!list?.length) return null;
  return h("ul", { class: "findings" }, list.map((finding) => h("li", { class: "finding", dataset: { severity: finding.severity } },
    h("h3", {}, finding.severity === "contradiction" ? h("span", { class: "tag" }, "contradiction") : null, finding.title), h("p", {}, prose(finding.text, finding.refs)))));
}

function recommendations(list, prose, open) {
  if (!list.length) return null;
  const sorted = [...list].sort((a, b) => a.priority - b.priority);
  return h("ol", { class: "recommendations" }, sorted.map((r) => h("li", { class: "recommendation" },
    h("div", { class: "recommendation-head" }, h("h3", {}, r.title),
      r.gain ? h("p", { class: "gain" }, number(r.gain.text, r.gain.id, open), h("span", { class: "gain-label" }, r.gain.label)) : null),
    h("p", {}, prose(r.rationale, r.refs)),
    h("ul", { class: "tags" }, tag("Effort", r.effort), tag("Impact", r.impact), tag("Confidence", r.confidence)),
    r.formula ? h("details", { class: "sums" }, h("summary", {}, "Formula and arithmetic"),
      h("p", { class: "formula" }, r.formula), h("p", { class: "formula filled" }, r.arithmetic)) : null)));
}

const tag = (label, value) => (value ? h("li", { dataset: { level: value } }, `${label} `, h("strong", {}, value)) : null);

function impact(business, prose, open) {
  if (!business?.text && !business?.figures?.length) return null;
  return section("What it is worth", [
    business.text ? h("p", {}, prose(business.text, business.refs)) : null,
    h("dl", { class: "figures" }, business.figures.map((f) => h("div", {}, h("dt", {}, f.label), h("dd", {}, number(f.text, f.id, open))))),
  ]);
}

function phases(list) {
  if (!list.length) return null;
  return h("ol", { class: "phases" }, list.map((phase) => h("li", {},
    h("p", { class: "phase-weeks" }, phase.from_week === phase.to_week ? `Week ${phase.from_week}` : `Weeks ${phase.from_week} to ${phase.to_week}`),
    h("h3", {}, phase.title), h("ul", {}, phase.steps.map((step) => h("li", {}, step))))));
}

function metrics(list) {
  if (!list.length) return null;
  const cell = (text) => ({ text });
  return dataTable({ id: "success", title: "Success measures", columns: ["Measure", "Today", "Aim", "How to measure"].map((name) => ({ name, unit: "" })),
    rows: list.map((m) => [cell(m.name), cell(m.baseline), cell(m.target), cell(m.how)]) });
}

function questions(list) {
  if (!list?.length) return null;
  return h("ol", { class: "questions" }, list.map((q) => h("li", {}, h("strong", {}, q.text), " ", h("span", { class: "muted" }, q.effect))));
}

/** The result as a file; the visitor's cookie opens it, and nobody else's. */
function files(app, run) {
  const kinds = [["html", "HTML, to print"], ["md", "Markdown"], ["json", "JSON, everything"]];
  return h("p", { class: "files" }, kinds.map(([kind, words]) => h("a", {
    href: `/api/v1/example-messages/sessions/${run.sessionId}/report.${kind}`, download: "",
    onclick: () => app.track("report_exported", run),
  }, words)));
}

/** What really ran, said plainly. */
function execution(run) {
  const { execution: e, catalog } = run.result;
  const engine = e.backend === "builtin" ? "the built-in engine; no model was called" : `${e.backend}${e.model ? `, model ${e.model}` : ""}, ${e.tokens.toLocaleString("en-US")} tokens, $${e.cost_usd}`;
  return h("footer", { class: "execution" },
    h("p", {}, `Computed by ${engine}, in ${duration(run.processingMs)}. Breaker ${e.breaker_state.replace("_", "-")}.`,
      run.fallback ? h("strong", {}, ` This is the fallback's answer: ${run.fallback}.`) : null),
    h("p", {}, catalog.text), (catalog.attributions ?? []).map((line) => h("p", { class: "muted" }, line)));
}
