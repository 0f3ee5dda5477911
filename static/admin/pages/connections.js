// Every live socket: whose, since when, what is under way on it.

import { h } from "../../js/h.js";
import { post } from "../api.js";
import { ask, facts } from "../parts/dialog.js";
import { filter } from "../parts/form.js";
import { list } from "../parts/list.js";
import { filters, page } from "../parts/page.js";
import { pill } from "../parts/state.js";
import { rowAct, table } from "../parts/table.js";
import { time } from "../parts/time.js";
import { perform } from "../parts/toast.js";
import { link } from "../route.js";
import { bytes, count, short, spoken } from "../words.js";

const TONES = { open: "good", draining: "warn" };

export function connections(ctx) {
  const shown = list(ctx, {
    name: "connections", path: "/admin/connections", noun: "connections", kinds: ["connection"],
    query: ({ visitor }) => ({ visitor }),
    grid: () => table({ caption: "Live connections", key: (one) => one.connection_id, columns: columns(ctx, () => shown.resource.refresh()),
      tone: (one) => (one.errors > 0 ? "warn" : null),
      empty: { title: "No connection", text: "Nobody has the demo page open, or none fits the filter." } }),
  });
  return page("Connections", "One line a live socket. Closing one loses nothing: what it was owed stays pending.", [],
    filters(filter({ label: "Visitor", value: ctx.params().visitor, placeholder: "a visitor's id", act: (visitor) => shown.choose({ visitor }) })), shown.element);
}

const columns = (ctx, after) => [
  { name: "Visitor", cell: (one) => [h("a", { href: link("visitors", { text: one.user_id }), title: one.user_id }, short(one.user_id, 22)), h("span", { class: "sub" }, one.connection_id)] },
  { name: "State", cell: (one) => pill(TONES[one.status] ?? "idle", spoken(one.status)) },
  { name: "Connected", cell: (one) => time(one.connected_at) },
  { name: "Last heard", cell: (one) => time(one.last_activity) },
  { name: "In flight", numeric: true, cell: (one) => count(one.in_flight) },
  { name: "In / out", numeric: true, cell: (one) => `${bytes(one.bytes_in)} / ${bytes(one.bytes_out)}` },
  { name: "Errors", numeric: true, cell: (one) => (one.errors > 0 ? h("a", { class: "red", href: link("events", { kind: "refused", visitor: one.user_id }) }, count(one.errors)) : "0") },
  { name: "From", wide: true, cell: (one) => [one.address, h("span", { class: "sub", title: one.user_agent ?? "" }, short(one.user_agent ?? "no client named", 60))] },
  { name: "Acts", acts: true, cell: (one) => (ctx.operates ? rowAct("Close", one.connection_id, () => close(one, after)) : "") },
];

async function close(one, after) {
  const sure = await ask({ title: "Close this connection?", act: "Close it", danger: true,
    text: "The page is told that an administrator closed it and does not come back by itself; its visitor can connect again. Nothing is lost: what is in flight stays pending.",
    preview: async () => facts([["Visitor", one.user_id], ["Connection", one.connection_id], ["From", one.address], ["In flight", count(one.in_flight)]]) });
  if (sure) await perform(() => post(`/admin/connections/${encodeURIComponent(one.connection_id)}/close`), { done: () => "The connection is closed.", after });
}
