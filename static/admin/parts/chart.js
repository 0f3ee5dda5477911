// Lines over time, drawn by Chart.js, with the table behind each.

import { h, show } from "../../js/h.js";
import { effect, signal } from "../../js/signal.js";
import { bytes, count, exactly, moment } from "../words.js";
import { byteTicks, thinned, timeLabel, timeTicks, withGaps } from "./ticks.js";

const ROWS_MAX = 60;
/** Written anew when the theme changes, so that the canvas takes its colours. */
const themed = signal(0);
export const redraw = () => themed(themed() + 1);

let library = null;
/** The build is a plain script: as a module it leaves `Chart` on the global object. */
const load = () => (library ??= import("../../vendor/chart.js/chart.umd.min.js").then(() => globalThis.Chart, () => { library = null; }));

function theme() {
  const style = getComputedStyle(document.documentElement);
  const of = (name) => style.getPropertyValue(`--${name}`).trim();
  return { ink: of("ink"), muted: of("muted"), line: of("line"), surface: of("surface"), series: ["c1", "c2", "c3", "c4", "c5", "c6"].map(of) };
}

/**
 * `series`: `[{key, name}]`; `say(value)` spells a value. `update({points: {key: [{x, y}]}, from, to, gapMs})` draws.
 * Answers `{element, update, stop}`.
 */
export function timeChart({ title, series, say, about = null }) {
  const canvas = h("canvas", { role: "img" });
  const now = h("p", { class: "chart-now" });
  const rows = h("div", { class: "table-box", tabindex: "0", role: "group", "aria-label": `${title}, as a table` });
  const behind = h("details", { ontoggle: () => behind.open && fillTable() }, h("summary", {}, "The table behind it"), rows);
  const none = h("p", { class: "chart-none muted", hidden: true }, "Nothing measured in this time yet.");
  const element = h("figure", { class: "chart" }, h("figcaption", {}, h("h3", {}, title), now, about && h("p", { class: "muted" }, about)),
    h("div", { class: "chart-box" }, canvas, none), behind);
  let known = null;
  let drawing = null;
  let over = false;

  const fillTable = () => known && show(rows, valueTable(title, series, known, say));
  const update = (data) => {
    known = data;
    const last = series.map(({ key, name }) => ({ name, value: data.points[key]?.findLast((p) => p.y !== null)?.y }));
    none.hidden = last.some(({ value }) => value !== undefined);
    canvas.hidden = !none.hidden;
    show(now, last.filter(({ value }) => value !== undefined).map(({ name, value }, at) =>
      h("span", { class: "chart-key", dataset: { n: String(at + 1) } }, series.length > 1 ? `${name} ` : "", h("strong", {}, say(value)))));
    canvas.setAttribute("aria-label", `${title}, ${moment(data.from)} to ${moment(data.to)}. Now: ${last.map(({ name, value }) => `${name} ${say(value)}`).join(", ")}.`);
    if (behind.open) fillTable();
    draw();
  };
  const draw = async () => {
    const Chart = await load();
    // It could not be fetched: the table stands, and the next figures try again.
    if (!Chart || over || !known || canvas.hidden) return;
    if (!canvas.isConnected) return;
    const made = config(known, series, say, theme());
    if (!drawing) {
      drawing = new Chart(canvas, made);
      return;
    }
    Object.assign(drawing.data, made.data);
    drawing.options = made.options;
    drawing.update("none");
  };
  const unhear = effect(() => {
    themed();
    draw();
  });
  const stop = () => {
    over = true;
    unhear();
    drawing?.destroy();
  };
  return { element, update, stop };
}

function config({ points, from, to, gapMs }, series, say, look) {
  const ticks = { color: look.muted, maxTicksLimit: 5, font: { size: 11 } };
  return {
    type: "line",
    data: { datasets: series.map(({ key, name }, n) => ({ label: name, data: withGaps(points[key] ?? [], gapMs), borderColor: look.series[n], backgroundColor: `${look.series[n]}22`,
      borderWidth: 1.75, pointRadius: 0, pointHitRadius: 12, tension: 0.15, fill: series.length === 1, spanGaps: false })) },
    options: {
      animation: false, responsive: true, maintainAspectRatio: false, parsing: false, normalized: true,
      interaction: { mode: "index", intersect: false, axis: "x" },
      font: { family: getComputedStyle(document.body).fontFamily },
      scales: {
        x: { type: "linear", min: from, max: to, grid: { display: false }, border: { color: look.line },
          afterBuildTicks: (scale) => { scale.ticks = timeTicks(from, to, scale.width < 320 ? 3 : 6); }, ticks: { ...ticks, maxRotation: 0, callback: (value) => timeLabel(value, to - from) } },
        y: { beginAtZero: true, suggestedMax: 1, grid: { color: look.line }, border: { display: false }, ticks: { ...ticks, ...(say === count ? { precision: 0 } : {}), callback: (value) => say(value) },
          ...(say === bytes ? { afterBuildTicks: (scale) => { scale.ticks = byteTicks(scale.max); } } : {}) },
      },
      plugins: { legend: { display: false }, tooltip: { callbacks: { title: (items) => moment(items[0]?.parsed.x), label: (item) => `${item.dataset.label}: ${withMost(item.raw, say)}` } } },
    },
  };
}

/** A mean hides its peak: the highest value of the time that a point stands for is told beside it. */
function withMost(point, say) {
  const mean = say(point?.y);
  const most = say(point?.max);
  return point?.max > point?.y && most !== mean ? `${mean}, up to ${most}` : mean;
}

function valueTable(title, series, { points }, say) {
  const at = new Map();
  for (const { key } of series) for (const point of points[key] ?? []) at.set(point.x, { ...at.get(point.x), [key]: point });
  const rows = thinned([...at].sort(([a], [b]) => a - b), ROWS_MAX);
  return h("table", {}, h("caption", { class: "quiet" }, title),
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Time"), series.map(({ name }) => h("th", { scope: "col", class: "num-cell" }, name)))),
    h("tbody", {}, rows.map(([x, values]) => h("tr", {}, h("th", { scope: "row", title: exactly(x) }, moment(x)), series.map(({ key }) => h("td", { class: "num-cell" }, withMost(values[key], say)))))));
}
