// Copies of everything: make one, see that it can be read back, keep it elsewhere, remove it.

import { h, show } from "../../js/h.js";
import { address, get, post, remove } from "../api.js";
import { ask, facts } from "../parts/dialog.js";
import { main, page, part } from "../parts/page.js";
import { loaded, pill } from "../parts/state.js";
import { rowAct, table } from "../parts/table.js";
import { time } from "../parts/time.js";
import { upgrades } from "../parts/upgrades.js";
import { perform } from "../parts/toast.js";
import { bytes, count, plural, sentence, span } from "../words.js";

const ROOT = "/example-messages/backups";
/** A large store takes its time to be written or read through. */
const LONG_MS = 120_000;
const about = (one, more = "") => `${ROOT}/${encodeURIComponent(one.name)}${more}`;

export function backups(ctx) {
  const all = ctx.resource((signal) => get(ROOT, {}, { signal }), { every: 15_000 });
  const after = () => all.refresh();
  const make = (event) => held(event.currentTarget, () => perform(() => post(ROOT, {}, { timeout: LONG_MS }), { done: (told) => `The backup ${told.name} is made: ${bytes(told.bytes)}.`, after }));
  return page("Backups", "A consistent copy of everything, made while serving. Prove that it can be read back, and keep one elsewhere.", ctx.operates ? [main("Make a backup now", make)] : [],
    loaded(ctx, all, () => {
      const schedule = h("div", { class: "stack" });
      const grid = table({ caption: "Backups", key: (one) => one.name, tone: (one) => (one.ok === false ? "bad" : null), columns: columns(ctx, () => all.state().data?.items ?? [], after),
        empty: { title: "No backup yet", text: "Make one now, or set a plan: backup.every." } });
      return { element: h("div", {}, part("The plan", schedule), part("Kept here", grid.element), restore(), upgrades(ctx)), update: (told) => { show(schedule, ...plan(told.schedule)); grid.update(told.items); } };
    }));
}

/** Pressed once is enough: it takes its time. */
async function held(pressed, act) {
  pressed.disabled = true;
  await act();
  pressed.disabled = false;
}

function plan(told) {
  const next = told.next_at && (Date.parse(told.next_at) > Date.now() ? time(told.next_at, "until") : "due, within a minute");
  return [
    told.every_ms ? null : h("p", { class: "notice" }, "No plan: backups are made by hand only. Set backup.every in the configuration."),
    told.last_failure && h("p", { class: "notice bad" }, h("span", {}, "The last one failed ", time(told.last_failure.at), ". ", sentence(told.last_failure.message))),
    facts([["Made every", told.every_ms ? span(told.every_ms) : null], ["Kept", told.every_ms ? `the newest ${plural(told.keep, "backup")}; those by hand stay` : null], ["In", h("code", {}, told.directory)],
      ["Last", told.last_success_at ? time(told.last_success_at) : "never"], ["Next", next || null], ["Failed since the start", told.failures > 0 ? h("span", { class: "red" }, count(told.failures)) : "0"]])];
}

const columns = (ctx, items, after) => [
  { name: "File", wide: true, cell: (one) => [h("code", {}, one.name), h("span", { class: "sub" }, one.name.startsWith("scheduled") ? "by plan" : "by hand", one.app_version && `, version ${one.app_version}`)] },
  { name: "Made", cell: (one) => time(one.created_at) },
  { name: "Size", numeric: true, cell: (one) => bytes(one.bytes) },
  { name: "Entries", numeric: true, cell: (one) => count(one.entries) },
  { name: "Read back", cell: (one) => [state(one), one.fault && h("span", { class: "sub red" }, sentence(one.fault))] },
  { name: "Acts", acts: true, cell: (one) => (ctx.operates ? h("span", { class: "acts-row" },
    h("a", { class: "ghost small", href: address(about(one)), download: one.name, "aria-label": `Download: ${one.name}` }, "Download"),
    rowAct("Read back", one.name, (event) => held(event.currentTarget, () => verify(one, after))),
    rowAct("Delete", one.name, () => drop(one, items(), after))) : "") },
];

const state = (one) => (one.ok === false ? [pill("bad", "damaged"), " ", one.verified_at && time(one.verified_at)] : one.verified_at ? [pill("good", "proven"), " ", time(one.verified_at)] : pill("idle", "not yet"));

const verify = (one, after) => perform(async () => {
  const told = await post(about(one, "/verify"), {}, { timeout: LONG_MS });
  after();
  if (told.ok === false) throw new Error(`${one.name} is damaged: ${sentence(told.fault)}`);
  return told;
}, { done: () => `${one.name} was restored into an empty place and is complete.` });

async function drop(one, items, after) {
  const good = items.filter((other) => other.name !== one.name && other.ok !== false).length;
  const sure = await ask({ title: "Delete this backup?", act: "Delete", danger: true, text: "The file is removed from this machine at once, and nothing brings it back. Download it first if you want to keep it.",
    preview: async () => [facts([["File", one.name], ["Size", bytes(one.bytes)], ["Made", time(one.created_at)], ["Backups that stay", count(good)]]), good === 0 && h("p", { class: "notice bad" }, "It is the last one that is not damaged.")] });
  if (sure) await perform(() => remove(about(one)), { done: () => `${one.name} is deleted.`, after });
}

const restore = () => part("Restore", h("p", {}, "A running store is never overwritten, so this is done on the server, with the service stopped. Clients are told that the store was restored and start over."),
  h("pre", { tabindex: "0" }, "systemctl stop emflow\nemflow restore FILE --data-dir /var/lib/emflow --force\nsystemctl start emflow"),
  h("p", { class: "muted" }, "With --force what is there is moved aside, not deleted."));
