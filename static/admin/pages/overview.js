// Whether all is well, why not if not, and what to do; then how it has been.

import { h, keyed, show } from "../../js/h.js";
import { get } from "../api.js";
import { timeChart } from "../parts/chart.js";
import { filter } from "../parts/form.js";
import { button, page, part, tile } from "../parts/page.js";
import { loaded, pill } from "../parts/state.js";
import { table } from "../parts/table.js";
import { time } from "../parts/time.js";
import { go, link } from "../route.js";
import { CHARTS, RANGES, fromHistory, fromSnapshots, rangeOf } from "../series.js";
import { advice, healthTone, home } from "../trails.js";
import { bytes, count, ms, percent, plural, rate, sentence, span, spoken } from "../words.js";
import { acknowledge } from "./alerts.js";
import { EVENT_COLUMNS } from "./events.js";
import { firstSteps } from "./hint.js";

const EVENTS_SHOWN = 8;
const FIRING = ["firing", "acknowledged", "clearing"];

export function overview(ctx) {
  const alerts = ctx.resource((signal) => get("/admin/alerts", {}, { signal }), { every: 5_000 });
  ctx.refreshOn(alerts, "alert");
  return page("Overview", null, [], verdict(ctx, alerts), firstSteps(ctx), figures(ctx, alerts), part("Parts", parts(ctx)), charts(ctx), recent(ctx));
}

/** The first thing to read: all is well, or what is not, the worst first. */
function verdict(ctx, alerts) {
  const title = h("h2", {});
  const lead = h("p", { class: "muted" });
  const list = h("ul", { class: "troubles" });
  const element = h("section", { class: "verdict", role: "status" }, h("span", { class: "verdict-lamp", "aria-hidden": "true" }), h("div", {}, title, lead, list, h("p", {}, h("a", { href: link("alerts") }, "All checks and their limits"))));
  ctx.effect(() => {
    const snapshot = ctx.live.snapshot();
    const { data, error } = alerts.state();
    const firing = (data?.items ?? []).filter((alert) => FIRING.includes(alert.state));
    const ill = (snapshot?.components ?? []).filter((component) => component.status === "degraded" || component.status === "unhealthy");
    const troubles = [...firing.map((alert) => ({ worst: alert.severity === "critical" && alert.state === "firing", key: `a-${alert.id}-${alert.state}-${alert.why}`, node: () => alertRow(ctx, alert, () => alerts.refresh()) })),
      ...ill.map((component) => ({ worst: component.status === "unhealthy", key: `c-${component.name}-${component.status}`, node: () => illRow(component) }))].sort((a, b) => Number(b.worst) - Number(a.worst));
    const bad = snapshot?.status === "unhealthy" || firing.some((alert) => alert.severity === "critical" && alert.state === "firing");
    element.dataset.tone = !snapshot || (!data && !error) ? "idle" : bad ? "bad" : troubles.length > 0 || error ? "warn" : "good";
    title.textContent = !snapshot ? "Asking the server…" : error && !data ? "The alerts cannot be read" : troubles.length === 0 ? "All is well" : `${plural(troubles.length, "thing")} ${troubles.length === 1 ? "needs" : "need"} attention`;
    show(lead, snapshot ? `Version ${snapshot.version}, up for ${span(snapshot.uptime_ms)}.` : "", error && !data ? ` ${error.message}` : "");
    keyed(list, troubles, (trouble) => trouble.key, (trouble) => trouble.node());
  });
  return element;
}

function alertRow(ctx, alert, after) {
  const todo = advice(alert);
  return h("li", { class: "trouble", dataset: { tone: alert.severity === "critical" ? "bad" : "warn" } },
    h("div", {}, h("h3", {}, alert.title), h("p", {}, sentence(alert.why), alert.since && [" Since ", time(alert.since, "moment"), "."]), todo && h("p", { class: "muted" }, todo),
      alert.acknowledged && h("p", { class: "sub" }, `Seen by ${alert.acknowledged.by}`, " ", time(alert.acknowledged.at), alert.acknowledged.note && `: ${alert.acknowledged.note}`)),
    h("div", { class: "page-acts" }, alert.event_kinds && h("a", { class: "ghost", href: link("events", { kind: alert.event_kinds }) }, "What happened"),
      ctx.operates && alert.state === "firing" && button("Acknowledge", () => acknowledge(alert, after))));
}

const illRow = (component) => h("li", { class: "trouble", dataset: { tone: healthTone(component.status) } },
  h("div", {}, h("h3", {}, `${spoken(component.name)} is ${component.status}`), h("p", {}, component.detail)), h("div", { class: "page-acts" }, h("a", { class: "ghost", href: home(component.name) }, "Look after it")));

/** The figures of this second. One opens the events behind it where it is not zero, and is red where its alert fires. */
function figures(ctx, alerts) {
  const element = h("div", { class: "tiles", "aria-label": "Figures of this second", role: "group" });
  let known = "";
  ctx.effect(() => {
    const s = ctx.live.snapshot();
    if (!s) return;
    const fires = (id) => (alerts.state().data?.items ?? []).some((alert) => alert.id === id && FIRING.includes(alert.state));
    const toneOf = (value, id) => (value > 0 ? (fires(id) ? "bad" : "warn") : null);
    const tiles = [
      ["Connections", count(s.connections.live), "live sockets", { href: link("connections") }],
      ["Processing", `${count(s.sessions.processing)} of ${count(s.sessions.slots)}`, `${count(s.sessions.queued)} in the queue`, { href: link("sessions", { state: "live" }), tone: s.sessions.queued > s.sessions.queue_capacity / 2 ? "warn" : null }],
      ["Frames sent", `${rate(s.frames.sent_per_s)} /s`, `${rate(s.frames.acknowledged_per_s)} /s acknowledged`, {}],
      ["Pending", count(s.frames.pending), s.frames.pending > 0 ? [bytes(s.frames.pending_bytes), s.frames.oldest_pending_ms !== null && `the oldest for ${span(s.frames.oldest_pending_ms)}`].filter(Boolean).join(", ") : "everything is acknowledged", { href: link("messages") }],
      ["Acknowledged in", ms(s.ack_ms?.p95), "P95 of the last minute", {}],
      ["Errors", percent(s.error_rate), "of the sessions of 5 minutes", s.error_rate > 0 ? { href: link("events", { kind: "session" }), tone: toneOf(s.error_rate, "error_rate") } : {}],
      ["Refused", `${rate(s.refused_per_s)} /s`, "frames and messages", s.refused_per_s > 0 ? { href: link("events", { kind: "refused" }), tone: "warn" } : {}],
      ["Failed connections", percent(s.failed_connection_rate), "of 5 minutes", s.failed_connection_rate > 0 ? { href: link("events", { kind: "handshake" }), tone: toneOf(s.failed_connection_rate, "failed_connections") } : {}],
    ];
    const text = JSON.stringify(tiles);
    if (text === known) return;
    known = text;
    const held = [...element.children].indexOf(document.activeElement);
    show(element, tiles.map((one) => tile(...one)));
    element.children[held]?.focus();
  });
  return element;
}

function parts(ctx) {
  const element = h("ul", { class: "parts" });
  ctx.effect(() => {
    const components = ctx.live.snapshot()?.components;
    if (!components) return;
    keyed(element, components, (one) => one.name, (one) => h("li", {}, h("a", { href: home(one.name) }, h("span", { class: "part-name" }, spoken(one.name)), h("span", { class: "part-state" }), h("span", { class: "sub" }))));
    components.forEach((one, at) => {
      const [, state, detail] = element.children[at].firstElementChild.children;
      const text = one.status === "unknown" ? "not known" : one.status;
      if (state.textContent !== text) show(state, pill(healthTone(one.status), text));
      if (detail.textContent !== one.detail) detail.textContent = one.detail ?? "";
    });
  });
  return element;
}

function charts(ctx) {
  const range = ctx.params().range ?? "live";
  const made = CHARTS.map((chart) => ({ chart, view: ctx.keep(timeChart(chart)) }));
  const note = h("p", { class: "muted" });
  const state = { range };
  const history = ctx.resource((signal) => get("/admin/history", { series: CHARTS.flatMap(({ series }) => series.map(({ key }) => key)).join(","), range: rangeOf(state.range), points: 300 }, { signal }), { every: 15_000 });
  ctx.effect(() => {
    const wanted = ctx.params().range ?? "live";
    if (wanted === state.range) return;
    state.range = wanted;
    history.refresh();
  });
  ctx.effect(() => {
    const { data, error } = history.state();
    note.textContent = error ? `The history cannot be read. ${error.message}` : "";
    if (state.range !== "live" && data?.range === rangeOf(state.range)) made.forEach(({ chart, view }) => view.update(fromHistory(chart, data)));
  });
  /** What was before this page was opened: the history asked for this range, not for the one before. */
  const earlier = () => (history.state().data?.range === rangeOf("live") ? history.state().data : null);
  ctx.effect(() => {
    const snapshot = ctx.live.snapshot();
    if (snapshot && (ctx.params().range ?? "live") === "live") made.forEach(({ chart, view }) => view.update(fromSnapshots(chart, ctx.live.feed.snapshots, Date.now(), earlier())));
  });
  return part("Over time", h("div", { class: "filters" }, filter({ label: "Time", options: RANGES, value: range, act: (value) => go(link("overview", { range: value === "live" ? null : value }), { quiet: true }) }), note),
    h("div", { class: "charts" }, made.map(({ view }) => view.element)));
}

function recent(ctx) {
  const grid = table({ caption: "What happened last", key: (event) => event.id, columns: EVENT_COLUMNS, empty: { title: "Nothing out of the ordinary", text: "Faults, refusals and changes of state appear here as they happen." } });
  const list = ctx.resource((signal) => get("/admin/events", { limit: EVENTS_SHOWN }, { signal }), { every: 30_000 });
  ctx.refreshOn(list, "");
  return part("What happened last", loaded(ctx, list, () => ({ element: grid.element, update: ({ items }) => grid.update(items) })), h("p", {}, h("a", { href: link("events") }, "All events")));
}
