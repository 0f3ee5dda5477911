// What the agent does, step by step.

import { h } from "../h.js";
import { brief, clock, topic, word } from "../format.js";
import { t } from "../words.js";
import { dataTable } from "./table.js";

/** Frames that are a step of their own; pieces of streamed text are shown as text. */
export function steps(frames) {
  return frames.filter((frame) => !(frame.type === "partial_result" && frame.payload.text_delta && !frame.payload.table));
}

export function timelineItem(frame) {
  const [label, ...body] = BODY[frame.type]?.(frame.payload) ?? [frame.type];
  return h("li", { class: "step", dataset: { type: frame.type } },
    h("div", { class: "step-head" }, h("span", { class: "step-label" }, label),
      h("time", { datetime: frame.timestamp, title: t("timeline.stored_at", { time: frame.timestamp }) }, clock(Date.parse(frame.timestamp)))),
    body);
}

const said = (text) => (text ? h("p", { lang: "en" }, text) : null);
const told = (name, values) => h("p", {}, t(name, values));

const BODY = {
  processing_started: (p) => [t(p.resumed ? "timeline.resumed" : "timeline.accepted"),
    p.resumed ? told("timeline.resumed_text") : told("timeline.accepted_text", { topic: topic(p.category), depth: word(p.complexity) })],
  agent_started: (p) => [p.agent_name, p.backend.startsWith("builtin") ? told(p.backend === "builtin" ? "timeline.builtin" : "timeline.standby") : told("timeline.backend", { backend: p.backend })],
  agent_thinking: (p) => [t("timeline.thinking"), said(p.message), assumptions(p.assumptions)],
  tool_executing: (p) => [h("code", {}, p.tool_name), said(p.message)],
  partial_result: (p) => [t("timeline.so_far"), p.message === p.table?.title ? null : said(p.message), p.table ? dataTable(p.table) : null],
  agent_completed: (p) => [t("timeline.complete"), p.fallback_reason ? told("timeline.fallback", { why: p.fallback_reason }) : null],
  error: (p) => [t("timeline.failed"), said(p.message)],
  session_cancelled: (p) => [t("timeline.stopped"), said(p.reason)],
  session_expired: (p) => [t("timeline.expired"), said(p.reason)],
};

function assumptions(list) {
  if (!list?.length) return null;
  return h("ul", { class: "chips" }, list.map((q) => h("li", { class: `chip from-${q.source}`, title: q.note ?? "" },
    `${q.label}: ${brief(q.value, q.unit)}`, q.source === "assumption" ? h("span", { class: "chip-tag" }, t("understood.tag_assumed")) : null)));
}
