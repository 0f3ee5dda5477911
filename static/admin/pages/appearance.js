// The name, the logo, the colours and the call to action that visitors see.

import { h, show } from "../../js/h.js";
import { get, post, put } from "../api.js";
import { ask, facts } from "../parts/dialog.js";
import { field, read, showFaults } from "../parts/form.js";
import { button, page, part, save } from "../parts/page.js";
import { loaded, pill } from "../parts/state.js";
import { time } from "../parts/time.js";
import { perform, toast } from "../parts/toast.js";
import { contrast } from "../contrast.js";
import { bytes, rate } from "../words.js";

const LEAST = 4.5;
const LOGO_MAX = 262_144;
/** What text in the colour stands on at the worst, light and dark: the sunken grounds of base.css. */
const SURFACES = { accent: "#efede6", accent_dark: "#23282d" };
const DEFAULTS = { accent: "#0b5d53", accent_dark: "#63c7b2" };

export function appearance(ctx) {
  const known = ctx.resource((signal) => get("/admin/appearance", {}, { signal }));
  const after = (told) => told && known.state({ phase: "ready", data: told, at: Date.now(), error: null });
  const now = () => known.state().data;
  const acts = [ctx.operates && button("Import", () => now() && bring(now(), after)), button("Export", () => now() && perform(async () => save("appearance.json", new Blob([JSON.stringify(await whole(now()), null, 2)], { type: "application/json" }))))];
  return page("Appearance", "What visitors see above every answer. Changes show at their next visit.", acts.filter(Boolean),
    loaded(ctx, known, () => {
      const place = h("div", {});
      return { element: place, update: (told) => show(place, editor(ctx, told, after)) };
    }));
}

function editor(ctx, told, after) {
  const logo = { choice: "keep", address: told.logo?.url ?? null };
  const colour = (name, label) => field({ name, label, type: "color", value: told.colours?.[name] ?? DEFAULTS[name] });
  const shown = h("div", { class: "sample-live" });
  const measured = h("div", {});
  const file = field({ name: "logo", label: "Logo", type: "file", accept: "image/png,image/svg+xml", hint: `PNG or SVG of at most ${bytes(LOGO_MAX)}. An SVG may hold shapes only.` });
  file.querySelector("input").addEventListener("change", async (event) => {
    const picked = event.target.files[0];
    if (!picked) return;
    if (picked.size > LOGO_MAX) return showFaults(form, [{ field: "logo", message: `${bytes(picked.size)} is more than ${bytes(LOGO_MAX)}.` }]);
    const data = await base64(picked);
    Object.assign(logo, { choice: { media_type: picked.type, data_base64: data }, address: `data:${picked.type};base64,${data}` });
    draw();
  });
  const form = h("form", { novalidate: true, class: "sheet", oninput: () => draw(), onsubmit: (event) => { event.preventDefault(); submit(form, told, logo.choice, after); } },
    field({ name: "title", label: "Title", value: told.title, maxlength: 80, check: (value) => (value.trim() === "" ? "A title is needed." : null) }),
    file, told.logo && ctx.operates && button("Without a logo", () => { Object.assign(logo, { choice: null, address: null }); draw(); }, { class: "ghost small" }),
    h("div", { class: "two" }, colour("accent", "Colour on light"), colour("accent_dark", "Colour on dark")), measured,
    h("div", { class: "two" }, field({ name: "text", label: "Call to action", value: told.call_to_action?.text ?? "", maxlength: 60, hint: "Stands under each result; empty for none." }),
      field({ name: "url", label: "Where it leads", type: "url", value: told.call_to_action?.url ?? "", check: (value, values) => (values.text && !/^https:\/\/./.test(value) ? "An address that begins with https://" : null) })),
    ctx.operates && h("div", { class: "page-acts" }, h("button", { class: "primary", type: "submit" }, "Save"), told.source === "admin" && button("Back to the configured look", () => back(told, after))));
  function draw() {
    const { values } = read(form);
    show(measured, h("p", { class: "sub" }, "Contrast: ", ["accent", "accent_dark"].map((name) => {
      const ratio = contrast(values[name], SURFACES[name]);
      return [pill(ratio >= LEAST ? "good" : "bad", `${rate(ratio)} to 1 on ${name === "accent" ? "light" : "dark"}`), " "];
    }), `at least ${LEAST} is needed to read it.`));
    show(shown, ["light", "dark"].map((theme) => sample(theme, values, logo.address)));
  }
  draw();
  return h("div", { class: "two" }, h("div", {}, h("p", { class: "muted" }, SOURCES[told.source] ?? told.source, told.changed_at && [", changed ", time(told.changed_at)], "."), form), part("As visitors see it", shown));
}

const SOURCES = { default: "As it comes", config: "As the configuration says", admin: "Edited here" };

/** Colours are set through the style object, which the policy of the page allows; a style in markup it does not. */
function sample(theme, values, logo) {
  const accent = theme === "light" ? values.accent : values.accent_dark;
  const act = h("span", { class: "sample-act" }, values.text || "Ask");
  act.style.background = accent;
  act.style.color = contrast(accent, "#ffffff") >= contrast(accent, "#111111") ? "#ffffff" : "#111111";
  const link = h("span", {}, "how this was computed");
  link.style.color = accent;
  return h("div", { class: "look", dataset: { theme } }, h("p", { class: "look-head" }, logo && h("img", { src: logo, alt: "", height: "28" }), h("strong", {}, values.title)), h("p", {}, "Savings of $3,120 a month, ", link), act);
}

async function submit(form, told, logo, after) {
  const { values, faults } = read(form);
  if (faults.length > 0) return showFaults(form, faults);
  const before = await whole(told);
  const wanted = { title: values.title, logo, colours: { accent: values.accent, accent_dark: values.accent_dark }, call_to_action: values.text ? { text: values.text, url: values.url } : null };
  await perform(() => put("/admin/appearance", wanted), { done: () => "Saved: the next visit shows it.", undo: () => () => put("/admin/appearance", before), after: (now) => {
    if (now) return after(now);
    return null;
  } });
}

/** The look as it can be given again: with the logo itself, which the answer only names. */
async function whole({ title, colours, call_to_action: act, logo }) {
  const data = logo && await base64(await (await fetch(logo.url)).blob());
  return { title, logo: logo && { media_type: logo.media_type, data_base64: data }, colours, call_to_action: act };
}

async function bring(told, after) {
  const values = await ask({ title: "Import the look", act: "Import", text: "The file takes the place of title, logo, colours and call to action; it can be undone.",
    fields: [field({ name: "file", label: "A file of an export", type: "file", required: true, accept: ".json" })] });
  if (!values) return;
  const before = await whole(told);
  let wanted;
  try {
    wanted = JSON.parse(await values.file.text());
  } catch {
    return toast("This file is not JSON. An export of this page is.", { tone: "bad" });
  }
  await perform(() => put("/admin/appearance", wanted), { done: () => "Imported: the next visit shows it.", undo: () => () => put("/admin/appearance", before), after });
}

async function back(told, after) {
  const sure = await ask({ title: "Back to the configured look?", act: "Go back", danger: true, text: "What was edited here is left; it can be undone.",
    preview: async () => facts([["Title", told.title], ["Logo", told.logo ? "goes" : "none"], ["Call to action", told.call_to_action?.text ?? "none"]]) });
  if (!sure) return;
  const before = await whole(told);
  await perform(() => post("/admin/appearance/reset"), { done: () => "The configured look is back.", undo: () => () => put("/admin/appearance", before), after });
}

async function base64(file) {
  const letters = [];
  for (const byte of new Uint8Array(await file.arrayBuffer())) letters.push(String.fromCharCode(byte));
  return btoa(letters.join(""));
}
