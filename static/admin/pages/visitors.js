// Who visits: what is kept of each, revoking a credential, and cleaning up with a way back.

import { h } from "../../js/h.js";
import { get, post } from "../api.js";
import { ask, facts } from "../parts/dialog.js";
import { field, filter } from "../parts/form.js";
import { list } from "../parts/list.js";
import { filters, page } from "../parts/page.js";
import { pill } from "../parts/state.js";
import { rowAct, table } from "../parts/table.js";
import { time } from "../parts/time.js";
import { perform } from "../parts/toast.js";
import { link } from "../route.js";
import { bytes, count, moment, plural, short, span } from "../words.js";

const cleanup = (user, more = "") => `/example-messages/cleanup/${encodeURIComponent(user)}${more}`;

export function visitors(ctx) {
  const after = () => shown.resource.refresh();
  const shown = list(ctx, {
    name: "visitors", path: "/admin/visitors", noun: "visitors", query: ({ text }) => ({ text }), kinds: ["cleanup", "visitor"],
    grid: () => table({ caption: "Visitors", key: (one) => one.user_id, columns: columns(ctx, after),
      empty: { title: "No visitor", text: "Nobody has opened the demo page yet, or none fits the filter." } }),
  });
  return page("Visitors", "Everyone who has opened the demo page, as the store knows them.", [],
    filters(filter({ label: "Find", value: ctx.params().text, placeholder: "a part of the id", act: (text) => shown.choose({ text }) })),
    shown.element);
}

const columns = (ctx, after) => [
  { name: "Visitor", cell: (one) => h("span", { title: one.user_id }, short(one.user_id, 26)) },
  { name: "State", cell: (one) => (one.revoked_at ? pill("bad", "revoked") : one.connections > 0 ? pill("good", "here") : pill("idle", "away")) },
  { name: "Last seen", cell: (one) => time(one.last_seen) },
  { name: "Sessions", numeric: true, cell: (one) => (one.sessions > 0 ? [h("a", { href: link("sessions", { visitor: one.user_id }) }, count(one.sessions)), one.running_sessions > 0 && h("span", { class: "sub" }, `${one.running_sessions} running`)] : "0") },
  { name: "Pending", numeric: true, cell: (one) => (one.pending_count > 0 ? h("a", { href: link("messages", { id: one.user_id }) }, count(one.pending_count)) : "0") },
  { name: "Sockets", numeric: true, cell: (one) => (one.connections > 0 ? h("a", { href: link("connections", { visitor: one.user_id }) }, count(one.connections)) : "0") },
  { name: "Expired", numeric: true, cell: (one) => count(one.expired_frames) },
  { name: "Acts", acts: true, cell: (one) => (ctx.operates ? h("span", { class: "acts-row" }, rowAct("Revoke", one.user_id, () => revoke(one, after)), rowAct("Clean up", one.user_id, () => cleanUp(one.user_id, after)), one.undo_until && rowAct("Undo clean-up", one.user_id, () => undo(one.user_id, after))) : "") },
];

/** What a clean-up takes, or took: the same six figures before and after. */
const six = (one) => [["Sessions", count(one.sessions)], ["Of them running", count(one.running_sessions)], ["Questions", count(one.messages)], ["Frames", count(one.frames)], ["Of them not acknowledged", count(one.pending_frames)], ["Size", bytes(one.bytes)]];
const removed = (told) => `${plural(told.sessions, "session")}, ${plural(told.frames, "frame")}`;

async function revoke(one, after) {
  const sure = await ask({ title: "Revoke this visitor's credential?", act: "Revoke", danger: true,
    text: "Every token of this visitor stops working at once and its sockets are closed. What is stored stays. This cannot be undone: the visitor comes back as a new one.",
    preview: async () => facts([["Visitor", one.user_id], ["Sockets that close", count(one.connections)], ["Frames that stay pending", count(one.pending_count)]]) });
  if (sure) await perform(() => post(`/admin/visitors/${encodeURIComponent(one.user_id)}/revoke`), { done: (told) => `Revoked: this visitor's tokens no longer work; ${plural(told.closed_connections, "socket")} closed.`, after });
}

async function cleanUp(user, after) {
  const values = await ask({ title: "Clean up this visitor?", act: "Clean up", danger: true,
    text: "Running answers are stopped; sessions and frames are removed together, sockets are closed, and a new epoch begins.",
    preview: async () => {
      const { would_remove: goes, connections, undo_possible: possible, undo_window_ms: window } = await get(cleanup(user));
      return [facts([["Visitor", user], ...six(goes), ["Sockets that close", count(connections)]]),
        possible ? h("p", { class: "muted" }, `For ${span(window)} it can be undone.`) : h("p", { class: "notice bad" }, "This is too much to be kept: it cannot be undone.")];
    },
    fields: [field({ name: "reason", label: "Reason (optional)", maxlength: 200, hint: "Kept in the audit." })] });
  if (!values) return;
  await perform(() => post(cleanup(user), values.reason ? { reason: values.reason } : {}), {
    done: (told) => `Cleaned up: ${removed(told.removed)}.${told.undo ? ` It can be undone until ${moment(told.undo.until)}.` : ""}`,
    undo: (told) => told.undo && (() => post(cleanup(user, "/undo"))), until: (told) => (told.undo ? Date.parse(told.undo.until) : null), after });
}

/** Also after a reload of this page, or by another administrator. */
async function undo(user, after) {
  const sure = await ask({ title: "Take the clean-up back?", act: "Undo clean-up", text: "What was removed is put back, in a new epoch: the visitor's page draws everything again, and what was running is run again.",
    preview: async () => {
      const { undo: kept } = await get(cleanup(user));
      if (!kept) throw new Error("There is nothing to undo any more: the time is over.");
      return facts([["Visitor", user], ["Cleaned up", time(kept.removed_at)], ...six(kept.removed), ["Possible", time(kept.until, "until")]]);
    } });
  if (sure) await perform(() => post(cleanup(user, "/undo")), { done: (told) => `Undone: ${removed(told.restored)} are back.`, after });
}
