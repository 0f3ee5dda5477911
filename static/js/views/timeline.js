// What the agent does, step by step.

import { h } from "../h.js";
import { brief, clock, topic } from "../format.js";
import { dataTable } from "./table.js";

/** Frames that are a step of their own; pieces of streamed text are shown as text. */
export function steps(frames) {
  return frames.filter((frame) => !(frame.type === "partial_result" && frame.payload.text_delta && !frame.payload.table));
}

export function timelineItem(frame) {
  const [label, ...body] = BODY[frame.type]?.(frame.payload) ?? [frame.type];
  return h("li", { class: "step", dataset: { type: frame.type } },
    h("div", { class: "step-head" }, h("span", { class: "step-label" }, label),
      h("time", { datetime: frame.timestamp, title: `Stored at ${frame.timestamp}` }, clock(Date.parse(frame.timestamp)))),
    body);
}

const said = (text) => (text ? h("p", {}, text) : null);

const BODY = {
  processing_started: (p) => [p.resumed ? "Taken up again" : "Accepted",
    said(p.resumed ? "The server restarted; the stored question is worked on again." : `Stored, and given to the agent for “${topic(p.category).toLowerCase()}” at ${p.complexity} depth.`)],
  agent_started: (p) => [p.agent_name, said(p.backend === "builtin" ? "The built-in engine computes." : `On ${p.backend}.`)],
  agent_thinking: (p) => ["Thinking", said(p.message), assumptions(p.assumptions)],
  tool_executing: (p) => [h("code", {}, p.tool_name), said(p.message)],
  partial_result: (p) => ["So far", p.message === p.table?.title ? null : said(p.message), p.table ? dataTable(p.table) : null],
  agent_completed: (p) => ["Answer complete", said(p.fallback_reason ? `From the fallback: ${p.fallback_reason}.` : null)],
  error: (p) => ["Failed", said(p.message)],
  session_cancelled: (p) => ["Stopped", said(p.reason)],
  session_expired: (p) => ["Expired", said(p.reason)],
};

function assumptions(list) {
  if (!list?.length) return null;
  return h("ul", { class: "chips" }, list.map((q) => h("li", { class: `chip from-${q.source}`, title: q.note ?? "" },
    `${q.label}: ${brief(q.value, q.unit)}`, q.source === "assumption" ? h("span", { class: "chip-tag" }, "assumed") : null)));
}
