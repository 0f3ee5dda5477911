// The gallery: edit, order, look at it as a visitor does, take it out and put it in.

import { h, show } from "../../js/h.js";
import { get, post, put, call } from "../api.js";
import { ask, facts } from "../parts/dialog.js";
import { field, read, showFaults } from "../parts/form.js";
import { button, main, page, save } from "../parts/page.js";
import { loaded, nothing, pill } from "../parts/state.js";
import { time } from "../parts/time.js";
import { perform, toast } from "../parts/toast.js";
import { plural, short, spoken, topic } from "../words.js";

const CATEGORIES = ["cost-optimization", "latency-optimization", "model-selection", "scaling", "advanced"];
const DEPTHS = ["basic", "intermediate", "advanced"];
const VALUES = ["conversion", "retention", "expansion"];
const SOURCES = { "built-in": "the examples inside the program", file: "the file of the configuration", admin: "edited here" };

export function examples(ctx) {
  const gallery = ctx.resource((signal) => get("/admin/examples", {}, { signal }));
  const state = { items: [], max: 100 };
  const store = (items, done) => replace(state.items, items, done, (told) => told && gallery.state({ phase: "ready", data: told, at: Date.now(), error: null }));
  const acts = ctx.operates ? [main("New example", () => edit(state, null, store)), button("Import", () => bring(state, store))] : [];
  return page("Examples", "What visitors find on the start page, in this order.", [...acts, button("Export", () => take())],
    loaded(ctx, gallery, () => {
      const note = h("p", { class: "muted" });
      const list = h("ol", { class: "examples" });
      const none = h("div", {}, nothing("No example", "Visitors see only the field for their own question."));
      const update = (told) => {
        Object.assign(state, { items: told.items, max: told.max });
        show(note, `${plural(told.items.length, "example")} of at most ${told.max}: ${SOURCES[told.source] ?? told.source}`, told.file && [" ", h("code", {}, told.file)], told.changed_at && [", changed ", time(told.changed_at)], ". ",
          told.source === "admin" && ctx.operates && h("button", { class: "link", type: "button", onclick: () => back(state, gallery) }, "Go back to the configured ones"));
        list.hidden = told.items.length === 0;
        none.hidden = !list.hidden;
        show(list, told.items.map((one, at) => card(ctx, state, one, at, store)));
      };
      return { element: h("div", {}, note, list, none), update };
    }));
}

const preview = (one) => h("article", { class: "sample" }, h("p", { class: "sample-kind" }, `${topic(one.category)} · ${spoken(one.complexity)}`), h("h2", {}, one.title || "Without a title"), h("p", {}, one.content),
  h("p", { class: "sub" }, [one.estimatedTime, spoken(one.businessValue)].filter(Boolean).join(" · ")));

function card(ctx, state, one, at, store) {
  const move = (by) => {
    const items = [...state.items];
    items.splice(at + by, 0, ...items.splice(at, 1));
    store(items, "The order is changed.");
  };
  return h("li", { class: "example" }, preview(one), ctx.operates && h("div", { class: "acts-row" },
    button("↑", () => move(-1), { class: "icon", disabled: at === 0, "aria-label": `Move up: ${one.title}` }),
    button("↓", () => move(1), { class: "icon", disabled: at === state.items.length - 1, "aria-label": `Move down: ${one.title}` }),
    button("Edit", () => edit(state, at, store), { class: "ghost small", "aria-label": `Edit: ${one.title}` }),
    button("Copy", () => edit(state, null, store, { ...one, id: `${one.id}-copy` }), { class: "ghost small", "aria-label": `Copy: ${one.title}` }),
    button("Remove", () => store(state.items.filter((_, n) => n !== at), `Removed: ${short(one.title, 40)}.`), { class: "ghost small", "aria-label": `Remove: ${one.title}` })));
}

/** The whole gallery is one value: what it was is put back as it was. */
function replace(before, items, done, after) {
  return perform(() => put("/admin/examples", { items }), { done: () => done, undo: () => () => put("/admin/examples", { items: before }), after });
}

const EMPTY = { id: "", title: "", content: "", category: "cost-optimization", complexity: "basic", businessValue: "conversion", estimatedTime: "15 to 30 s" };
const length = (least, most) => (value) => {
  const n = [...value.trim()].length;
  return n < least || n > most ? `${least} to ${most} characters; it has ${n}.` : null;
};

/** Checked by the server before anything is stored, so that its faults stand at their fields. */
function edit(state, at, store, start = EMPTY) {
  const one = at === null ? start : state.items[at];
  const choices = (names, say) => names.map((name) => [name, say(name)]);
  const taken = (value) => (!/^[A-Za-z0-9._:-]{1,100}$/.test(value) ? "1 to 100 of A-Z a-z 0-9 . _ : -" : state.items.some((other, n) => n !== at && other.id === value) ? "Another example has this id." : null);
  const shown = h("div", { class: "sample-live" });
  const form = h("form", { novalidate: true, onsubmit: async (event) => {
    event.preventDefault();
    const { values, faults } = read(form);
    if (faults.length > 0) return showFaults(form, faults);
    const items = at === null ? [...state.items, values] : state.items.map((other, n) => (n === at ? values : other));
    if (await checked(form, items, at ?? items.length - 1)) {
      dialog.close();
      store(items, at === null ? "The example is added." : "The example is changed.");
    }
  }, oninput: () => show(shown, preview(read(form).values)) },
  h("div", { class: "dialog-body" }, h("h2", { id: "example-title" }, at === null ? "New example" : "Edit example"), h("div", { class: "two" },
    h("div", {}, field({ name: "title", label: "Title", value: one.title, check: length(1, 200) }), field({ name: "content", label: "Question", value: one.content, rows: 7, check: length(10, 2000), hint: "In the visitor's words, with numbers: that is what is computed with." }),
      h("div", { class: "two" }, field({ name: "category", label: "Category", value: one.category, options: choices(CATEGORIES, topic) }), field({ name: "complexity", label: "Depth", value: one.complexity, options: choices(DEPTHS, spoken) })),
      h("div", { class: "two" }, field({ name: "businessValue", label: "Business value", value: one.businessValue, options: choices(VALUES, spoken) }), field({ name: "estimatedTime", label: "Estimated time", value: one.estimatedTime, check: length(1, 40) })),
      field({ name: "id", label: "Id", value: one.id, check: taken, hint: "Names it in statistics; does not change with the title." })),
    h("div", {}, h("p", { class: "sub" }, "As visitors see it"), shown))),
  h("footer", {}, button("Cancel", () => dialog.close()), h("button", { class: "primary", type: "submit" }, "Save")));
  const dialog = h("dialog", { class: "dialog wide", "aria-labelledby": "example-title", onclose: () => dialog.remove() }, form);
  document.body.append(dialog);
  show(shown, preview(one));
  dialog.showModal();
}

async function checked(form, items, at) {
  try {
    await post("/admin/examples/check", { items });
    return true;
  } catch (error) {
    const faults = error.faults.map(({ field: name, rule }) => ({ field: String(name).replace(`items[${at}].`, ""), message: rule }));
    if (showFaults(form, faults).length > 0 || faults.length === 0) toast(error.message, { tone: "bad", error });
    return false;
  }
}

async function bring(state, store) {
  const values = await ask({ title: "Import examples", act: "Import", text: "The file takes the place of the whole gallery; it can be undone.",
    fields: [field({ name: "file", label: "A file of an export", type: "file", required: true, accept: ".json,.toml" })] });
  if (!values) return;
  const { file } = values;
  if (file.name.endsWith(".toml")) {
    const before = state.items;
    await perform(() => call("PUT", "/admin/examples", { file: new Blob([file], { type: "application/toml" }) }), { done: (told) => `Imported: ${plural(told.items.length, "example")}.`, undo: () => () => put("/admin/examples", { items: before }), after: () => dispatchEvent(new HashChangeEvent("hashchange")) });
    return;
  }
  try {
    const told = JSON.parse(await file.text());
    await store(told.items ?? told, "Imported.");
  } catch {
    toast("This file is not JSON. An export of this page is.", { tone: "bad" });
  }
}

async function take() {
  const values = await ask({ title: "Export examples", act: "Export", fields: [field({ name: "format", label: "Format", options: [["toml", "TOML, as the configuration names it"], ["json", "JSON"]] })] });
  if (values) await perform(async () => save(`examples.${values.format}`, await call("GET", "/admin/examples/export", { query: { format: values.format }, as: "blob" })));
}

async function back(state, gallery) {
  const before = state.items;
  const sure = await ask({ title: "Go back to the configured examples?", act: "Go back", danger: true, text: "What was edited here is left; it can be undone.", preview: async () => facts([["These go", h("ul", {}, before.map((one) => h("li", {}, short(one.title, 70))))]]) });
  if (sure) await perform(() => post("/admin/examples/reset"), { done: () => "The configured examples are back.", undo: () => () => put("/admin/examples", { items: before }), after: () => gallery.refresh() });
}
