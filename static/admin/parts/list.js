// A list as most pages have it: filters in the address, a page at a time, asked for anew as it changes.

import { h } from "../../js/h.js";
import { get } from "../api.js";
import { go, link } from "../route.js";
import { Pages, pager } from "./pager.js";
import { loaded } from "./state.js";

const LIMIT = 50;

/**
 * `path` is asked with what `query(params)` picks from the address; `grid()` makes the table. `kinds` are the events
 * after which it is asked again, `every` the milliseconds after which it is asked anyway.
 * `cursor` is what the next page is asked with, `rows(answer)` what is listed.
 * Answers `{element, resource, choose(change)}`: `choose` changes the address and goes back to the first page.
 */
export function list(ctx, { name, path, noun, query, grid, every = 5_000, kinds = [], limit = LIMIT, cursor = "after", rows = ({ items }) => items }) {
  const pages = new Pages();
  const resource = ctx.resource((signal) => get(path, { ...query(ctx.params()), [cursor]: pages.after, limit }, { signal }), { every });
  let first = true;
  ctx.effect(() => {
    ctx.params();
    pages.cursors();
    if (!first) resource.refresh();
    first = false;
  });
  if (kinds.length > 0) ctx.refreshOn(resource, ...kinds);
  // Cursors of what a restart has forgotten lead nowhere.
  ctx.onReturn((how) => how === "restarted" && pages.first());
  const choose = (change) => {
    pages.first();
    go(link(name, { ...ctx.params(), ...change }), { quiet: true });
  };
  const element = loaded(ctx, resource, () => {
    const shown = grid();
    const more = pager(pages, noun);
    return { element: h("div", { class: "stack" }, shown.element, more.element), update: (told) => { shown.update(rows(told), told); more.update(told.next); } };
  });
  return { element, resource, choose };
}
