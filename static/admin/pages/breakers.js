// Whether calls to each backend flow, why not if not, and the two things a person may do about it.

import { h, show, svg } from "../../js/h.js";
import { get, post } from "../api.js";
import { ask, facts } from "../parts/dialog.js";
import { field } from "../parts/form.js";
import { button, page } from "../parts/page.js";
import { loaded, nothing, pill } from "../parts/state.js";
import { table } from "../parts/table.js";
import { time } from "../parts/time.js";
import { perform } from "../parts/toast.js";
import { link } from "../route.js";
import { breakerTone } from "../trails.js";
import { count, short, span, spoken } from "../words.js";

const ROOT = "/example-messages/circuit-breaker";

export function breakers(ctx) {
  const all = ctx.resource((signal) => get(ROOT, {}, { signal }), { every: 2_000 });
  ctx.refreshOn(all, "breaker");
  return page("Breakers", "One a backend. Closed: calls flow. Open: they fail at once and the built-in agent answers. Half-open: a few probes find out whether the backend is well again.", [],
    loaded(ctx, all, () => cards(ctx, () => all.refresh())));
}

function cards(ctx, after) {
  const element = h("div", { class: "breakers" });
  const known = new Map();
  const update = ({ items }) => {
    if (items.length === 0) show(element, nothing("No breaker", "No backend has been called yet."));
    else if (known.size === 0) element.replaceChildren();
    for (const one of items) {
      if (!known.has(one.name)) {
        known.set(one.name, card(ctx, one.name, after));
        element.append(known.get(one.name).element);
      }
      known.get(one.name).update(one);
    }
  };
  return { element, update };
}

function card(ctx, name, after) {
  const picture = h("div", { class: "breaker-picture" });
  const told = h("div", { class: "stack" });
  const acts = h("div", { class: "page-acts" });
  const history = table({ caption: `Changes of ${name}`, key: (change) => `${change.at} ${change.to}`, columns: [
    { name: "When", cell: (change) => time(change.at) },
    { name: "Change", cell: (change) => [change.from ? `${spoken(change.from)} → ` : "", pill(breakerTone(change.to), spoken(change.to))] },
    { name: "Why", wide: true, cell: (change) => [CAUSES[change.cause] ?? spoken(change.cause), change.by && h("span", { class: "sub" }, `by ${change.by}${change.reason ? `: ${change.reason}` : ""}`)] },
  ], empty: { title: "It has never changed", text: "Closed since the server started." } });
  const failures = table({ caption: `Last failures of ${name}`, key: (one) => `${one.at} ${one.session_id}`, tone: () => "bad", columns: [
    { name: "When", cell: (one) => time(one.at) },
    { name: "What", wide: true, cell: (one) => one.error },
    { name: "Run", cell: (one) => (one.session_id ? h("a", { href: link("sessions", { id: one.session_id }) }, short(one.session_id, 12)) : "–") },
  ], empty: { title: "No failure", text: "Every call since the server started has succeeded." } });
  const element = h("section", { class: "breaker card", "aria-label": `Breaker ${name}` }, h("div", { class: "breaker-top" }, picture, h("div", { class: "breaker-told" }, h("h2", {}, name), told, acts)),
    h("div", { class: "two" }, h("div", { class: "stack" }, h("h3", {}, "History"), history.element), h("div", { class: "stack" }, h("h3", {}, "Last failures"), failures.element)));
  let drawn = "";
  const update = (one) => {
    history.update(one.history ?? []);
    failures.update(one.last_failures ?? []);
    const text = JSON.stringify({ ...one, history: null, last_failures: null, retry_after_ms: null });
    if (text === drawn) return;
    drawn = text;
    element.dataset.state = one.state;
    show(picture, drawState(one));
    show(told, h("p", {}, pill(breakerTone(one.state), spoken(one.state)), one.since ? [", for ", time(one.since, "lasting")] : null), facts(figures(one)));
    if (ctx.operates) show(acts, one.state === "closed" ? null : button("Reset", () => reset(one, after), { class: "primary" }), one.state === "open" ? null : button("Trip", () => trip(one, after), { class: "danger" }));
  };
  return { element, update };
}

const CAUSES = { failures: "Too many failures in a row", recovery_timeout: "The recovery time is over: probes begin", probe_failed: "A probe failed", probe_overdue: "A probe did not come back in time",
  probes_succeeded: "The probes succeeded", reset: "Reset by hand", tripped: "Tripped by hand" };

const figures = (one) => [["Failures in a row", `${count(one.consecutive_failures)} of ${count(one.policy.failure_threshold)}`],
  ["Probes begin in", one.retry_after_ms === null ? null : span(one.retry_after_ms)],
  ["Succeeded", count(one.successes)], ["Failed", count(one.failures)], ["Turned away", count(one.refused)], ["Given up", count(one.abandoned)], ["Changes", count(one.transitions)]];

async function reset(one, after) {
  const sure = await ask({ title: `Reset ${one.name}?`, act: "Reset", text: "Calls flow again at once. If the backend is still ill, the breaker opens again after as many failures as before.",
    preview: async () => facts([["State", spoken(one.state)], ["Last failure", one.last_failures?.[0]?.error ?? "none known"]]) });
  if (sure) await perform(() => post(`${ROOT}/reset`, { name: one.name }), { done: () => `${one.name} is closed: calls flow.`, after });
}

async function trip(one, after) {
  const values = await ask({ title: `Trip ${one.name}?`, act: "Trip", danger: true, text: `Calls to this backend stop. The built-in agent answers instead, and says so. After ${span(one.policy.recovery_timeout_ms)} probes begin; Reset ends it at once.`,
    preview: async () => facts([["State", spoken(one.state)], ["Succeeded so far", count(one.successes)]]),
    fields: [field({ name: "reason", label: "Reason", required: true, maxlength: 200, hint: "Kept in the history and the audit." })] });
  if (values) await perform(() => post(`${ROOT}/trip`, { name: one.name, reason: values.reason }), { done: () => `${one.name} is open: calls are turned away.`, undo: () => () => post(`${ROOT}/reset`, { name: one.name }), after });
}

const PLACES = { closed: [74, 44], open: [318, 44], half_open: [196, 152] };
const NAMES = { closed: "Closed", open: "Open", half_open: "Half-open" };

/** The three states as a picture, the present one filled. */
function drawState(one) {
  const text = (x, y, anchor, words) => svg("text", { x, y, "text-anchor": anchor, class: "breaker-edge" }, words);
  const arrow = (d) => svg("path", { d, class: "breaker-arrow", "marker-end": "url(#breaker-head)" });
  const box = (name) => {
    const [x, y] = PLACES[name];
    return svg("g", { class: "breaker-state", dataset: { tone: breakerTone(name), now: String(one.state === name) } }, svg("rect", { x: x - 56, y: y - 22, width: 112, height: 44, rx: 22 }),
      svg("text", { x, y: y + 5, "text-anchor": "middle" }, NAMES[name]));
  };
  return svg("svg", { viewBox: "-20 0 440 186", role: "img", "aria-label": `${one.name} is ${NAMES[one.state] ?? one.state}: ${one.consecutive_failures} of ${one.policy.failure_threshold} failures in a row` },
    svg("defs", {}, svg("marker", { id: "breaker-head", viewBox: "0 0 8 8", refX: "7", refY: "4", markerWidth: "7", markerHeight: "7", orient: "auto" }, svg("path", { d: "M0 0L8 4L0 8z", class: "breaker-tip" }))),
    arrow("M132 44H259"), text(195, 34, "middle", `${one.policy.failure_threshold} failures in a row`),
    arrow("M290 68Q274 108 238 128"), text(262, 98, "end", `after ${span(one.policy.recovery_timeout_ms)}`),
    arrow("M254 154Q342 152 330 69"), text(338, 130, "start", "a probe fails"),
    arrow("M138 150Q80 136 74 69"), text(76, 128, "end", "probes succeed"),
    box("closed"), box("open"), box("half_open"));
}
