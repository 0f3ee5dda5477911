// The charts of the overview: which series of the history, and the same figures in a live snapshot. Pure.

import { bytes, count, ms, rate } from "./words.js";

const percentiles = (of) => ["p50", "p95", "p99"].map((p) => ({ key: `${of}_${p}_ms`, name: p.toUpperCase(), live: (s) => s[`${of}_ms`]?.[p] }));

export const CHARTS = [
  { title: "Connections", say: count, series: [{ key: "connections", name: "Live", live: (s) => s.connections?.live }] },
  { title: "Frames a second", say: rate, series: [{ key: "frames_sent_per_s", name: "Sent", live: (s) => s.frames?.sent_per_s }, { key: "frames_acknowledged_per_s", name: "Acknowledged", live: (s) => s.frames?.acknowledged_per_s }] },
  { title: "Time to acknowledgement", say: ms, series: percentiles("ack") },
  { title: "Processing time", say: ms, series: percentiles("processing") },
  { title: "Work", say: count, series: [{ key: "processing", name: "Processing", live: (s) => s.sessions?.processing }, { key: "queued", name: "Queued", live: (s) => s.sessions?.queued }] },
  { title: "Commits a second", say: rate, series: [{ key: "commits_per_s", name: "Commits", live: (s) => s.commits_per_s }] },
  { title: "Memory", say: bytes, series: [{ key: "memory_bytes", name: "Resident", live: (s) => s.memory_bytes }] },
  { title: "Disk", say: bytes, series: [{ key: "disk_bytes", name: "Store", live: (s) => s.disk_bytes }] },
];

export const RANGES = [["live", "5 minutes, live"], ["1h", "1 hour"], ["24h", "24 hours"], ["7d", "7 days"], ["30d", "30 days"]];
const LIVE_MS = 300_000;
/** What the server is asked for: the live chart begins with what was before the page was opened. */
export const rangeOf = (range) => (range !== "live" && RANGES.some(([known]) => known === range) ? range : "5m");

/** One chart's data out of live snapshots, and before the first of them out of the history, where that is known. */
export function fromSnapshots(chart, snapshots, now, history = null) {
  const from = now - LIVE_MS;
  const first = snapshots[0]?.now ?? now;
  const earlier = history ? fromHistory(chart, history).points : {};
  const points = Object.fromEntries(chart.series.map(({ key, live }) => [key, [...(earlier[key] ?? []).filter(({ x }) => x >= from && x < first),
    ...snapshots.map(({ now: x, snapshot }) => ({ x, y: live(snapshot) ?? null }))]]));
  return { points, from, to: now, gapMs: history ? history.step_ms * 2.5 : 5_000 };
}

/** One chart's data out of the history, or null where the server keeps none of it. */
export function fromHistory(chart, history) {
  const points = Object.fromEntries(chart.series.map(({ key }) => [key, (history.series[key] ?? []).map(([at, mean, max]) => ({ x: Date.parse(at), y: mean, max }))]));
  return { points, from: Date.parse(history.from), to: Date.parse(history.to), gapMs: history.step_ms * 2.5 };
}
