// Every check with its limit, also those that are quiet: what was measured, since when, what to do; and who is told.

import { h, show } from "../../js/h.js";
import { get, post } from "../api.js";
import { ask } from "../parts/dialog.js";
import { field } from "../parts/form.js";
import { button, page, part } from "../parts/page.js";
import { loaded, nothing, pill } from "../parts/state.js";
import { rowAct, table } from "../parts/table.js";
import { time } from "../parts/time.js";
import { perform } from "../parts/toast.js";
import { link } from "../route.js";
import { advice } from "../trails.js";
import { bytes, ms, percent, plural, rate, sentence, spoken } from "../words.js";

const TONES = { ok: "good", pending: "warn", firing: "bad", acknowledged: "warn", clearing: "warn" };
const UNITS = { share: percent, ms, bytes, days: (value) => (value === null ? "–" : `${rate(value)} d`) };
const inUnit = (value, unit) => (UNITS[unit] ?? rate)(value);

/** It has or it has not: there is no limit to be beyond. */
const isFact = (one) => one.id === "store_failed";

export function alerts(ctx) {
  const all = ctx.resource((signal) => get("/admin/alerts", {}, { signal }), { every: 5_000 });
  ctx.refreshOn(all, "alert");
  ctx.refreshOn(all, "webhook");
  return page("Alerts", "Each figure is looked at every five seconds. An alert fires once its figure was beyond the limit for a while, and is over once it was well within it for a while.", [
    h("a", { class: "ghost", href: link("events", { kind: "alert" }) }, "What fired and when")],
  loaded(ctx, all, () => {
    const grid = table({ caption: "Checks", key: (one) => one.id, columns: columns(ctx, () => all.refresh()), empty: { title: "No check", text: "" } });
    const hook = h("div", { class: "webhook" });
    let known = null;
    return { element: h("div", {}, grid.element, part("Who is told", hook)), update: ({ items, webhook }) => {
      grid.update(items);
      const text = JSON.stringify(webhook);
      if (text !== known) show(hook, webhookNote(ctx, webhook));
      known = text;
    } };
  }));
}

const columns = (ctx, after) => [
  { name: "Check", wide: true, cell: (one) => [one.title, one.why && h("span", { class: "sub" }, sentence(one.why)), one.state !== "ok" && advice(one) && h("span", { class: "sub" }, advice(one)),
    one.acknowledged && h("span", { class: "sub" }, `Seen by ${one.acknowledged.by}`, " ", time(one.acknowledged.at), one.acknowledged.note && `: ${one.acknowledged.note}`),
    one.check_error && h("span", { class: "sub red" }, `could not be checked: ${one.check_error}`)] },
  { name: "State", cell: (one) => [pill(TONES[one.state] ?? "idle", spoken(one.state)), one.since && h("span", { class: "sub" }, "since ", time(one.since, "moment"))] },
  { name: "Now", numeric: true, cell: (one) => (isFact(one) ? (one.value ? "yes" : "no") : inUnit(one.value, one.unit)) },
  { name: "Limit", numeric: true, cell: (one) => (isFact(one) ? "–" : inUnit(one.threshold, one.unit)) },
  { name: "Over at", numeric: true, cell: (one) => (isFact(one) ? "–" : inUnit(one.clears_at, one.unit)) },
  { name: "Last fired", cell: (one) => time(one.last_fired) },
  { name: "Acts", acts: true, cell: (one) => h("span", { class: "acts-row" },
    one.event_kinds && h("a", { class: "ghost small", href: link("events", { kind: one.event_kinds }), "aria-label": `Events: ${one.title}` }, "Events"),
    ctx.operates && one.state === "firing" && rowAct("Acknowledge", one.title, () => acknowledge(one, after))) },
];

/** Says that one knows of it; asks for a note. */
export async function acknowledge(alert, after) {
  const values = await ask({ title: "Acknowledge this alert?", act: "Acknowledge", text: "It stays in view until its cause is gone, and everybody sees that you know of it.",
    fields: [field({ name: "note", label: "Note (optional)", maxlength: 200 })] });
  if (values) await perform(() => post(`/admin/alerts/${encodeURIComponent(alert.id)}/acknowledge`, values.note ? { note: values.note } : {}), { done: () => "Acknowledged.", after });
}

function webhookNote(ctx, webhook) {
  if (!webhook?.enabled) return nothing("No webhook", "Set alerts.webhook_url in the configuration to have alerts sent somewhere.");
  const { last, waiting, dropped } = webhook;
  return [h("p", {}, "Alerts are sent to ", h("code", {}, webhook.url), last && [". Last: ", pill(last.ok ? "good" : "bad", last.message), " ", time(last.at)]),
    (waiting > 0 || dropped > 0) && h("p", { class: "muted" }, `${plural(waiting, "change")} waiting; ${plural(dropped, "change")} not sent, because the receiver was too slow.`),
    ctx.operates && button("Send a test", () => perform(sendTest, { done: (told) => `The receiver took it: ${told.status} in ${ms(told.took_ms)}.` }))];
}

async function sendTest() {
  const told = await post("/admin/alerts/webhook/test");
  if (!told.ok) throw new Error(`The receiver did not take it: ${told.message}`);
  return told;
}
