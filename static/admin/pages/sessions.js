// Every question being answered, and those that were.

import { h } from "../../js/h.js";
import { post } from "../api.js";
import { ask, facts } from "../parts/dialog.js";
import { filter } from "../parts/form.js";
import { list } from "../parts/list.js";
import { filters, page } from "../parts/page.js";
import { pill } from "../parts/state.js";
import { rowAct, table } from "../parts/table.js";
import { time } from "../parts/time.js";
import { perform } from "../parts/toast.js";
import { link } from "../route.js";
import { ended, sessionTone } from "../trails.js";
import { count, ms, short, span, spoken, topic } from "../words.js";
import { session } from "./session.js";

const STATES = [["", "Any state"], ...["live", "ended", "created", "processing", "agent_thinking", "generating_result", "completed", "failed", "timed_out", "cancelled", "expired"].map((state) => [state, spoken(state)])];
const CATEGORIES = [["", "Any category"], ...["cost-optimization", "latency-optimization", "model-selection", "scaling", "advanced"].map((name) => [name, topic(name)])];

export function sessions(ctx) {
  if (ctx.id) return session(ctx);
  const { state, category, visitor, text } = ctx.params();
  const shown = list(ctx, {
    name: "sessions", path: "/admin/sessions", noun: "sessions", kinds: ["session"], every: 3_000,
    query: (params) => ({ state: params.state, category: params.category, visitor: params.visitor, text: params.text }),
    grid: () => table({ caption: "Sessions", key: (one) => one.session_id, tone: (one) => (sessionTone(one.state) === "bad" ? "bad" : null), columns: columns(ctx, () => shown.resource.refresh()),
      empty: { title: "No session", text: "Nobody has asked anything yet, or none fits the filter." } }),
  });
  return page("Sessions", "One line a question: what it asked, how far it is, how it ended.", [],
    filters(filter({ label: "State", options: STATES, value: state, act: (value) => shown.choose({ state: value }) }),
      filter({ label: "Category", options: CATEGORIES, value: category, act: (value) => shown.choose({ category: value }) }),
      filter({ label: "Visitor", value: visitor, placeholder: "a visitor's id", act: (value) => shown.choose({ visitor: value }) }),
      filter({ label: "Find", value: text, placeholder: "words of the question", act: (value) => shown.choose({ text: value }) })),
    shown.element);
}


const columns = (ctx, after) => [
  { name: "Question", wide: true, cell: (one) => [h("a", { href: link("sessions", { id: one.session_id }) }, one.title || one.session_id), h("span", { class: "sub" }, [topic(one.category), spoken(one.complexity)].join(" · "))] },
  { name: "State", cell: (one) => state(one) },
  { name: "Began", cell: (one) => time(one.created_at) },
  { name: "Took", numeric: true, cell: (one) => (one.ended_at ? ms(one.duration_ms) : [time(one.created_at, "lasting"), h("span", { class: "sub" }, "so far")]) },
  { name: "Attempts", numeric: true, cell: (one) => count(one.attempts) },
  { name: "Last frame", numeric: true, cell: (one) => (one.last_sequence > 0 ? `#${count(one.last_sequence)}` : "–") },
  { name: "Visitor", cell: (one) => h("a", { href: link("visitors", { text: one.user_id }), title: one.user_id }, short(one.user_id, 16)) },
  { name: "Acts", acts: true, cell: (one) => (ctx.operates && !ended(one.state) ? rowAct("Cancel", one.title || one.session_id, () => cancel(one, after)) : "") },
];

/** The state in a word, with the place in the queue or the code of what went wrong. */
export const state = (one) => [pill(sessionTone(one.state), spoken(one.state)),
  one.queue_position ? h("span", { class: "sub" }, `place ${one.queue_position} in the queue`) : null];

export async function cancel(one, after) {
  const sure = await ask({ title: "Cancel this session?", act: "Cancel it", danger: true,
    text: "The agent is stopped and the visitor is told that an administrator cancelled. Frames that were sent stay. The visitor can ask again; the answer itself cannot be brought back.",
    preview: async () => facts([["Question", one.title], ["Visitor", one.user_id], ["State", spoken(one.state)], ["Runs for", span(Date.now() - Date.parse(one.created_at))]]) });
  if (sure) await perform(() => post(`/admin/sessions/${encodeURIComponent(one.session_id)}/cancel`), { done: (told) => (told.state === "cancelled" ? "The session is cancelled." : "The session is being stopped."), after });
}
