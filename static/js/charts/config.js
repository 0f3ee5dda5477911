// A declared chart → what Chart.js draws. Pure: colours come in, nothing is read from the page.

import { full, tick } from "../format.js";
import { marks, names } from "./plugins.js";

const pointName = (point, axis) => point.label ?? (point.x === undefined ? "" : full(point.x, axis.unit));
const labelsOf = (chart, axis) => [...new Set(chart.series.flatMap((s) => s.points.map((p) => pointName(p, axis))))];
const fade = (colour) => `${colour}2e`;

/** The axis that carries the values, whatever side the declaration put it on. */
function sides(chart) {
  const flat = ["tornado", "gantt"].includes(chart.kind)
    || (chart.kind === "bars" && labelsOf(chart, chart.x).some((label) => label.length > 12) && chart.series.length === 1);
  const swapped = chart.x.scale !== "category" && (chart.y.scale === "category" || ["tornado", "gantt"].includes(chart.kind));
  return { flat, value: swapped ? chart.x : chart.y, category: swapped ? chart.y : chart.x, swapped };
}

function bars(chart, theme, datasets, { flat, value, category, swapped }, more = {}) {
  // A mark names the axis as declared; where the bars lie down, its line turns with them.
  const turned = flat !== swapped;
  return {
    type: "bar",
    data: { labels: labelsOf(chart, category), datasets },
    options: options(chart, theme, {
      indexAxis: flat ? "y" : "x",
      [flat ? "y" : "x"]: { type: "category", ...scaleLook(theme, category, true), stacked: more.stacked },
      [flat ? "x" : "y"]: { type: value.scale === "log" ? "logarithmic" : "linear", ...scaleLook(theme, value), stacked: more.stacked, beginAtZero: more.zero !== false },
      marks: chart.marks.map((m) => (turned ? { ...m, axis: m.axis === "y" ? "x" : "y" } : m)),
      value, shapes: more.legend,
    }),
    plugins: [marks],
  };
}

const barLook = { borderWidth: 0, borderRadius: 3, borderSkipped: false, maxBarThickness: 46, minBarLength: 2 };

function waterfall(chart, theme) {
  const { points } = chart.series[0] ?? { points: [] };
  const colour = (p) => (p.strong || !p.low ? theme.ink : p.y <= p.low ? theme.good : theme.bad);
  return bars(chart, theme, [{
    ...barLook, label: chart.series[0]?.name, data: points.map((p) => [p.low ?? 0, p.y]), points,
    backgroundColor: points.map(colour),
  }], sides(chart), { legend: false });
}

function plainBars(chart, theme) {
  const many = chart.series.length > 1;
  const datasets = chart.series.map((series, n) => ({
    ...barLook, label: series.name, data: series.points.map((p) => p.y), points: series.points,
    backgroundColor: series.points.map((p) => (many ? theme.series[n % theme.series.length] : p.strong ? theme.accent : theme.muted)),
  }));
  return bars(chart, theme, datasets, sides(chart), { legend: many });
}

function stacked(chart, theme) {
  const at = sides(chart);
  const labels = labelsOf(chart, at.category);
  const datasets = chart.series.map((series, n) => {
    const byName = new Map(series.points.map((p) => [pointName(p, at.category), p]));
    const points = labels.map((label) => byName.get(label) ?? { y: 0 });
    return { ...barLook, borderRadius: 0, label: series.name, data: points.map((p) => p.y), points, backgroundColor: theme.series[n % theme.series.length] };
  });
  return bars(chart, theme, datasets, at, { stacked: true, legend: true });
}

function ranges(chart, theme) {
  const datasets = chart.series.map((series, n) => ({
    ...barLook, maxBarThickness: 22, label: series.name, points: series.points,
    data: series.points.map((p) => [p.low ?? 0, p.high ?? p.y]),
    backgroundColor: series.points.map((p) => (p.strong || chart.series.length > 1 ? theme.series[n % theme.series.length] : theme.accent)),
  }));
  return bars(chart, theme, datasets, { ...sides(chart), flat: true }, { zero: chart.kind === "gantt", legend: chart.series.length > 1 });
}

function histogram(chart, theme) {
  const made = plainBars({ ...chart, kind: "histogram" }, theme);
  for (const dataset of made.data.datasets) Object.assign(dataset, { barPercentage: 1, categoryPercentage: 0.96, maxBarThickness: 200, borderRadius: 0 });
  const { ticks } = made.options.scales.x;
  ticks.autoSkip = true;
  ticks.maxRotation = 0;
  ticks.callback = (at) => tick(chart.series[0].points[at]?.x ?? at, chart.x.unit);
  // Bars of a histogram stand by position in a list, so a mark on the value axis moves to the nearest bar.
  const xs = chart.series[0]?.points.map((p) => p.x) ?? [];
  const nearest = (value) => xs.reduce((best, x, n) => (Math.abs(x - value) < Math.abs(xs[best] - value) ? n : best), 0);
  made.options.plugins.marks.lines = chart.marks.map((m) => (m.axis === "x" && xs.every(Number.isFinite) ? { ...m, value: nearest(m.value) } : m));
  return made;
}

function xy(chart, theme, datasets, type) {
  const category = chart.x.scale === "category";
  return {
    type,
    data: { labels: category ? labelsOf(chart, chart.x) : undefined, datasets },
    options: options(chart, theme, {
      x: { type: category ? "category" : chart.x.scale === "log" ? "logarithmic" : "linear", ...scaleLook(theme, chart.x, category), offset: category },
      y: { type: chart.y.scale === "log" ? "logarithmic" : "linear", ...scaleLook(theme, chart.y), grace: "6%" },
      marks: chart.marks, value: chart.y, shapes: datasets.filter((d) => !d.hidden && d.label).length > 1,
    }),
    plugins: [marks, names],
  };
}

const place = (chart) => (p) => (chart.x.scale === "category" ? { x: pointName(p, chart.x), y: p.y } : { x: p.x, y: p.y });

function line(chart, theme) {
  const datasets = chart.series.map((series, n) => {
    const colour = theme.series[n % theme.series.length];
    return { label: series.name, data: series.points.map(place(chart)), points: series.points, borderColor: colour, backgroundColor: colour,
      borderWidth: 2, tension: 0, pointRadius: series.points.map((p) => (p.strong ? 5 : series.points.length > 40 ? 0 : 2)), pointHitRadius: 12 };
  });
  return xy(chart, theme, datasets, "line");
}

function scatter(chart, theme) {
  const datasets = chart.series.map((series, n) => {
    const colour = theme.series[n % theme.series.length];
    return { label: series.name, data: series.points.map(place(chart)), points: series.points, named: true,
      backgroundColor: series.points.map((p) => (p.strong ? colour : fade(colour))), borderColor: colour, borderWidth: 1.5,
      pointRadius: series.points.map((p) => (p.strong ? 6 : 4)), pointHoverRadius: 8, pointHitRadius: 10 };
  });
  return xy(chart, theme, datasets, "scatter");
}

function fan(chart, theme) {
  const at = place(chart);
  const datasets = chart.series.flatMap((series, n) => {
    const colour = theme.series[n % theme.series.length];
    const edge = (end) => ({ data: series.points.map((p) => ({ ...at(p), y: p[end] ?? p.y })), points: series.points,
      borderColor: fade(colour), backgroundColor: fade(colour), borderWidth: 1, pointRadius: 0, pointHitRadius: 0, edge: true });
    return [{ ...edge("high") }, { ...edge("low"), fill: "-1" },
      { label: series.name, data: series.points.map(at), points: series.points, borderColor: colour, backgroundColor: colour, borderWidth: 2.5, pointRadius: 2, pointHitRadius: 12 }];
  });
  return xy(chart, theme, datasets, "line");
}

function scaleLook(theme, axis, category = false) {
  return {
    title: { display: Boolean(axis.label), text: axis.unit ? `${axis.label} (${axis.unit})` : axis.label, color: theme.muted },
    grid: { color: theme.line, display: !category }, border: { color: theme.line },
    ticks: { color: theme.muted, maxRotation: 40, ...(category ? { autoSkip: false } : { callback: (v) => tick(v, axis.unit), maxTicksLimit: 7 }) },
  };
}

function tooltipText(item, chart, value) {
  const point = item.dataset.points?.[item.dataIndex];
  if (!point) return "";
  const range = point.low !== undefined || point.high !== undefined
    ? ` (${full(point.low ?? 0, value.unit)} … ${full(point.high ?? point.y, value.unit)})` : "";
  const where = point.x !== undefined && chart.x.scale !== "category" ? `${chart.x.label} ${full(point.x, chart.x.unit)}: ` : "";
  return `${point.label ? `${point.label}: ` : ""}${where}${full(point.y, value.unit)}${range}`;
}

function options(chart, theme, { x, y, indexAxis, marks: lines, value, shapes }) {
  return {
    responsive: true, maintainAspectRatio: false, indexAxis, animation: false,
    layout: { padding: { top: 18, right: 12 } },
    scales: { x, y },
    plugins: {
      legend: { display: Boolean(shapes), labels: { color: theme.muted, boxWidth: 10, boxHeight: 10, filter: (item) => Boolean(item.text) } },
      tooltip: { filter: (item) => !item.dataset.edge, displayColors: false, callbacks: { title: () => "", label: (item) => tooltipText(item, chart, value) } },
      marks: { lines, theme },
      names: { theme },
    },
  };
}

const KINDS = { waterfall, bars: plainBars, line, scatter, fan, tornado: ranges, histogram, stacked, gantt: ranges };

/** The Chart.js configuration of a declared chart; null for a kind this page does not know (its table still stands). */
export function config(chart, theme) {
  return KINDS[chart.kind]?.(chart, theme) ?? null;
}
