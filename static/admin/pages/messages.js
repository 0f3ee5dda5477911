// What is owed to visitors: frames that are stored and not yet acknowledged.

import { h, show } from "../../js/h.js";
import { get, post } from "../api.js";
import { ask, facts } from "../parts/dialog.js";
import { field } from "../parts/form.js";
import { list } from "../parts/list.js";
import { button, page } from "../parts/page.js";
import { pill } from "../parts/state.js";
import { rowAct, table } from "../parts/table.js";
import { time } from "../parts/time.js";
import { perform } from "../parts/toast.js";
import { link } from "../route.js";
import { bytes, count, plural, short, spoken } from "../words.js";

const pending = (user) => `/example-messages/pending-messages/${encodeURIComponent(user)}`;

export function messages(ctx) {
  return ctx.id ? ofVisitor(ctx, ctx.id) : everybody(ctx);
}

function everybody(ctx) {
  const shown = list(ctx, {
    name: "messages", path: "/admin/messages", noun: "visitors", query: () => ({}),
    grid: () => table({ caption: "Visitors with pending frames", key: (one) => one.user_id, columns: [
      { name: "Visitor", cell: (one) => h("a", { href: link("messages", { id: one.user_id }), title: one.user_id }, short(one.user_id, 26)) },
      { name: "Pending", numeric: true, cell: (one) => count(one.pending_count) },
      { name: "Size", numeric: true, cell: (one) => bytes(one.pending_bytes) },
      { name: "Owed since", cell: (one) => [time(one.oldest_at), h("span", { class: "sub" }, `from #${one.oldest_sequence}`)] },
      { name: "Attempts", numeric: true, cell: (one) => count(one.attempts) },
      { name: "Visitor is", cell: (one) => (one.connections > 0 ? pill("good", "connected") : pill("idle", "away")) },
    ], empty: { title: "Nothing is pending", text: "Every frame that was stored has been acknowledged." } }),
  });
  return page("Messages", "Frames that are stored and not yet acknowledged, by visitor. They stay until they are, or expire after the configured time.", [], shown.element);
}

function ofVisitor(ctx, user) {
  const after = () => shown.resource.refresh();
  const shown = list(ctx, {
    name: "messages", path: pending(user), noun: "frames", query: () => ({}), rows: (told) => told.pending_messages,
    grid: () => {
      let here = false;
      const how = (one) => (one.state !== "sending" ? pill("idle", "Not sent yet") : here ? pill("busy", "Sent, not acknowledged") : pill("idle", "Sent before, visitor away"));
      const summary = h("div", {});
      const grid = table({ caption: `Pending frames of ${user}`, key: (one) => one.sequence, tone: (one) => (one.attempts > 1 ? "warn" : null), columns: [
        { name: "Sequence", numeric: true, cell: (one) => count(one.sequence) },
        { name: "Type", cell: (one) => spoken(one.type) },
        { name: "Stored", cell: (one) => time(one.created_at) },
        { name: "Size", numeric: true, cell: (one) => bytes(one.bytes) },
        { name: "Attempts", numeric: true, cell: (one) => count(one.attempts) },
        { name: "State", cell: (one) => how(one) },
        { name: "Session", cell: (one) => (one.session_id ? h("a", { href: link("sessions", { id: one.session_id }) }, short(one.session_id, 18)) : "") },
        { name: "Acts", acts: true, cell: (one) => (ctx.operates ? rowAct("Drop up to here", String(one.sequence), () => drop(user, one, after)) : "") },
      ], empty: { title: "Nothing is pending", text: "This visitor has acknowledged every frame." } });
      const update = (rows, told) => {
        here = told.connections.length > 0;
        show(summary, facts([["Pending", `${plural(told.pending_count, "frame")}, ${bytes(told.pending_bytes)}`], ["Acknowledged up to", `#${told.acknowledged_sequence}`], ["Last", `#${told.last_sequence}`], ["Expired", count(told.expired_frames)],
          ["Connections", told.connections.length > 0 ? h("a", { href: link("connections", { visitor: user }) }, count(told.connections.length)) : "0"]]));
        grid.update(rows.map((one) => ({ ...one, here })));
      };
      return { element: h("div", { class: "stack" }, summary, grid.element), update };
    },
  });
  const again = () => perform(() => post(`/admin/messages/${encodeURIComponent(user)}/send-again`), { after,
    done: (told) => (told.connections > 0 ? `${plural(told.pending_count, "frame")} sent again, on ${plural(told.connections, "connection")}.` : "This visitor is away: they are sent when it comes back.") });
  return page(`Messages of ${short(user, 30)}`, "Oldest first: the order in which they are owed.", [
    h("a", { class: "ghost", href: link("messages") }, "All visitors"),
    ctx.operates && button("Send again now", again)], shown.element);
}

async function drop(user, one, after) {
  const values = await ask({ title: "Drop pending frames?", act: "Drop them", danger: true,
    text: "The visitor is told of the gap and starts over from what is left. The frames are gone for good; the reason is kept in the audit.",
    preview: async () => {
      const { pending_messages: items, pending_count: all } = await get(pending(user), { limit: 200 });
      const going = items.filter((frame) => frame.sequence <= one.sequence);
      return facts([["Visitor", user], ["These go", `${plural(going.length, "frame")}: ${going[0]?.sequence ?? one.sequence} to ${one.sequence}`], ["These stay", count(Math.max(0, (all ?? items.length) - going.length))],
        ["Of kinds", [...new Set(going.map((frame) => spoken(frame.type)))].join(", ")]]);
    },
    fields: [field({ name: "reason", label: "Reason", required: true, maxlength: 200, hint: "Kept in the audit; the visitor's page is told it too." })] });
  if (values) await perform(() => post(`/admin/messages/${encodeURIComponent(user)}/drop`, { through: one.sequence, reason: values.reason }), { done: (told) => `${plural(told.dropped, "frame")} dropped; the gap is recorded.`, after });
}
