// Copies of everything: make one, see that it can be read back, keep it elsewhere.

import { h, show } from "../../js/h.js";
import { address, get, post } from "../api.js";
import { facts } from "../parts/dialog.js";
import { main, page, part } from "../parts/page.js";
import { loaded, pill } from "../parts/state.js";
import { rowAct, table } from "../parts/table.js";
import { time } from "../parts/time.js";
import { upgrades } from "../parts/upgrades.js";
import { perform } from "../parts/toast.js";
import { bytes, plural, span } from "../words.js";

const ROOT = "/example-messages/backups";
/** A large store takes its time to be written or read through. */
const LONG_MS = 120_000;

export function backups(ctx) {
  const all = ctx.resource((signal) => get(ROOT, {}, { signal }), { every: 15_000 });
  const after = () => all.refresh();
  const make = async (event) => {
    const { currentTarget: pressed } = event;
    pressed.disabled = true;
    await perform(() => post(ROOT, {}, { timeout: LONG_MS }), { done: (told) => `The backup ${told.name} is made: ${bytes(told.bytes)}.`, after });
    pressed.disabled = false;
  };
  return page("Backups", "A consistent copy of everything, made while serving. Prove that it can be read back, and keep one elsewhere.", [ctx.operates && main("Make a backup now", make)],
    loaded(ctx, all, () => {
      const schedule = h("div", {});
      const grid = table({ caption: "Backups", key: (one) => one.name, columns: columns(ctx, after), empty: { title: "No backup yet", text: "Make one now, or set a schedule: [backup] every, keep and directory in the configuration." } });
      return { element: h("div", {}, schedule, part("Kept here", grid.element), restore(), upgrades(ctx)), update: (told) => { show(schedule, scheduled(told.schedule)); grid.update(told.items); } };
    }));
}

function scheduled(plan) {
  if (!plan?.every_ms) return h("p", { class: "notice" }, "No schedule: backups are made by hand only. Set backup.every in the configuration.");
  return facts([["Made every", span(plan.every_ms)], ["Kept", plan.keep ? plural(plan.keep, "backup") : null], ["In", plan.directory ? h("code", {}, plan.directory) : null], ["Last", plan.last_success_at ? time(plan.last_success_at) : "never"], ["Next", plan.next_at ? time(plan.next_at, "until") : null]]);
}

const columns = (ctx, after) => [
  { name: "File", wide: true, cell: (one) => h("code", {}, one.name) },
  { name: "Made", cell: (one) => time(one.created_at) },
  { name: "Size", numeric: true, cell: (one) => bytes(one.bytes) },
  { name: "Read back", cell: (one) => (one.verified_at ? [pill(one.ok === false ? "bad" : "good", one.ok === false ? "damaged" : "proven"), " ", time(one.verified_at)] : pill("idle", "not yet")) },
  { name: "Acts", acts: true, cell: (one) => h("span", { class: "acts-row" },
    h("a", { class: "ghost small", href: address(`${ROOT}/${encodeURIComponent(one.name)}`), download: one.name, "aria-label": `Download ${one.name}` }, "Download"),
    ctx.operates && rowAct("Read back", one.name, (event) => verify(one, event.currentTarget, after))) },
];

async function verify(one, pressed, after) {
  pressed.disabled = true;
  await perform(() => post(`${ROOT}/${encodeURIComponent(one.name)}/verify`, {}, { timeout: LONG_MS }), { done: (told) => (told.ok === false ? `${one.name} is damaged.` : `${one.name} was restored into an empty place and is complete.`), after });
  pressed.disabled = false;
}

const restore = () => part("Restore", h("p", {}, "A running store is never overwritten, so this is done on the server, with the service stopped. Clients are told that the store was restored and start over."),
  h("pre", { tabindex: "0" }, "systemctl stop emflow\nemflow restore FILE --data-dir /var/lib/emflow --force\nsystemctl start emflow"),
  h("p", { class: "muted" }, "With --force what is there is moved aside, not deleted."));
