// One session: its question, how it went, and its frames again at their original timing.

import { h, show } from "../../js/h.js";
import { get } from "../api.js";
import { facts } from "../parts/dialog.js";
import { button, page, part } from "../parts/page.js";
import { loaded } from "../parts/state.js";
import { time } from "../parts/time.js";
import { Replay } from "../replay.js";
import { link } from "../route.js";
import { ended } from "../trails.js";
import { duration, ms, plural, short, spoken, topic } from "../words.js";
import { cancel, state } from "./sessions.js";

const FRAMES_MAX = 1_000;
const SPEEDS = [[1, "1×"], [4, "4×"], [16, "16×"]];

export function session(ctx) {
  const id = encodeURIComponent(ctx.id);
  const one = ctx.resource((signal) => get(`/example-messages/sessions/${id}`, {}, { signal }), { every: 3_000 });
  const frames = ctx.resource((signal) => allFrames(id, signal), { every: 3_000 });
  return page(`Session ${short(ctx.id, 24)}`, null, [h("a", { class: "ghost", href: link("sessions") }, "All sessions")],
    loaded(ctx, one, () => about(ctx, () => one.refresh())),
    part("Replay", loaded(ctx, frames, () => player(ctx))));
}

/** What a session's last frame says of its answer. */
function outcome({ outcome: told }) {
  if (!told) return [];
  const { execution } = told.result ?? {};
  return [["Answered by", execution?.backend ?? null], ["Fallback because", told.fallback_reason ?? null], ["Error", told.code ? `${told.code}: ${told.message}` : null], ["Reason", told.reason ?? null]];
}

/** Every held frame, page by page. */
async function allFrames(id, signal) {
  const items = [];
  let told = { next: null };
  do {
    told = await get(`/admin/sessions/${id}/frames`, { after: told.next, limit: 200 }, { signal });
    items.push(...told.items);
  } while (told.next && items.length < FRAMES_MAX);
  return { ...told, items };
}

function about(ctx, after) {
  const element = h("div", {});
  const update = (known) => show(element,
    known.content && h("blockquote", { class: "question" }, known.content),
    facts([["State", state(known)], ["Category", topic(known.category)], ["Depth", spoken(known.complexity)], ["Visitor", h("a", { href: link("visitors", { text: known.user_id }) }, known.user_id)],
      ["Began", time(known.created_at)], ["Ended", known.ended_at ? time(known.ended_at) : null], ["Took", known.ended_at ? ms(Date.parse(known.ended_at) - Date.parse(known.created_at)) : null], ["Attempts", known.attempts], ...outcome(known)]),
    h("div", { class: "page-acts" },
      ctx.operates && !ended(known.state) && button("Cancel it", () => cancel(known, after), { class: "danger" }),
      known.state === "completed" && ["html", "md", "json"].map((kind) =>
        h("a", { class: "ghost", href: `/api/v1/example-messages/sessions/${encodeURIComponent(known.session_id)}/report.${kind}`, download: true }, `Report .${kind}`))));
  return { element, update };
}

/** Play, pause, seek and pace over the stored frames. New frames of a running session join at the end. */
function player(ctx) {
  const rows = h("ol", { class: "frames" });
  const clock = h("span", { class: "player-clock" });
  const slider = h("input", { type: "range", min: "0", step: "10", "aria-label": "Position in the session", oninput: () => { replay.seek(Date.now(), Number(slider.value)); draw(); } });
  const start = button("Play", () => { if (replay.playing) replay.pause(Date.now()); else replay.play(Date.now()); draw(); }, { class: "primary" });
  const pace = h("select", { "aria-label": "Speed", onchange: () => replay.pace(Date.now(), Number(pace.value)) }, SPEEDS.map(([value, name]) => h("option", { value }, name)));
  const note = h("p", { class: "muted" });
  let items = [];
  let replay = new Replay([]);
  let drawn = -1;

  function draw() {
    const now = Date.now();
    const seen = replay.seen(now);
    const at = replay.at(now);
    start.textContent = replay.playing ? "Pause" : "Play";
    slider.value = String(at);
    clock.textContent = `${duration(at)} of ${duration(replay.length)}`;
    if (seen === drawn) return;
    drawn = seen;
    [...rows.children].forEach((row, n) => { row.hidden = n >= seen; });
  }
  ctx.every(100, () => replay.playing && draw());

  function update(told) {
    if (told.items.length === items.length && items.length > 0) return;
    const whole = replay.length === 0 || replay.at(Date.now()) >= replay.length;
    const before = replay;
    items = told.items;
    replay = new Replay(items.map((frame) => frame.offset_ms));
    replay.speed = before.speed;
    if (whole && !before.playing) replay.seek(Date.now(), replay.length);
    else {
      replay.seek(Date.now(), before.at(Date.now()));
      if (before.playing) replay.play(Date.now());
    }
    slider.max = String(replay.length);
    show(rows, items.map((frame, at) => row(frame, replay.offsets[at])));
    note.textContent = [plural(items.length, "frame"), told.next ? `the first ${FRAMES_MAX} are shown` : "", told.complete ? "" : "the first ones are no longer held", replay.shortened > 0 ? `silences shortened by ${duration(replay.shortened)}` : ""].filter(Boolean).join("; ");
    drawn = -1;
    draw();
  }
  return { element: h("div", { class: "player" }, h("div", { class: "player-bar" }, start, slider, clock, pace), note, rows), update };
}

const row = (frame, offset) => h("li", { class: "frame-row", dataset: { type: frame.type } },
  h("span", { class: "frame-at" }, `+${duration(offset)}`), h("span", { class: "frame-sequence" }, `#${frame.sequence}`),
  h("div", {}, h("p", {}, h("strong", {}, spoken(frame.type)), frame.payload?.message ? ` ${frame.payload.message}` : ""),
    h("details", {}, h("summary", {}, "Payload"), h("pre", { tabindex: "0" }, JSON.stringify(frame.payload, null, 2)))));
