// What became of the stores of older versions: the part of the page that says whether an upgrade stands.

import { h, show } from "../../js/h.js";
import { get } from "../api.js";
import { part } from "./page.js";
import { loaded, pill } from "./state.js";
import { table } from "./table.js";
import { time } from "./time.js";

const WORDS = {
  kept: "Kept as it was", not_kept: "No copy kept", converted: "Converted", tried: "Started on trial",
  settled: "Stands", rolled_back: "Put back", failed: "Not converted",
};

export function upgrades(ctx) {
  const known = ctx.resource((signal) => get("/admin/upgrades", {}, { signal }), { every: 60_000 });
  return part("Upgrades", loaded(ctx, known, () => {
    const now = h("p", { class: "muted" });
    const grid = table({
      caption: "Steps of upgrades", key: (one) => `${one.at} ${one.step}`, columns: COLUMNS,
      empty: { title: "No upgrade yet", text: "The first start of a newer version keeps the store as it was, and what it does with it is told here." },
    });
    return {
      element: h("div", {}, now, grid.element),
      update: (told) => { show(now, `Version ${told.version}, record format ${told.record_format}.`); grid.update(told.items); },
    };
  }));
}

const COLUMNS = [
  { name: "When", cell: (one) => time(one.at) },
  { name: "From", cell: (one) => one.from },
  { name: "To", cell: (one) => one.to },
  { name: "What", cell: (one) => pill(one.well ? "good" : "bad", WORDS[one.step] ?? one.step) },
  { name: "In words", wide: true, cell: (one) => one.told },
];
