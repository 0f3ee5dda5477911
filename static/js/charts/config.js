// A declared chart → what Chart.js draws. Pure: colours come in, nothing is read from the page.

import { brief, full, tick } from "../format.js";
import { ZERO_WITHIN, around, least, roundTicks, scaleLook, spread } from "./axes.js";
import { ends, marks, names, steps, values } from "./plugins.js";

const pointName = (point, axis) => point.label ?? (point.x === undefined ? "" : full(point.x, axis.unit));
const labelsOf = (chart, axis) => [...new Set(chart.series.flatMap((s) => s.points.map((p) => pointName(p, axis))))];
const fade = (colour) => `${colour}2e`;
/** More bars than this and their numbers would lie on one another; the table has them. */
const VALUES_MAX = 16;
/** The axis that carries the values, whatever side the declaration put it on. */
function sides(chart) {
  const flat = ["tornado", "gantt"].includes(chart.kind)
    || (chart.kind === "stacked" && labelsOf(chart, chart.x).length <= 2)
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
    plugins: [marks, values, ...(more.plugins ?? [])],
  };
}

const barLook = { borderWidth: 0, borderRadius: 3, borderSkipped: false, maxBarThickness: 46, minBarLength: 2 };

function waterfall(chart, theme) {
  const { points } = chart.series[0] ?? { points: [] };
  const side = sides(chart);
  // Down and up in colours that do not judge: a step down may be a saving or a part that nobody can explain.
  const colour = (p) => (p.strong ? theme.accent : !p.low ? theme.muted : theme.series[p.y <= p.low ? 2 : 1]);
  const numbers = (spelled) => points.map((p) => (p.low ? `${p.y > p.low ? "+" : ""}${spelled(p.y - p.low, side.value.unit)}` : spelled(p.y, side.value.unit)));
  return bars(chart, theme, [{
    ...barLook, maxBarThickness: 84, label: chart.series[0]?.name, data: points.map((p) => [p.low ?? 0, p.y]), points,
    backgroundColor: points.map(colour), values: numbers(brief).map(amount), shorts: numbers(tick),
  }], side, { legend: false, plugins: [steps] });
}

function plainBars(chart, theme) {
  const many = chart.series.length > 1;
  const side = sides(chart);
  const told = chart.series.some((s) => s.points.some((p) => p.strong));
  const colour = (p, n) => (many ? theme.series[n % theme.series.length] : p.strong || !told ? theme.accent : theme.muted);
  const datasets = chart.series.map((series, n) => ({
    ...barLook, label: series.name, data: series.points.map((p) => p.y), points: series.points,
    backgroundColor: series.points.map((p) => colour(p, n)),
    values: series.points.length * chart.series.length > VALUES_MAX ? null : series.points.map((p) => amount(brief(p.y, side.value.unit))),
  }));
  return bars(chart, theme, datasets, side, { legend: many });
}

function stacked(chart, theme) {
  const at = sides(chart);
  const labels = labelsOf(chart, at.category);
  const datasets = chart.series.map((series, n) => {
    const byName = new Map(series.points.map((p) => [pointName(p, at.category), p]));
    const points = labels.map((label) => byName.get(label) ?? { y: 0 });
    return { ...barLook, borderRadius: 0, label: series.name, data: points.map((p) => p.y), points, backgroundColor: theme.series[n % theme.series.length],
      inside: true, values: points.map((p) => (p.y ? amount(brief(p.y, at.value.unit)) : "")) };
  });
  return bars(chart, theme, datasets, at, { stacked: true, legend: true });
}

function ranges(chart, theme) {
  const side = { ...sides(chart), flat: true };
  const told = (text) => (chart.kind === "tornado" ? amount(text) : null);
  const datasets = chart.series.map((series, n) => ({
    ...barLook, maxBarThickness: 22, values: series.points.map((p) => told(brief(p.high ?? p.y, side.value.unit))), lows: series.points.map((p) => told(brief(p.low ?? 0, side.value.unit))), label: series.name, points: series.points,
    data: series.points.map((p) => [p.low ?? 0, p.high ?? p.y]),
    backgroundColor: series.points.map((p) => (p.strong || chart.series.length > 1 ? theme.series[n % theme.series.length] : theme.accent)),
  }));
  const made = bars(chart, theme, datasets, side, { zero: chart.kind === "gantt", legend: chart.series.length > 1 });
  // Room for the numbers at both ends.
  if (chart.kind === "tornado") Object.assign(made.options.scales.x, spread(chart.series.flatMap((s) => s.points)));
  return made;
}

function histogram(chart, theme) {
  const made = plainBars({ ...chart, kind: "histogram" }, theme);
  for (const dataset of made.data.datasets) Object.assign(dataset, { values: null, barPercentage: 1, categoryPercentage: 0.96, maxBarThickness: 200, borderRadius: 0 });
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
  const drawn = datasets.filter((d) => d.label);
  const across = scaleLook(theme, chart.x, category);
  // The axis of a line ends with the data, its numbers stay round.
  if (type === "line" && chart.x.scale === "linear") across.afterBuildTicks = (scale) => { scale.ticks = roundTicks(scale.min, scale.max); };
  if (type === "scatter") Object.assign(across, around(chart.x, datasets));
  return {
    type,
    data: { labels: category ? labelsOf(chart, chart.x) : undefined, datasets },
    options: options(chart, theme, {
      x: { type: category ? "category" : chart.x.scale === "log" ? "logarithmic" : "linear", ...across, offset: category, bounds: type === "line" ? "data" : "ticks" },
      y: { type: chart.y.scale === "log" ? "logarithmic" : "linear", ...scaleLook(theme, chart.y), grace: "6%", min: least(chart.y, datasets, type === "scatter" ? 0.1 : ZERO_WITHIN) },
      marks: chart.marks, value: chart.y, shapes: drawn.length > 1 && !drawn.every((d) => d.end),
      roomRight: drawn.some((d) => d.end) ? 44 : 12,
    }),
    plugins: [marks, names, ends],
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

/** Three series are the edges and the middle of one fan; a series with `low` and `high` is a fan of its own. */
function fan(chart, theme) {
  const at = place(chart);
  const ranged = chart.series.some((s) => s.points.some((p) => p.low !== undefined || p.high !== undefined));
  if (chart.series.length === 3 && !ranged) {
    const [low, middle, high] = chart.series;
    const curve = (series, look) => ({ label: series.name, end: series.name, data: series.points.map(at), points: series.points,
      borderColor: theme.accent, backgroundColor: theme.accent, borderWidth: 1.25, pointRadius: 0, pointHitRadius: 12, ...look });
    return xy(chart, theme, [curve(high, {}), curve(low, { fill: "-1", backgroundColor: fade(theme.accent) }),
      curve(middle, { borderWidth: 2.75, pointRadius: middle.points.map((p) => (p.strong ? 5 : 0)) })], "line");
  }
  const datasets = chart.series.flatMap((series, n) => {
    const colour = theme.series[n % theme.series.length];
    const edge = (end) => ({ data: series.points.map((p) => ({ ...at(p), y: p[end] ?? p.y })), points: series.points,
      borderColor: fade(colour), backgroundColor: fade(colour), borderWidth: 1, pointRadius: 0, pointHitRadius: 0, edge: true });
    return [{ ...edge("high") }, { ...edge("low"), fill: "-1" },
      { label: series.name, data: series.points.map(at), points: series.points, borderColor: colour, backgroundColor: colour, borderWidth: 2.5, pointRadius: 2, pointHitRadius: 12 }];
  });
  return xy(chart, theme, datasets, "line");
}

/** The number beside a bar: the axis says what it is counted by. */
const amount = (text) => (text.includes("$") ? text.split(" / ")[0] : text);

function tooltipText(item, chart, value) {
  const point = item.dataset.points?.[item.dataIndex];
  if (!point) return "";
  const range = point.low !== undefined || point.high !== undefined
    ? ` (${full(point.low ?? 0, value.unit)} … ${full(point.high ?? point.y, value.unit)})` : "";
  const where = point.x !== undefined && chart.x.scale !== "category" ? `${chart.x.label} ${full(point.x, chart.x.unit)}: ` : "";
  return `${point.label ? `${point.label}: ` : ""}${where}${full(point.y, value.unit)}${range}`;
}

function options(chart, theme, { x, y, indexAxis, marks: lines, value, shapes, roomRight = 12 }) {
  return {
    responsive: true, maintainAspectRatio: false, indexAxis, animation: false,
    // Room for the labels of marks above, and for numbers and names at the right.
    layout: { padding: { top: 20, right: indexAxis === "y" ? 56 : roomRight } },
    scales: { x, y },
    plugins: {
      legend: { display: Boolean(shapes), labels: { color: theme.muted, boxWidth: 10, boxHeight: 10, filter: (item) => Boolean(item.text) } },
      tooltip: { filter: (item) => !item.dataset.edge, displayColors: false, callbacks: { title: () => "", label: (item) => tooltipText(item, chart, value) } },
      marks: { lines, theme },
      names: { theme },
      values: { theme },
      steps: { theme },
      ends: { theme },
    },
  };
}

const KINDS = { waterfall, bars: plainBars, line, scatter, fan, tornado: ranges, histogram, stacked, gantt: ranges };

/** The Chart.js configuration of a declared chart; null for a kind this page does not know (its table still stands). */
export function config(chart, theme) {
  return KINDS[chart.kind]?.(chart, theme) ?? null;
}
