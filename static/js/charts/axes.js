// The axes of a chart: where they begin and end, their numbers and names. Pure.

import { spell, tick } from "../format.js";

/** The largest part of the height that may stay empty below the data before the axis begins at 0. */
export const ZERO_WITHIN = 0.5;

/** Where an axis begins: at 0 unless that would waste the height, and never below it for what cannot be negative. */
export function least(axis, datasets, within) {
  const ys = datasets.flatMap((d) => d.data.map((p) => p.y)).filter(Number.isFinite);
  const low = Math.min(...ys);
  return axis.scale !== "log" && low >= 0 && low <= within * Math.max(...ys) ? 0 : undefined;
}

const TICKS = 7;
/** Multiples of 1, 2 or 5 times a power of ten between two values, at most seven or so. */
export function roundTicks(min, max) {
  const rough = (max - min) / TICKS;
  if (!(rough > 0)) return [{ value: min }];
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((n) => n * power >= rough);
  const first = Math.ceil(min / step - 1e-9);
  return Array.from({ length: Math.floor(max / step + 1e-9) - first + 1 }, (_, n) => ({ value: Number(((first + n) * step).toPrecision(12)) }));
}

/** The same for a logarithmic axis: 1, 2 and 5 of each decade, or the decades where there are many. */
export function decadeTicks(min, max) {
  const [from, to] = [Math.floor(Math.log10(min)), Math.ceil(Math.log10(max))];
  const heads = to - from > 4 ? [1] : [1, 2, 5];
  return Array.from({ length: to - from + 1 }, (_, n) => heads.map((head) => Number((head * 10 ** (from + n)).toPrecision(12)))).flat()
    .filter((value) => value >= min && value <= max).map((value) => ({ value }));
}

/** Air beside the outermost points, so that none stands on the edge. */
export function around(axis, datasets) {
  const xs = datasets.flatMap((d) => d.data.map((p) => p.x)).filter(Number.isFinite);
  if (axis.scale !== "log") return { grace: "8%" };
  return { min: Math.min(...xs) / 1.25, max: Math.max(...xs) * 1.25, afterBuildTicks: (scale) => { scale.ticks = decadeTicks(scale.min, scale.max); } };
}

/** Room at both ends of ranges for the numbers that stand there. */
export function spread(points) {
  const low = Math.min(...points.map((p) => p.low ?? 0));
  const high = Math.max(...points.map((p) => p.high ?? p.y));
  const air = (high - low) * 0.22;
  return { min: low < 0 ? low - air : Math.max(0, low - air), max: high + air, afterBuildTicks: (scale) => { scale.ticks = roundTicks(scale.min, scale.max); } };
}

/** On a chart narrower than this, names are broken into shorter lines. */
const NARROW = 420;

/** A name in lines of `most` letters or so; a word is never broken. */
export function lines(name, most) {
  const out = [];
  for (const word of name.split(" ")) {
    if (out.length > 0 && out.at(-1).length + 1 + word.length <= most) out[out.length - 1] += ` ${word}`;
    else out.push(word);
  }
  return out;
}

function nameTick(value) {
  return lines(this.getLabelForValue(value), this.chart.width < NARROW ? 16 : 30);
}

/** How an axis looks and is named; `category` is one of names instead of numbers. */
export function scaleLook(theme, axis, category = false) {
  return {
    // The names under bars say what they are; a title over them would only repeat it.
    title: { display: Boolean(axis.label) && !category, text: titleOf(axis), color: theme.muted },
    grid: { color: theme.line, display: !category }, border: { color: theme.line },
    ticks: { color: theme.muted, maxRotation: 40, ...(category ? { autoSkip: false, callback: nameTick } : { callback: (v) => tick(v, axis.unit), maxTicksLimit: 7 }) },
  };
}

/** `Slots (slots)` and `Cost a month ($ / month)` say it twice. */
function titleOf({ label, unit }) {
  const said = spell(unit ?? "");
  const words = said.toLowerCase().replace(/[$/]/g, " ").split(/\s+/).filter(Boolean);
  const known = label.toLowerCase();
  return words.every((word) => known.includes(word.length > 2 ? word.replace(/s$/, "") : ` ${word} `)) ? label : `${label} (${said})`;
}
