// What the demonstration is worth: from a visit to the call to action, measured.

import { h, show, svg } from "../../js/h.js";
import { get } from "../api.js";
import { page, part, tile } from "../parts/page.js";
import { loaded, nothing } from "../parts/state.js";
import { table } from "../parts/table.js";
import { time } from "../parts/time.js";
import { count, ms, percent, spoken, topic } from "../words.js";

const STEPS = { visits: "Visited", example_opened: "Opened an example", message: "Asked", result: "Got a result", result_viewed: "Looked at the result",
  report_exported: "Took the report along", call_to_action: "Followed the call to action" };
const stepName = (step) => STEPS[step] ?? spoken(step);

export function business(ctx) {
  const stats = ctx.resource((signal) => get("/example-messages/stats", {}, { signal }), { every: 5_000 });
  return page("Business", "From a visit to the call to action. Every figure is counted on this appliance; none is estimated.", [], loaded(ctx, stats, () => {
    const since = h("p", { class: "muted" });
    const rates = h("div", { class: "tiles" });
    const funnel = h("div", {});
    const grid = table({ caption: "By category and business value", key: (one) => `${one.category} ${one.business_value}`, columns: byColumns(), empty: { title: "Nothing asked yet", text: "The first question fills this table." } });
    return {
      element: h("div", {}, since, rates, part("Funnel", funnel), part("By category and value", grid.element)),
      update: ({ business: known }) => {
        if (!known) {
          show(funnel, nothing("No figures", "The server does not say any."));
          return;
        }
        show(since, ...(known.since ? ["Counted since ", time(known.since, "moment"), "."] : []));
        show(rates, [["Conversion", known.conversion, "calls to action, of all visits"], ["Engagement", known.engagement, "results that were looked at"], ["Completion", known.completion, "questions that got a result"], ["Success", known.success, "sessions that ended with a result"]]
          .filter(([, share]) => share !== undefined).map(([name, share, about]) => tile(name, percent(share), about)),
          tile("Time to value", ms(known.time_to_value_ms?.p50 ?? known.time_to_value_ms?.mean), "from the question to its result, median of the last hour"));
        show(funnel, bars(known.funnel ?? []));
        const asked = (known.by ?? []).filter((one) => Object.values(one.counts ?? {}).some((n) => n > 0));
        grid.update(asked);
      },
    };
  }));
}

const byColumns = () => [
  { name: "Category", cell: (one) => topic(one.category) },
  { name: "Business value", cell: (one) => spoken(one.business_value) },
  ...[["message", "Asked"], ["result", "Results"], ["result_viewed", "Viewed"], ["report_exported", "Reports"], ["call_to_action", "Calls to action"]].map(([step, name]) => ({ name, numeric: true, cell: (one) => count(one.counts?.[step] ?? 0) })),
  { name: "Acted, of results", numeric: true, cell: (one) => (one.counts?.result ? percent((one.counts.call_to_action ?? 0) / one.counts.result) : "–") },
  { name: "Time to value", numeric: true, cell: (one) => ms(one.time_to_value_ms?.mean) },
];

/** Bars against the largest step, each with its share of the one before. A later step can be larger: one result is looked at by several. */
function bars(steps) {
  const most = Math.max(1, ...steps.map((step) => step.count));
  if (steps.every((step) => step.count === 0)) return nothing("Nobody yet", "The first visitor who opens the demo page begins the funnel.");
  return h("ol", { class: "funnel" }, steps.map((step, at) => h("li", {},
    h("span", { class: "funnel-name" }, stepName(step.step)),
    svg("svg", { class: "funnel-bar", "aria-hidden": "true" }, svg("rect", { width: `${(100 * step.count) / most}%`, height: "100%", rx: "4" })),
    h("strong", { class: "funnel-count" }, count(step.count)),
    h("span", { class: "funnel-share muted" }, at === 0 || !steps[at - 1].count ? "" : `${percent(step.count / steps[at - 1].count)} of the step before`))));
}
