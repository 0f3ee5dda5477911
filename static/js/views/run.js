// One run: the question, what the agent does, how it ended, and the proof.

import { h, show, keyed } from "../h.js";
import { isLive, titleOf } from "../runs.js";
import { brief, duration, figure as figureText, spans, topic, word } from "../format.js";
import { timelineItem, steps } from "./timeline.js";
import { resultView } from "./result.js";
import { proofStrip } from "./proof.js";
import { t, tOr } from "../words.js";

const TICK_MS = 200;
/** An own message up to this length stands as large as a title. */
const TITLE_LIKE = 160;

/** Shows a run; `become(other)` goes on with another of its family in the same place. */
export function runView(app, first) {
  let run = first;
  let result = null;
  const question = h("p", { class: "question-text" });
  const context = h("div", { class: "chips" });
  const status = h("span", { class: "run-state" });
  const elapsed = h("span", { class: "run-elapsed", "aria-hidden": "true" });
  const stop = h("button", { class: "stop", type: "button", onclick: () => {
    stop.disabled = true;
    app.stop(run);
  } }, h("span", { "aria-hidden": "true" }, "■"), ` ${t("run.stop")}`);
  const bar = h("progress", { class: "run-progress", max: "1", "aria-label": t("run.steps_done") });
  const items = h("ol", { class: "timeline" });
  const draft = h("p", { class: "draft" });
  const summary = h("summary", {}, h("span", {}), h("span", { class: "muted" }));
  const work = h("details", { class: "work", open: true }, summary, items, draft);
  const outcome = h("div", { class: "outcome" });
  const proof = proofStrip(app, () => run);
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
    stop.hidden = !(live && run.sessionId && app.control());
    bar.hidden = !live;
    if (run.status === "running" && run.progress > 0) bar.value = run.progress;
    else bar.removeAttribute("value");
    const list = steps(run.frames);
    keyed(items, list, (frame) => frame.sequence, (frame) => timelineItem(frame));
    show(draft, live ? run.text : "");
    show(summary.firstElementChild, t(live ? "run.work_live" : "run.work_done"));
    show(summary.lastElementChild, t("run.steps", { n: list.length }));
    if (drawn !== run.status) {
      // The work stays open while it happens and folds away once there is a result to read.
      if (run.status === "completed") work.open = false;
      drawn = run.status;
      drawOutcome();
      tick();
    }
    if (live) tick();
    result?.update();
    proof.update();
  }

  function drawOutcome() {
    if (run.status !== "completed") {
      show(outcome, outcomeOf(app, run));
      return;
    }
    result ??= resultView(app);
    if (!outcome.contains(result.node)) show(outcome, result.node);
    result.display(run);
  }

  function become(next) {
    run = next;
    drawn = null;
    question.dataset.of = "";
    show(items);
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
    show(question, words === undefined ? h("em", {}, t(run.wordless ? "run.wordless" : "run.fetching"))
      : spans(words, run.result?.quantities).map(({ text, quantity }) => (quantity ? h("mark", { title: quantity.label }, text) : text)));
    // A very long question scrolls in its box, with the keyboard too.
    if (question.scrollHeight > question.clientHeight + 1) question.tabIndex = 0;
    show(context, changes(app, run));
  }

  return {
    node, update, become,
    of: () => run,
    leave: () => {
      clearInterval(timer);
      result?.leave();
    },
  };
}

function statusText(run, phase) {
  // Without a connection nobody here knows what the server does now.
  if (isLive(run) && run.sessionId && phase !== "online") return t("run.adrift");
  if (run.status === "accepted" && run.queuePosition > 0) return t("run.queued", { place: run.queuePosition });
  const text = tOr(`status.${run.status}`, run.status);
  return run.resumed && run.status === "running" ? t("run.resumed", { status: text }) : text;
}

/** What the visitor changed against the run before. */
function changes(app, run) {
  const { assumptions = {} } = run.asked?.session_context ?? {};
  const known = (run.result ?? app.runs.parentOf(run)?.result)?.quantities ?? [];
  return Object.entries(assumptions).map(([name, value]) => {
    const quantity = known.find((q) => q.name === name);
    return h("span", { class: "chip changed" }, quantity ? `${quantity.label}: ${brief(value, quantity.unit)}` : `${name.replaceAll("_", " ")}: ${value}`);
  });
}

function outcomeOf(app, run) {
  const again = (label) => h("button", { class: "primary", type: "button", onclick: () => app.again(run) }, t(label));
  const may = run.asked !== null && app.control();
  const code = run.error?.code;
  switch (run.status) {
    case "failed":
      return failure(run.error.message, run.error.recovery, may && run.error.retryable !== false ? again("run.try_again") : null, code);
    case "refused":
      return failure(run.error.message, (run.error.fields ?? []).map((f) => `${f.field}: ${f.rule}`).join("; "), may ? again("run.send_again") : null, code);
    case "cancelled": return failure(t("run.stopped"), "", may ? again("run.ask_again") : null);
    case "expired": return failure(t("run.expired"), run.reason, may ? again("run.ask_again") : null);
    case "interrupted": return failure(t("run.interrupted"), "", may ? again("run.ask_again") : null);
    default: return previousAnswer(app, run);
  }
}

function failure(message, more, action, code = "") {
  return h("div", { class: "notice bad" }, h("p", {}, h("strong", {}, message), more ? ` ${more}` : "", code ? h("code", {}, code) : null), action);
}

/** While a recomputation runs, the answer before it stays in sight, marked as such. */
function previousAnswer(app, run) {
  const before = app.runs.parentOf(run);
  if (!before?.result) return null;
  return h("div", { class: "stale", inert: true, "aria-hidden": "true" }, h("p", { class: "stale-note" }, t("run.stale")),
    h("div", { class: "headline" }, before.result.headline.map((f) => h("div", { class: "figure" }, h("span", { class: "figure-label" }, f.label), h("span", { class: "figure-value" }, figureText(f))))));
}
