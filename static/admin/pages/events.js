// What happened, newest first, live: the page behind every red number.

import { h } from "../../js/h.js";
import { filter } from "../parts/form.js";
import { filters, page } from "../parts/page.js";
import { list } from "../parts/list.js";
import { pill } from "../parts/state.js";
import { table } from "../parts/table.js";
import { time } from "../parts/time.js";
import { toneOf, trail } from "../trails.js";
import { spoken } from "../words.js";

const KINDS = [["", "Everything"], ["session", "Sessions"], ["breaker", "Breakers"], ["alert", "Alerts"], ["connection", "Connections"], ["refused", "Refusals"], ["rate_limited", "Rate limits"], ["handshake", "Handshakes"], ["agent", "Agents"], ["frames", "Frames"], ["store", "Store"], ["check", "Checks"], ["webhook", "Webhook"], ["cleanup", "Clean-up rounds"]];
const SEVERITIES = [["", "Any"], ["error", "Errors"], ["warning", "Warnings"], ["info", "Information"]];

/** Columns of a list of events, here and on the overview. */
export const EVENT_COLUMNS = [
  { name: "When", cell: (event) => time(event.at) },
  { name: "What", wide: true, cell: (event) => [pill(toneOf(event.severity), spoken(event.kind.replaceAll(".", " "))), " ", h("span", {}, event.message)] },
  { name: "Code", cell: (event) => (event.code ? h("code", {}, event.code) : "") },
  { name: "Leads to", cell: (event) => h("span", { class: "links" }, trail(event).map(({ text, href }) => h("a", { href }, text))) },
];

export function events(ctx) {
  const { kind, severity, visitor } = ctx.params();
  const shown = list(ctx, {
    name: "events", path: "/admin/events", noun: "events", every: 10_000, kinds: [""], cursor: "before",
    query: (params) => ({ kind: params.kind, severity: params.severity, visitor: params.visitor }),
    grid: () => table({ caption: "Events", key: (event) => event.id, columns: EVENT_COLUMNS, empty: { title: "Nothing happened", text: "No event of this kind since the server started." } }),
  });
  return page("Events", "What happened, newest first. The last few thousand are kept in memory; changes by people are kept in the audit.", [],
    filters(filter({ label: "Kind", options: KINDS, value: kind, act: (value) => shown.choose({ kind: value }) }),
      filter({ label: "Severity", options: SEVERITIES, value: severity, act: (value) => shown.choose({ severity: value }) }),
      filter({ label: "Visitor", value: visitor, placeholder: "a visitor's id", act: (value) => shown.choose({ visitor: value }) })),
    shown.element);
}
