// The last lines of the log, live.

import { h, show } from "../../js/h.js";
import { get } from "../api.js";
import { filter } from "../parts/form.js";
import { button, filters, page, save } from "../parts/page.js";
import { loaded, nothing } from "../parts/state.js";
import { go, link } from "../route.js";
import { exactly, moment } from "../words.js";

const LEVELS = [["", "As configured"], ["error", "Errors"], ["warn", "Warnings and worse"], ["info", "Information and worse"], ["debug", "Debug and worse"]];
const LINES = 300;

export function logs(ctx) {
  const { level, target, text } = ctx.params();
  const state = { paused: false, items: [] };
  const lines = ctx.resource((signal) => (state.paused ? Promise.resolve(lines.state().data) : get("/admin/logs", { level: ctx.params().level, target: ctx.params().target, limit: LINES }, { signal })), { every: 2_000 });
  let first = true;
  ctx.effect(() => {
    ctx.params();
    if (!first) lines.refresh();
    first = false;
  });
  const choose = (change) => go(link("logs", { ...ctx.params(), ...change }), { quiet: true });
  const pause = button("Pause", () => {
    state.paused = !state.paused;
    pause.textContent = state.paused ? "Go on" : "Pause";
    if (!state.paused) lines.refresh();
  });
  return page("Logs", "The newest lines, the newest first. They hold no message, token or password.", [pause, button("Save", () => save("emflow-log.jsonl", new Blob([state.items.map((one) => `${JSON.stringify(one)}\n`).join("")], { type: "application/jsonl" })))],
    filters(filter({ label: "Level", options: LEVELS, value: level, act: (value) => choose({ level: value }) }), filter({ label: "Part", value: target, placeholder: "emflow::serve", act: (value) => choose({ target: value }) }),
      filter({ label: "Find in these", value: text, placeholder: "a word", act: (value) => choose({ text: value }) })),
    loaded(ctx, lines, () => {
      const place = h("ol", { class: "log", tabindex: "0", "aria-label": "Log lines" });
      let drawn = "";
      return { element: place, update: ({ items }) => {
        const wanted = (ctx.params().text ?? "").toLowerCase();
        state.items = items.filter((one) => wanted === "" || JSON.stringify(one).toLowerCase().includes(wanted));
        const name = `${wanted} ${state.items[0]?.id} ${state.items.length}`;
        if (name === drawn) return;
        drawn = name;
        show(place, state.items.length === 0 ? h("li", { class: "log-none" }, nothing("No line", "Nothing of this kind was logged lately.")) : state.items.map(line));
      } };
    }));
}

const line = (one) => h("li", { class: "log-line", dataset: { level: one.level } },
  h("time", { datetime: exactly(one.at), title: exactly(one.at) }, moment(one.at)), h("span", { class: "log-level" }, one.level), h("span", { class: "log-target" }, one.target),
  h("span", { class: "log-message" }, one.message, Object.entries(one.fields ?? {}).map(([name, value]) => [" ", h("span", { class: "log-field" }, `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`)])));
