// Draws declared charts with Chart.js, loaded when the first one is needed. The table behind a chart always stands.

import { h } from "../h.js";
import { config } from "./config.js";
import { dataTable } from "../views/table.js";
import { t } from "../words.js";

const drawn = new Set();
let library = null;

/** The build is a plain script: as a module it leaves `Chart` on the global object. */
function load() {
  library ??= import("../../vendor/chart.js/chart.umd.min.js").then(() => globalThis.Chart);
  return library;
}

export function chartView(chart, table, open) {
  const canvas = h("canvas", { role: "img", "aria-label": `${chart.title}. ${chart.text}` });
  const box = h("div", { class: "chart-box", dataset: { kind: chart.kind, size: sizeOf(chart) } }, canvas);
  const figure = h("figure", { class: "chart" },
    h("figcaption", {}, h("h3", { lang: "en" }, chart.title), h("p", { class: "muted", lang: "en" }, chart.text)), box,
    h("p", { class: "chart-source", lang: "en" }, chart.source),
    table ? h("details", {}, h("summary", {}, t("chart.table")), dataTable(table, open)) : null);
  const entry = { chart, canvas, open, drawing: null };
  new IntersectionObserver((seen, observer) => {
    if (!seen.some((s) => s.isIntersecting)) return;
    observer.disconnect();
    drawn.add(entry);
    draw(entry);
  }, { rootMargin: "400px" }).observe(box);
  return figure;
}

/** Lying bars need height for their number, all others have one height. */
function sizeOf(chart) {
  const rows = Math.max(...chart.series.map((s) => s.points.length), 0);
  if (chart.kind === "stacked" && rows <= 2) return "least";
  if (!["tornado", "gantt", "bars"].includes(chart.kind)) return "normal";
  return rows > 14 ? "tall" : rows > 7 ? "normal" : rows > 3 || chart.kind === "gantt" ? "low" : "short";
}

async function draw(entry) {
  const Chart = await load();
  for (const other of drawn) if (!other.canvas.isConnected) drop(other);
  if (!entry.canvas.isConnected) {
    drop(entry);
    return;
  }
  const made = config(entry.chart, theme());
  if (!made) {
    entry.canvas.parentElement.hidden = true;
    return;
  }
  made.options.font = { family: getComputedStyle(document.body).fontFamily };
  made.options.onClick = (_event, hits, chart) => {
    const id = hits.map((hit) => chart.data.datasets[hit.datasetIndex].points?.[hit.index]?.id).find(Boolean);
    if (id) entry.open(id);
  };
  entry.drawing?.destroy();
  entry.drawing = new Chart(entry.canvas, made);
}

function drop(entry) {
  entry.drawing?.destroy();
  drawn.delete(entry);
}

/** After a change of theme; what has left the page is let go. */
export function redrawCharts() {
  for (const entry of [...drawn]) {
    if (entry.canvas.isConnected) draw(entry);
    else drop(entry);
  }
}

function theme() {
  const style = getComputedStyle(document.documentElement);
  const of = (name) => style.getPropertyValue(`--${name}`).trim();
  return { ink: of("ink"), muted: of("muted"), line: of("line"), surface: of("surface"), accent: of("accent"), good: of("good"), bad: of("bad"),
    series: ["c1", "c2", "c3", "c4", "c5", "c6"].map(of) };
}
