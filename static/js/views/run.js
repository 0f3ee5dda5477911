// One run: the question, what the agent does, how it ended, and the proof.

import { h, show, keyed } from "../h.js";
import { isLive, titleOf } from "../runs.js";
import { brief, duration, spans, topic, word } from "../format.js";
import { timelineItem, steps } from "./timeline.js";
import { resultView } from "./result.js";
import { proofStrip } from "./proof.js";

const TICK_MS = 200;
/** An own message up to this length stands as large as a title. */
const TITLE_LIKE = 160;

const STATUS = {
  sending: "Waiting to be sent", accepted: "Accepted and stored; waiting for its turn", running: "Computing",
  completed: "Done", failed: "Failed", cancelled: "Stopped", expired: "Expired", refused: "Not accepted", interrupted: "Interrupted",
};

export function runView(app, run) {
  const question = h("p", { class: "question-text" });
  const context = h("div", { class: "chips" });
  const status = h("span", { class: "run-state" });
  const elapsed = h("span", { class: "run-elapsed", "aria-hidden": "true" });
  const stop = h("button", { class: "stop", type: "button", onclick: () => {
    stop.disabled = true;
    app.stop(run);
  } }, h("span", { "aria-hidden": "true" }, "■"), " Stop");
  const bar = h("progress", { class: "run-progress", max: "1", "aria-label": "Steps of the plan done" });
  const items = h("ol", { class: "timeline" });
  const draft = h("p", { class: "draft" });
  const summary = h("summary", {}, h("span", {}), h("span", { class: "muted" }));
  const work = h("details", { class: "work", open: true }, summary, items, draft);
  const outcome = h("div", { class: "outcome" });
  const proof = proofStrip(app, run);
  const node = h("article", { class: "run", dataset: { status: run.status }, "aria-labelledby": "run-title" },
    h("header", { class: "question" }, h("p", { class: "card-kind" }), h("h1", { id: "run-title" }, titleOf(run)), question, context),
    h("div", { class: "run-bar" }, h("span", { class: "run-lamp", "aria-hidden": "true" }), status, elapsed, stop),
    bar, outcome, work, proof.node);

  const timer = setInterval(tick, TICK_MS);
  function tick() {
    if (run.startedAt === null) return;
    const until = isLive(run) ? Date.now() : run.lastAt;
    show(elapsed, duration(Math.max(0, until - run.startedAt)));
  }

  let drawn = null;
  function update() {
    const live = isLive(run);
    node.dataset.status = run.status;
    node.toggleAttribute("data-adrift", live && app.link().phase !== "online");
    heading();
    show(status, statusText(run, app.link().phase));
    stop.hidden = !(live && run.sessionId);
    bar.hidden = !live;
    if (run.status === "running" && run.progress > 0) bar.value = run.progress;
    else bar.removeAttribute("value");
    const list = steps(run.frames);
    keyed(items, list, (frame) => frame.sequence, (frame) => timelineItem(frame));
    show(draft, live ? run.text : "");
    show(summary.firstElementChild, live ? "What the agent does" : "How it was worked out");
    show(summary.lastElementChild, `${list.length} step${list.length === 1 ? "" : "s"}`);
    if (drawn !== run.status) {
      // The work stays open while it happens and folds away once there is a result to read.
      if (run.status === "completed") work.open = false;
      drawn = run.status;
      show(outcome, outcomeOf(app, run));
      tick();
    }
    if (live) tick();
    proof.update();
  }

  function heading() {
    node.querySelector(".card-kind").textContent = [topic(run.category ?? run.asked?.example_message_metadata?.category),
      word(run.complexity ?? run.asked?.example_message_metadata?.complexity)].filter(Boolean).join(" · ");
    const words = run.asked?.content;
    const of = `${run.status} ${words === undefined} ${run.wordless === true}`;
    if (question.dataset.of === of) return;
    question.dataset.of = of;
    const title = node.querySelector("h1");
    title.textContent = titleOf(run);
    // The title of an own message is its beginning: said once is enough.
    const own = words !== undefined && words.replace(/\s+/g, " ").startsWith(titleOf(run).replace(/…$/, ""));
    title.classList.toggle("quiet", own);
    question.classList.toggle("as-title", own && words.length <= TITLE_LIKE);
    show(question, words === undefined ? h("em", {}, run.wordless ? "Asked elsewhere; its words are no longer kept." : "Asked elsewhere; its words are being fetched.")
      : spans(words, run.result?.quantities).map(({ text, quantity }) => (quantity ? h("mark", { title: quantity.label }, text) : text)));
    // A very long question scrolls in its box, with the keyboard too.
    if (question.scrollHeight > question.clientHeight + 1) question.tabIndex = 0;
    show(context, changes(app, run));
  }

  return { node, update, leave: () => clearInterval(timer) };
}

function statusText(run, phase) {
  // Without a connection nobody here knows what the server does now.
  if (isLive(run) && run.sessionId && phase !== "online") return "Not connected; what had arrived is kept";
  if (run.status === "accepted" && run.queuePosition > 0) return `Accepted and stored; place ${run.queuePosition} in the queue`;
  const text = STATUS[run.status] ?? run.status;
  return run.resumed && run.status === "running" ? `${text}, taken up again after a restart` : text;
}

/** What the visitor changed against the run before. */
function changes(app, run) {
  const { assumptions = {}, parent_session_id: parent } = run.asked?.session_context ?? {};
  const known = (run.result ?? app.runs.bySession(parent)?.result)?.quantities ?? [];
  return Object.entries(assumptions).map(([name, value]) => {
    const quantity = known.find((q) => q.name === name);
    return h("span", { class: "chip changed" }, quantity ? `${quantity.label}: ${brief(value, quantity.unit)}` : `${name.replaceAll("_", " ")}: ${value}`);
  });
}

function outcomeOf(app, run) {
  const again = (label) => h("button", { class: "primary", type: "button", onclick: () => app.again(run) }, label);
  const may = run.asked !== null;
  switch (run.status) {
    case "completed": return resultView(app, run);
    case "failed":
      return failure(run.error.message, run.error.recovery, may && run.error.retryable !== false ? again("Try again") : null, run.error.code);
    case "refused":
      return failure(run.error.message, (run.error.fields ?? []).map((f) => `${f.field}: ${f.rule}`).join("; "), may ? again("Send again") : null, run.error.code);
    case "cancelled": return failure("Stopped. What had arrived is kept below.", "", may ? again("Ask again") : null);
    case "expired": return failure("This session has expired.", run.reason, may ? again("Ask again") : null);
    case "interrupted": return failure("The server began a new history while this ran, so its end will not come.", "", may ? again("Ask again") : null);
    default: return previousAnswer(app, run);
  }
}

function failure(message, more, action, code = "") {
  return h("div", { class: "notice bad" }, h("p", {}, h("strong", {}, message), more ? ` ${more}` : "", code ? h("code", {}, code) : null), action);
}

/** While a recomputation runs, the answer before it stays in sight, marked as such. */
function previousAnswer(app, run) {
  const parent = run.asked?.session_context?.parent_session_id;
  const before = parent ? app.runs.bySession(parent) : null;
  if (!before?.result) return null;
  return h("div", { class: "stale", inert: true, "aria-hidden": "true" }, h("p", { class: "stale-note" }, "The answer before, until the new one stands"),
    h("div", { class: "headline" }, before.result.headline.map((f) => h("div", { class: "figure" }, h("span", { class: "figure-label" }, f.label), h("span", { class: "figure-value" }, f.text)))));
}
