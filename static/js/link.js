// The client's link to the server: a pure machine.
//
// Nothing here opens a socket, reads a clock or draws a random number: every call
// takes `now` (milliseconds, monotonic) and returns orders, which socket.js carries
// out in their order. What it promises: a frame is applied once, in order, and only
// after the one before; it is acknowledged only after its position was persisted;
// an outgoing message is sent again until the server has accepted it.
//
// Phases: offline (not wanted, or told not to come back) → dialing → online → waiting → dialing …
//
// Orders: {do: "dial", socket, query} · {do: "send", socket, frame} · {do: "close", socket}
//   · {do: "timer", name, at} (at = null stops it) · {do: "persist", position}
//   · {do: "deliver", what, …} (what: frame, again, gap, reset, accepted, refused, acked, fault)
//   · {do: "probe"}: ask over HTTP whether our credential still holds
//   · {do: "state"}: phase or reason changed, show it.

import { decode, ENDS } from "./frames.js";

export const LIMITS = {
  backoffBaseMs: 400,
  backoffCapMs: 15_000,
  /** Well under the server's 5 s acknowledgement timeout. */
  ackDelayMs: 100,
  /** Well under the server's window of 64. */
  ackBatch: 16,
  /** A connection that lived this long has earned a fresh backoff. */
  stableMs: 5_000,
  /** No `connection_established` within this: dial again. */
  greetingMs: 15_000,
  heartbeatMs: 20_000,
  pongMs: 10_000,
  outgoing: 20,
};

/** 45xx: not until something changed; 1000: done. All others come back. */
export function comesBack(code) {
  return code !== 1000 && !(code >= 4500 && code <= 4599);
}

/** Full jitter: anywhere between now and the ceiling, which grows by half with each attempt: doubled, a page would sleep long after a short restart. */
export function backoff(attempt, random) {
  const ceiling = Math.min(LIMITS.backoffCapMs, LIMITS.backoffBaseMs * 1.5 ** Math.min(attempt, 20));
  return Math.round(random * ceiling);
}

export class Link {
  /**
   * `position`: what was persisted by an earlier page, `{epoch, applied, outgoing}`, or null.
   * A new page has lost what it drew, so it begins at 0 and draws everything again.
   * `random`: a function returning 0..1. `all`: a page without a position asks for everything that is held too.
   */
  constructor({ position = null, random, all = false }) {
    this.random = random;
    this.all = all;
    this.phase = "offline";
    this.reason = "";
    this.socket = 0;
    this.epoch = position?.epoch ?? null;
    this.applied = 0;
    this.persisted = 0;
    this.acked = 0;
    this.attempt = 0;
    this.retryAt = null;
    this.outgoing = (position?.outgoing ?? []).map((payload) => ({ payload, socket: 0 }));
    this.cancels = new Set();
    this.drainMs = null;
    this.heardAt = 0;
    this.heartbeatMs = LIMITS.heartbeatMs;
    this.nonce = 0;
    this.known = null;
  }

  // ---- what the page wants

  start(now) {
    return this.phase === "offline" ? this.#dial(now) : [];
  }

  /** The visitor or the browser says: try now. */
  hurry(now) {
    return this.phase === "waiting" || this.phase === "offline" ? this.#dial(now) : [];
  }

  stop(now) {
    const orders = this.phase === "offline" ? [] : this.#hangUp();
    return [...orders, ...this.#rest("stopped")];
  }

  /** Queues a `chat_message`; it is persisted before it is sent. False where the queue is full. */
  submit(now, payload) {
    const known = this.outgoing.some((m) => m.payload.example_message_id === payload.example_message_id);
    if (!known && this.outgoing.length >= LIMITS.outgoing) {
      return [{ do: "deliver", what: "refused", messageId: payload.example_message_id,
        error: { code: "queue_full", message: "Too many messages wait to be sent.", temporary: true } }];
    }
    if (!known) this.outgoing.push({ payload, socket: 0 });
    return [this.#persist(), ...this.#flush()];
  }

  cancel(now, sessionId) {
    this.cancels.add(sessionId);
    return this.#online() ? [this.#send("cancel", { session_id: sessionId })] : [];
  }

  /** A business event: sent when there is a connection, else dropped; it is a count, not a promise. */
  track(now, payload) {
    return this.#online() ? [this.#send("track", payload)] : [];
  }

  // ---- what happens

  /** The socket opened; the link is online only once the server has greeted. */
  onOpen(now, socket) {
    if (socket === this.socket) this.heardAt = now;
    return [];
  }

  onText(now, socket, text) {
    if (socket !== this.socket || this.phase === "offline" || this.phase === "waiting") return [];
    this.heardAt = now;
    const { frame, fault } = decode(text);
    if (fault) return [{ do: "deliver", what: "fault", fault }];
    if (frame.sequence !== undefined) return this.#onSequenced(now, frame);
    switch (frame.type) {
      case "connection_established": return this.#onEstablished(now, frame.payload);
      case "message_accepted": return this.#onAccepted(frame.payload);
      case "server_draining":
        this.drainMs = frame.payload.reconnect_after_ms;
        return [];
      case "error": return this.#onRefused(frame.payload);
      default: return [];
    }
  }

  onClose(now, socket, code) {
    if (socket !== this.socket || this.phase === "offline" || this.phase === "waiting") return [];
    if (!comesBack(code)) return this.#rest(String(code));
    const greeted = this.phase === "online";
    // A refused upgrade looks like any failure to a browser; only HTTP tells a dead credential from a dead server.
    return [...this.#wait(now, greeted ? "lost" : "unreachable"), ...(greeted ? [] : [{ do: "probe" }])];
  }

  /** What the probe found: `ok`, `unauthenticated`, `another` (visitor's credential), `unreachable`, or a time to wait in `retryMs`. */
  onProbe(now, { found, retryMs = 0 }) {
    if (this.phase !== "waiting") return [];
    if (found === "unauthenticated" || found === "another") return this.#rest(found);
    if (retryMs <= 0) return [];
    this.retryAt = now + retryMs + backoff(this.attempt, this.random());
    return [{ do: "timer", name: "retry", at: this.retryAt }, { do: "state" }];
  }

  onPersisted(now, { epoch, applied }) {
    if (epoch !== this.epoch || applied < this.persisted) return [];
    this.persisted = applied;
    if (!this.#online() || this.persisted <= this.acked) return [];
    if (this.persisted - this.acked >= LIMITS.ackBatch) return this.#acknowledge(now);
    return [{ do: "timer", name: "ack", at: now + LIMITS.ackDelayMs, keep: true }];
  }

  onTimer(now, name) {
    switch (name) {
      case "retry": return this.phase === "waiting" ? this.#dial(now) : [];
      case "greeting": return this.phase === "dialing" ? [...this.#hangUp(), ...this.#wait(now, "unreachable"), { do: "probe" }] : [];
      case "ack": return this.#online() ? this.#acknowledge(now) : [];
      case "stable":
        if (this.#online()) this.attempt = 0;
        return [];
      case "beat": return this.#online() ? this.#beat(now) : [];
      case "silence":
        if (!this.#online()) return [];
        if (now - this.heardAt < LIMITS.pongMs) return [this.#nextBeat(now)];
        return [...this.#hangUp(), ...this.#wait(now, "silent")];
      default: return [];
    }
  }

  // ---- inside

  #online() {
    return this.phase === "online";
  }

  #send(type, payload) {
    return { do: "send", socket: this.socket, frame: { type, payload } };
  }

  #persist() {
    const outgoing = this.outgoing.map((m) => m.payload);
    return { do: "persist", position: { epoch: this.epoch, applied: this.applied, outgoing } };
  }

  #dial(now) {
    this.phase = "dialing";
    this.retryAt = null;
    this.drainMs = null;
    this.socket += 1;
    const query = this.epoch === null ? (this.all ? { last_sequence: 0 } : {}) : { last_sequence: this.applied, epoch: this.epoch };
    return [
      { do: "timer", name: "retry", at: null },
      { do: "timer", name: "greeting", at: now + LIMITS.greetingMs },
      { do: "dial", socket: this.socket, query }, { do: "state" },
    ];
  }

  #quiet() {
    return ["greeting", "ack", "stable", "beat", "silence"].map((name) => ({ do: "timer", name, at: null }));
  }

  /** Closes our side; whatever the old socket still says is ignored by its number. */
  #hangUp() {
    const socket = this.socket;
    this.socket += 1;
    return [{ do: "close", socket }];
  }

  #wait(now, reason) {
    this.phase = "waiting";
    this.reason = reason;
    const delay = (this.drainMs ?? 0) + backoff(this.attempt, this.random());
    this.attempt += 1;
    this.retryAt = now + delay;
    return [...this.#quiet(), { do: "timer", name: "retry", at: this.retryAt }, { do: "state" }];
  }

  #rest(reason) {
    this.phase = "offline";
    this.reason = reason;
    this.retryAt = null;
    return [...this.#quiet(), { do: "timer", name: "retry", at: null }, { do: "state" }];
  }

  #onEstablished(now, greeting) {
    if (this.phase !== "dialing") return [{ do: "deliver", what: "fault", fault: "greeted twice" }];
    const epoch = String(greeting.epoch);
    const fresh = this.epoch === null;
    // A server behind what it has sent has lost data, even if it does not know: its next frames would look like old ones.
    const behind = !fresh && epoch === this.epoch && greeting.last_sequence < this.applied;
    const startOver = !greeting.recovered || behind || (!fresh && epoch !== this.epoch);
    const orders = [];
    this.phase = "online";
    this.reason = "";
    this.known = greeting;
    this.heartbeatMs = greeting.heartbeat_interval_ms > 0 ? greeting.heartbeat_interval_ms : LIMITS.heartbeatMs;
    const held = greeting.oldest_sequence > 0 ? greeting.oldest_sequence - 1 : greeting.last_sequence;
    if (startOver || (this.applied === 0 && (!fresh || this.all))) this.#begin(epoch, held);
    else if (fresh) this.#begin(epoch, greeting.acknowledged_sequence);
    if (startOver) orders.push({ do: "deliver", what: "reset", reason: greeting.reason ?? (behind ? "the server is behind what it had sent" : ""), epoch });
    // What we have applied may be further than the server knows: the last acknowledgement may have been lost.
    this.acked = Math.min(this.persisted, greeting.acknowledged_sequence);
    orders.push(this.#persist(), { do: "timer", name: "greeting", at: null },
      { do: "timer", name: "stable", at: now + LIMITS.stableMs }, this.#nextBeat(now), { do: "state" });
    for (const sessionId of this.cancels) orders.push(this.#send("cancel", { session_id: sessionId }));
    return [...orders, ...this.#flush()];
  }

  #begin(epoch, before) {
    this.epoch = epoch;
    this.applied = before;
    this.persisted = before;
    this.acked = before;
  }

  #onSequenced(now, frame) {
    if (!this.#online()) return [{ do: "deliver", what: "fault", fault: "a frame before the greeting" }];
    if (frame.epoch !== this.epoch) return [{ do: "deliver", what: "fault", fault: "a frame of another epoch" }];
    if (frame.sequence <= this.applied) {
      // Seen before: our acknowledgement was lost or late, so say it again.
      this.acked = Math.min(this.acked, frame.sequence - 1);
      return [{ do: "deliver", what: "again", frame }, { do: "timer", name: "ack", at: now + LIMITS.ackDelayMs, keep: true }];
    }
    if (frame.sequence > this.applied + 1) {
      const gap = { do: "deliver", what: "gap", expected: this.applied + 1, frame };
      return [gap, ...this.#hangUp(), ...this.#wait(now, "gap")];
    }
    this.applied = frame.sequence;
    if (ENDS.has(frame.type)) this.cancels.delete(frame.session_id);
    return [{ do: "deliver", what: "frame", frame }, this.#persist()];
  }

  #acknowledge(now) {
    const stop = { do: "timer", name: "ack", at: null };
    if (this.persisted <= this.acked) return [stop];
    this.acked = this.persisted;
    return [stop, this.#send("ack", { sequence: this.acked, epoch: this.#wireEpoch() }),
      { do: "deliver", what: "acked", sequence: this.acked }];
  }

  /** The epoch in the form in which the server wrote it. */
  #wireEpoch() {
    return this.known && String(this.known.epoch) === this.epoch ? this.known.epoch : this.epoch;
  }

  #onAccepted(payload) {
    const before = this.outgoing.length;
    this.outgoing = this.outgoing.filter((m) => m.payload.example_message_id !== payload.example_message_id);
    const orders = [{ do: "deliver", what: "accepted", payload }];
    return before === this.outgoing.length ? orders : [this.#persist(), ...orders];
  }

  #onRefused(error) {
    const messageId = error.example_message_id;
    const before = this.outgoing.length;
    this.outgoing = this.outgoing.filter((m) => m.payload.example_message_id !== messageId);
    const orders = [{ do: "deliver", what: "refused", messageId, error }];
    return before === this.outgoing.length ? orders : [this.#persist(), ...orders];
  }

  /** Sends what was not yet sent on this socket; the same id again starts nothing at the server. */
  #flush() {
    if (!this.#online()) return [];
    const due = this.outgoing.filter((m) => m.socket !== this.socket);
    return due.map((message) => {
      message.socket = this.socket;
      return this.#send("chat_message", message.payload);
    });
  }

  #nextBeat(now) {
    return { do: "timer", name: "beat", at: now + this.heartbeatMs };
  }

  #beat(now) {
    if (now - this.heardAt < this.heartbeatMs) return [{ do: "timer", name: "beat", at: this.heardAt + this.heartbeatMs }];
    this.nonce += 1;
    return [this.#send("ping", { nonce: String(this.nonce) }), { do: "timer", name: "silence", at: now + LIMITS.pongMs }];
  }
}
