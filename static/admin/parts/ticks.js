// The axis of time: round times, and gaps where nobody measured. Pure.

const S = 1_000;
const M = 60 * S;
const H = 60 * M;
const D = 24 * H;
const STEPS = [10 * S, 30 * S, M, 2 * M, 5 * M, 10 * M, 15 * M, 30 * M, H, 2 * H, 3 * H, 6 * H, 12 * H, D, 2 * D, 5 * D, 7 * D, 14 * D];

/** Round times between two, at most `most`; days begin at the reader's midnight. */
export function timeTicks(min, max, most = 6, offsetMs = -new Date(max).getTimezoneOffset() * M) {
  const step = STEPS.find((size) => (max - min) / size <= most) ?? STEPS.at(-1);
  const first = Math.ceil((min + offsetMs) / step) * step - offsetMs;
  return Array.from({ length: Math.max(0, Math.floor((max - first) / step) + 1) }, (_, n) => ({ value: first + n * step }));
}

/** What stands under a tick: seconds, minutes or days, as the distance of the ticks has it. */
export function timeLabel(value, width) {
  const date = new Date(value);
  if (width > 2 * D) return date.toLocaleDateString("en-GB", { day: "numeric", month: "short" });
  const parts = { hour: "2-digit", minute: "2-digit", ...(width < 5 * M ? { second: "2-digit" } : {}) };
  return date.toLocaleTimeString("en-GB", parts);
}

/** A point without a value wherever two are further apart than `gapMs`: a line is not drawn over what was not measured. */
export function withGaps(points, gapMs) {
  const out = [];
  for (const point of points) {
    const last = out.at(-1);
    if (last && gapMs && point.x - last.x > gapMs) out.push({ x: last.x + gapMs, y: null });
    out.push(point);
  }
  return out;
}

/** Where a scale of bytes is marked: at round numbers of KiB, MiB or GiB. */
export function byteTicks(max, most = 5) {
  let step = 1;
  while (max / step > most) step *= 2;
  return Array.from({ length: Math.floor(max / step) + 1 }, (_, n) => ({ value: n * step }));
}

/** At most `most` rows, evenly taken, the newest first and always among them. */
export function thinned(rows, most) {
  const step = Math.max(1, Math.ceil(rows.length / most));
  return rows.filter((_, at) => (rows.length - 1 - at) % step === 0).reverse();
}
