// The configuration in force, where each value came from, and those that can change while it serves.

import { h, show } from "../../js/h.js";
import { get, post, put } from "../api.js";
import { ask, facts } from "../parts/dialog.js";
import { field, filter } from "../parts/form.js";
import { button, filters, page } from "../parts/page.js";
import { loaded, nothing, pill } from "../parts/state.js";
import { perform } from "../parts/toast.js";
import { go, link } from "../route.js";
import { plural } from "../words.js";

const WHICH = [["", "All"], ["changed", "Not the default"], ["live", "Can change now"], ["restart", "Waiting for a restart"]];

export function settings(ctx) {
  const all = ctx.resource((signal) => get("/admin/settings", {}, { signal }), { every: 30_000 });
  const choose = (change) => go(link("settings", { ...ctx.params(), ...change }), { quiet: true });
  const after = () => all.refresh();
  const { q, which, section = "" } = ctx.params();
  const sections = filter({ label: "Part", options: [["", "All"], ...(section ? [[section, section]] : [])], value: section, act: (value) => choose({ section: value }) });
  const offered = (items) => {
    const names = [...new Set(items.map((one) => one.section))];
    const select = sections.querySelector("select");
    if (select.options.length <= 2) show(select, [["", "All"], ...names.map((name) => [name, name])].map(([value, text]) => h("option", { value, selected: value === (ctx.params().section ?? "") }, text)));
  };
  return page("Settings", "What is in force and where it came from. Flag before environment before what is set here before file before default.",
    [ctx.operates && button("Read the configuration again", () => reload(after))],
    filters(filter({ label: "Find", value: q, placeholder: "a name or a word", act: (value) => choose({ q: value }) }), filter({ label: "Which", options: WHICH, value: which, act: (value) => choose({ which: value }) }),
      sections),
    loaded(ctx, all, () => {
      const place = h("div", {});
      let drawn = null;
      const draw = (items) => {
        const fitting = items.filter((one) => fits(one, ctx.params()));
        // What has not changed stays, and with it the focus.
        const text = JSON.stringify(fitting);
        if (text === drawn) return;
        drawn = text;
        const groups = Map.groupBy ? Map.groupBy(fitting, (one) => one.section) : grouped(fitting);
        show(place, fitting.length === 0 ? nothing("No setting", "None fits the filter.") : [...groups].map(([name, ones]) => h("section", { class: "part" }, h("h2", {}, `[${name}]`), h("ul", { class: "settings" }, ones.map((one) => row(ctx, one, after))))));
      };
      ctx.effect(() => {
        ctx.params();
        const { data } = all.state();
        if (!data) return;
        offered(data.items);
        draw(data.items);
      });
      return { element: place, update: () => {} };
    }));
}

function grouped(items) {
  const out = new Map();
  for (const one of items) out.set(one.section, [...(out.get(one.section) ?? []), one]);
  return out;
}

const changed = (one) => one.source !== "default";
function fits(one, { q = "", which = "", section = "" }) {
  const words = `${one.key} ${one.doc} ${one.value}`.toLowerCase();
  return words.includes(q.toLowerCase()) && (section === "" || one.section === section) && (which === "" || (which === "changed" && changed(one)) || (which === "live" && one.editable) || (which === "restart" && one.pending_restart));
}

const row = (ctx, one, after) => h("li", { class: "setting", dataset: { changed: String(changed(one)) } },
  h("div", { class: "setting-name" }, h("code", {}, one.key), h("p", { class: "sub" }, one.doc)),
  h("div", { class: "setting-value" }, h("code", {}, one.value), h("p", { class: "sub" }, `from ${one.source}`, one.source !== "default" && !one.secret && `; default ${one.default}`)),
  h("div", { class: "setting-state" }, one.pending_restart ? pill("warn", "needs a restart") : one.live ? pill("good", "live") : pill("idle", "at start"), one.locked_by && h("p", { class: "sub" }, `held by ${one.locked_by}`)),
  ctx.operates && one.editable ? h("div", { class: "acts-row" }, button("Change", () => change(one, after), { class: "ghost small", "aria-label": `Change ${one.key}` }),
    one.source === "admin" && button("Unset", () => unset(one, after), { class: "ghost small", "aria-label": `Unset ${one.key}` })) : h("div", {}));

/** What undoes a change: the value that was set here before, or none. */
const before = (one) => (one.source === "admin" ? { set: { [one.key]: one.value }, unset: [] } : { set: {}, unset: [one.key] });
const apply = (wanted, done, undo, after) => perform(() => put("/admin/settings", wanted), { done: () => done, undo: () => () => put("/admin/settings", undo), after });

async function change(one, after) {
  const [least, most] = one.range ?? [];
  const values = await ask({ title: `Change ${one.key}`, act: "Change it", text: one.doc,
    preview: async () => facts([["Now", h("code", {}, one.value)], ["From", one.source], ["In the file", one.file_value ? h("code", {}, one.file_value) : null], ["Form", one.form], ["From … to", least ? `${least} … ${most}` : null], ["Takes effect", "at once, for what begins from now on"]]),
    fields: [field({ name: "value", label: "New value", value: one.value, required: true, class: "mono", spellcheck: "false", autocomplete: "off", hint: "As in the file: text and times in quotes." })] });
  if (!values || values.value === one.value) return;
  await apply({ set: { [one.key]: values.value }, unset: [] }, `${one.key} is ${values.value} now.`, before(one), after);
}

async function unset(one, after) {
  const sure = await ask({ title: `Unset ${one.key}?`, act: "Unset", text: "What is set here is left; the file or the default counts again.", preview: async () => facts([["Now", h("code", {}, one.value)], ["Then", h("code", {}, one.file_value ?? one.default)]]) });
  if (sure) await apply({ set: {}, unset: [one.key] }, `${one.key} is as configured again.`, { set: { [one.key]: one.value }, unset: [] }, after);
}

async function reload(after) {
  const sure = await ask({ title: "Read the configuration again?", act: "Read it", text: "File, certificate, gallery and log level are read again. A faulty file changes nothing and is told. No socket is dropped." });
  if (!sure) return;
  await perform(() => post("/admin/reload"), { after, done: ({ changed: done, needs_restart: later }) => [done.length > 0 ? `Changed: ${done.join(", ")}.` : "Nothing had changed.", later.length > 0 && `${plural(later.length, "setting")} ${later.length === 1 ? "needs" : "need"} a restart: ${later.join(", ")}.`].filter(Boolean).join(" ") });
}
