// From frames to runs: a run is one question, what the agent did about it, and how it ended. Pure.

import { topic } from "./format.js";
import { t } from "./words.js";

/** What a run of a history that is over has at the end of its key. */
const EARLIER = "~earlier";
const LIVE = new Set(["sending", "accepted", "running"]);
export const isLive = (run) => LIVE.has(run.status);
/** The question's title; another device's question is known by its category only. */
export const titleOf = (run) => run.asked?.example_message_metadata?.title ?? t("run.untitled", { topic: topic(run.category) });

export class Runs {
  constructor() {
    this.list = [];
  }

  /** The run of a key; a run of an earlier history that was told again is found by its old key too. */
  byKey(key) {
    return this.list.find((run) => run.key === key) ?? this.list.find((run) => run.key + EARLIER === key);
  }

  byMessage(messageId) {
    return this.list.find((run) => run.messageId === messageId);
  }

  bySession(sessionId) {
    return this.list.find((run) => run.sessionId === sessionId);
  }

  /** The run that this one varies, where it is known here. */
  parentOf(run) {
    const parent = run.asked?.session_context?.parent_session_id;
    return parent ? this.bySession(parent) : undefined;
  }

  /** The question that this run varies, over any number of steps; itself where it varies none. */
  rootOf(run) {
    let root = run;
    // A history that points in a circle is nobody's; the steps are bounded by the runs there are.
    for (let step = 0; step < this.list.length; step++) {
      const parent = this.parentOf(root);
      if (!parent || parent === root) break;
      root = parent;
    }
    return root;
  }

  /** The question and all that vary it, the oldest first. */
  familyOf(run) {
    const root = this.rootOf(run);
    return this.list.filter((other) => this.rootOf(other) === root).reverse();
  }

  /** Takes out a question that never became a session. */
  drop(run) {
    this.list = this.list.filter((other) => other !== run);
  }

  /** A question was put into the outgoing queue. */
  asked(payload) {
    const known = this.byMessage(payload.example_message_id);
    if (known) {
      known.status = known.sessionId ? "accepted" : "sending";
      known.error = null;
      return known;
    }
    return this.#add({ messageId: payload.example_message_id, asked: payload });
  }

  /** One frame of the wire, in order and once. `asked` finds the question of a message id, where this browser knows it. */
  frame(frame, asked) {
    const { payload } = frame;
    let run = this.bySession(frame.session_id);
    if (!run && payload.example_message_id) run = this.byMessage(payload.example_message_id);
    if (!run) {
      const messageId = payload.example_message_id ?? null;
      run = this.#add({ messageId, asked: messageId ? asked(messageId) : null });
    }
    run.sessionId = frame.session_id;
    run.startedAt ??= Date.parse(frame.timestamp);
    run.frames.push(frame);
    run.lastAt = Date.parse(frame.timestamp);
    STEPS[frame.type]?.(run, payload);
    return run;
  }

  accepted({ example_message_id, session_id, queue_position }) {
    const run = this.byMessage(example_message_id);
    if (!run) return;
    run.sessionId = session_id;
    if (run.status === "sending") run.status = "accepted";
    run.queuePosition = queue_position ?? null;
  }

  refused(messageId, error) {
    const run = this.byMessage(messageId);
    if (!run || run.frames.length > 0) return;
    run.status = "refused";
    run.error = error;
  }

  /**
   * The server began a new history: what ended stays readable, what ran has lost its stream.
   * The old runs let go of their ids, so that a history told again from its oldest frame is drawn anew.
   */
  reset() {
    for (const run of this.list.filter((r) => r.status !== "sending" && !r.earlier)) {
      if (isLive(run)) run.status = "interrupted";
      run.earlier = run.messageId ?? true;
      run.key += EARLIER;
      run.messageId = null;
      run.sessionId = null;
    }
  }

  #add({ messageId, asked }) {
    this.list = this.list.filter((run) => messageId === null || run.earlier !== messageId);
    const run = {
      key: messageId ?? `run-${this.list.length}`, messageId, asked, sessionId: null, status: "sending", frames: [], text: "", progress: 0,
      agent: "", backend: "", resumed: false, queuePosition: null, startedAt: null, lastAt: null,
      result: null, error: null, reason: "", processingMs: null, fallback: null, real: null, earlier: false,
    };
    this.list.unshift(run);
    return run;
  }
}

/** What each frame changes in its run. */
const STEPS = {
  processing_started(run, payload) {
    run.status = "running";
    run.queuePosition = null;
    run.resumed ||= payload.resumed === true;
    run.category = payload.category;
    run.complexity = payload.complexity;
  },
  agent_started(run, payload) {
    run.status = "running";
    run.agent = payload.agent_name;
    run.backend = payload.backend ?? "";
    // An attempt begins (again, after a restart or a failure): its text begins anew.
    run.text = "";
    run.progress = 0;
  },
  tool_executing(run, payload) {
    run.progress = payload.progress;
  },
  partial_result(run, payload) {
    if (payload.text_delta) run.text += payload.text_delta;
  },
  agent_completed(run, payload) {
    run.status = "completed";
    run.progress = 1;
    run.result = payload.result;
    run.processingMs = payload.processing_time_ms;
    run.fallback = payload.fallback_reason ?? null;
    run.real = payload.real_agent_execution ?? null;
  },
  error(run, payload) {
    run.status = "failed";
    run.error = payload;
  },
  session_cancelled(run, payload) {
    run.status = "cancelled";
    run.reason = payload.reason;
  },
  session_expired(run, payload) {
    run.status = "expired";
    run.reason = payload.reason;
  },
};
