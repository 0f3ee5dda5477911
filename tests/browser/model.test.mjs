// A seeded random world around the link: connections break or fall silent at any point and their events come late,
// frames come twice, acknowledgements and submits are lost, pages reload, the server forgets (new epoch).
// In every page's life each frame is applied once and in order, and every message starts one session.
// A failing seed is printed; run it alone with SEED=n.
import test from "node:test";
import assert from "node:assert/strict";
import { Link } from "../../static/js/link.js";

/** SplitMix-like generator, 32 bits: enough to shuffle a small world, and replayable. */
function generator(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return ((z ^ (z >>> 15)) >>> 0) / 2 ** 32;
  };
}

/** The server as protocol.md describes it, for one visitor. */
class Server {
  constructor() {
    this.epoch = 1;
    this.frames = [];
    this.acknowledged = 0;
    this.sessions = new Map();
    this.started = new Map();
  }
  publish(sessionId, type = "agent_thinking", payload = { message: "m" }) {
    this.frames.push({ type, sequence: this.frames.length + 1, epoch: this.epoch, session_id: sessionId,
      timestamp: "2026-11-24T09:30:00.000Z", payload });
  }
  accept(messageId) {
    const duplicate = this.sessions.has(messageId);
    if (!duplicate) {
      this.sessions.set(messageId, `s_${this.sessions.size}`);
      this.started.set(messageId, (this.started.get(messageId) ?? 0) + 1);
      this.publish(this.sessions.get(messageId));
    }
    return { type: "message_accepted", payload: { example_message_id: messageId, session_id: this.sessions.get(messageId), duplicate } };
  }
  greet(query) {
    const told = "last_sequence" in query;
    const recovered = !told || String(query.epoch) === String(this.epoch);
    const from = !recovered ? 0 : told ? query.last_sequence : this.acknowledged;
    const greeting = { type: "connection_established", payload: { connection_id: "c", user_id: "v", epoch: this.epoch, recovered,
      last_sequence: this.frames.length, acknowledged_sequence: this.acknowledged, oldest_sequence: 1, heartbeat_interval_ms: 400 } };
    return { greeting, from };
  }
  forget() {
    this.epoch += 1;
    this.frames = [];
    this.acknowledged = 0;
  }
}

class World {
  constructor(seed) {
    this.random = generator(seed);
    this.server = new Server();
    this.now = 0;
    this.events = [];
    this.stored = null;
    this.persistedBySelf = new Map();
    this.submitted = [];
    this.refused = new Set();
    this.reload();
  }
  chance(p) { return this.random() < p; }
  later(ms, run) { this.events.push({ at: this.now + Math.ceil(this.random() * ms), order: this.events.length, run }); }

  /** A new page: what it drew is gone, what it stored is not. Its own applied list starts empty. */
  reload() {
    this.page = (this.page ?? 0) + 1;
    this.connection = null;
    this.timers = new Map();
    this.applied = [];
    this.link = new Link({ position: this.stored && structuredClone(this.stored), random: this.random });
    this.carry(this.link.start(this.now));
  }

  carry(orders) {
    for (const order of orders) {
      if (order.do === "dial") this.dial(order);
      else if (order.do === "send") this.upstream(order);
      else if (order.do === "close") this.break(order.socket);
      else if (order.do === "persist") {
        this.stored = structuredClone(order.position);
        this.carry(this.link.onPersisted(this.now, order.position));
      } else if (order.do === "timer") this.setTimer(order);
      else if (order.do === "deliver") this.deliver(order);
    }
  }

  setTimer({ name, at, keep }) {
    if (at === null) this.timers.delete(name);
    else if (!(keep && this.timers.has(name))) this.timers.set(name, at);
  }

  deliver({ what, frame, fault, messageId }) {
    assert.notEqual(what, "gap", "the server model sends no gaps");
    if (what === "fault") assert.match(fault, /epoch/);
    if (what === "reset") this.applied = [];
    if (what === "refused") this.refused.add(messageId);
    if (what !== "frame") return;
    const last = this.applied.at(-1);
    assert.equal(frame.sequence, last === undefined ? frame.sequence : last + 1, "in order, once");
    if (last === undefined) assert.equal(frame.sequence, this.link.applied);
    this.applied.push(frame.sequence);
  }

  dial({ socket, query }) {
    const page = this.page;
    const mine = (run) => () => { if (page === this.page) run(); };
    if (this.chance(0.25)) {
      this.later(50, mine(() => this.carry(this.link.onClose(this.now, socket, 1006))));
      return;
    }
    const connection = { socket, page, queue: [], alive: true, greeted: false, next: 0 };
    this.connection = connection;
    this.later(30, mine(() => {
      if (!connection.alive) return;
      const { greeting, from } = this.server.greet(query);
      connection.epoch = this.server.epoch;
      connection.next = from;
      connection.greeted = true;
      this.carry(this.link.onOpen(this.now, socket));
      this.hear(connection, greeting);
    }));
  }

  /** Bytes in flight on a connection keep their order; once it broke they may still arrive, late, for a dead socket. */
  hear(connection, frame) {
    if (this.page !== connection.page) return;
    this.carry(this.link.onText(this.now, connection.socket, JSON.stringify(frame)));
  }

  upstream({ socket, frame }) {
    const connection = this.connection;
    if (!connection || connection.socket !== socket || !connection.alive || this.chance(0.1)) {
      if (connection?.alive && connection.socket === socket) this.break(socket);
      return;
    }
    if (frame.type === "ack" && frame.payload.epoch === this.server.epoch) {
      assert.ok(frame.payload.sequence <= this.server.frames.length, "acknowledges what exists");
      assert.ok(String(this.stored.epoch) !== String(this.server.epoch) || frame.payload.sequence <= this.stored.applied, "persisted first");
      if (!this.chance(0.3)) this.server.acknowledged = Math.max(this.server.acknowledged, frame.payload.sequence);
    }
    if (connection.stalled) return;
    if (frame.type === "ping") connection.queue.push({ type: "pong", payload: frame.payload });
    if (frame.type === "chat_message") {
      const answer = this.server.accept(frame.payload.example_message_id);
      if (!this.chance(0.3)) connection.queue.push(answer);
    }
  }

  /** The server's side of one step: sends the next frame, sometimes one again, sometimes answers. */
  pump() {
    const c = this.connection;
    if (!c?.alive || c.stalled || c.epoch !== this.server.epoch) return;
    while (c.queue.length) this.hear(c, c.queue.shift());
    if (!c.alive) return;
    if (this.chance(0.2) && c.next > 0) c.next -= Math.ceil(this.random() * Math.min(3, c.next));
    const frame = this.server.frames[c.next];
    if (frame) {
      c.next += 1;
      this.hear(c, frame);
    }
  }

  break(socket) {
    const c = this.connection;
    if (!c || c.socket !== socket || !c.alive) return;
    c.alive = false;
    const { page } = this;
    const codes = [1001, 1006, 1012, 4100, 4102];
    const code = codes[Math.floor(this.random() * codes.length)];
    const late = c.greeted && c.epoch === this.server.epoch ? this.server.frames[c.next] : undefined;
    this.later(c.stalled ? 2_000 : 200, () => {
      if (page !== this.page) return;
      if (late && this.chance(0.5)) this.carry(this.link.onText(this.now, socket, JSON.stringify(late)));
      this.carry(this.link.onClose(this.now, socket, code));
    });
  }

  tick(ms) {
    this.now += ms;
    const due = this.events.filter((e) => e.at <= this.now).sort((a, b) => a.at - b.at || a.order - b.order);
    this.events = this.events.filter((e) => e.at > this.now);
    for (const event of due) event.run();
    for (const [name, at] of [...this.timers]) {
      if (at > this.now || this.timers.get(name) !== at) continue;
      this.timers.delete(name);
      this.carry(this.link.onTimer(this.now, name));
    }
  }

  misbehave() {
    if (this.chance(0.15)) this.server.publish("s_0");
    if (this.chance(0.04)) {
      const id = `m-${this.submitted.length}`;
      this.submitted.push(id);
      this.carry(this.link.submit(this.now, { example_message_id: id, content: "0123456789" }));
    }
    if (this.chance(0.03) && this.connection) this.break(this.connection.socket);
    if (this.chance(0.01)) this.reload();
    if (this.chance(0.01) && this.connection) this.connection.stalled = true;
    if (this.chance(0.002)) {
      this.server.forget();
      if (this.connection) this.break(this.connection.socket);
    }
  }

  run(steps) {
    for (let n = 0; n < steps; n++) {
      this.misbehave();
      this.pump();
      this.tick(60);
    }
    // Quiet phase: nothing breaks any more (chance still drops some dials and answers), so everything must settle.
    for (let n = 0; n < 20_000 && !this.settled(); n++) {
      this.pump();
      this.tick(20);
    }
  }

  settled() {
    return this.link.phase === "online" && this.link.applied === this.server.frames.length
      && this.server.acknowledged === this.server.frames.length && this.link.outgoing.length === 0;
  }
}

const only = process.env.SEED === undefined ? null : Number(process.env.SEED);
const seeds = only === null ? Array.from({ length: 300 }, (_, n) => n) : [only];

test(`${seeds.length} random worlds`, () => {
  let reloads = 0;
  let epochs = 0;
  for (const seed of seeds) {
    try {
      const world = new World(seed);
      world.run(600);
      assert.ok(world.settled(), `did not settle: ${world.link.phase} ${world.link.applied}/${world.server.frames.length}`);
      assert.deepEqual(world.submitted.filter((id) => world.server.started.get(id) !== (world.refused.has(id) ? undefined : 1)), [],
        "each message starts one session, or was refused aloud");
      reloads += world.page - 1;
      epochs += world.server.epoch - 1;
    } catch (error) {
      error.message = `seed ${seed}: ${error.message}`;
      throw error;
    }
  }
  if (only === null) assert.ok(reloads > 300 && epochs > 100, `the worlds were too calm: ${reloads} reloads, ${epochs} epochs`);
});
