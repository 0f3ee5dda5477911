// Who did what, when, from where, and what it was before and after.

import { h } from "../../js/h.js";
import { facts, tell } from "../parts/dialog.js";
import { filter } from "../parts/form.js";
import { list } from "../parts/list.js";
import { filters, page } from "../parts/page.js";
import { pill } from "../parts/state.js";
import { rowAct, table } from "../parts/table.js";
import { time } from "../parts/time.js";
import { exactly, spoken } from "../words.js";

const good = (outcome) => outcome === "done";

const VIA = { session: "signed in", token: "by token", local: "on the server", nothing: "before signing in" };
const said = (action) => spoken(action.replaceAll(".", " "));

export function audit(ctx) {
  const { action, who, outcome } = ctx.params();
  const shown = list(ctx, {
    name: "audit", path: "/admin/audit", noun: "entries", every: 10_000, cursor: "before", query: ({ action, who, outcome }) => ({ action, who, outcome }),
    grid: () => table({ caption: "Audit", key: (one) => one.number, tone: (one) => (good(one.outcome) ? null : "warn"), columns: [
      { name: "When", cell: (one) => time(one.at) },
      { name: "Who", cell: (one) => [one.who, h("span", { class: "sub" }, VIA[one.via] ?? one.via)] },
      { name: "What", wide: true, cell: (one) => [said(one.action), one.target && h("span", { class: "sub" }, one.target)] },
      { name: "From", cell: (one) => one.from || "this machine" },
      { name: "Outcome", cell: (one) => pill(good(one.outcome) ? "good" : "bad", spoken(one.outcome)) },
      { name: "Acts", acts: true, cell: (one) => rowAct("Details", `${one.action} ${one.target}`, () => details(one)) },
    ], empty: { title: "No entry", text: "Every change by a person or a token is written here, and every failed sign-in." } }),
  });
  return page("Audit", "Every change, durable: it is written in the same step as the change itself. The oldest entries give way when the log is full.", [],
    filters(filter({ label: "Outcome", options: [["", "Any"], ["done", "Done"], ["refused", "Refused"]], value: outcome, act: (value) => shown.choose({ outcome: value }) }),
      filter({ label: "What", value: action, placeholder: "visitor.cleanup", act: (value) => shown.choose({ action: value }) }),
      filter({ label: "Who", value: who, placeholder: "admin, a token's name", act: (value) => shown.choose({ who: value }) })), shown.element);
}

const written = (value) => (value === null || value === undefined ? null : h("pre", { tabindex: "0" }, typeof value === "string" ? value : JSON.stringify(value, null, 2)));

const details = (one) => tell(said(one.action), facts([["When", exactly(one.at)], ["Who", `${one.who}, ${VIA[one.via] ?? one.via}`], ["From", one.from || "this machine"], ["Target", one.target || null], ["Outcome", one.outcome],
  ["Why", one.reason], ["Before", written(one.before)], ["After", written(one.after)]]));
