// The link's promises: applied once, in order; acknowledged only what is persisted; nothing submitted is lost.
import test from "node:test";
import assert from "node:assert/strict";
import { Link, LIMITS, backoff, comesBack } from "../../static/js/link.js";

const half = () => 0.5;
const text = (frame) => JSON.stringify(frame);
const greet = (change = {}) => text({ type: "connection_established", payload: {
  connection_id: "c", user_id: "v", epoch: 1, recovered: true, last_sequence: 0, acknowledged_sequence: 0,
  oldest_sequence: 1, heartbeat_interval_ms: 20_000, ...change } });
const frameOf = (sequence, epoch = 1) => text({ type: "agent_thinking", sequence, epoch, session_id: "s",
  timestamp: "2026-11-24T09:30:00.000Z", payload: { message: `n ${sequence}` } });
const asked = (id) => ({ example_message_id: id, content: "0123456789" });
const find = (orders, doing, what) => orders.find((o) => o.do === doing && (what === undefined || o.what === what || o.name === what));
const all = (orders, doing) => orders.filter((o) => o.do === doing);

function online(options = {}, greeting = {}) {
  const link = new Link({ random: half, ...options });
  const dial = find(link.start(0), "dial");
  link.onOpen(1, dial.socket);
  const orders = link.onText(2, dial.socket, greet(greeting));
  return { link, socket: dial.socket, orders, dial };
}
const persist = (link, now, orders) => all(orders, "persist").flatMap((o) => link.onPersisted(now, o.position));

test("close codes fall into two classes", () => {
  for (const code of [1001, 1006, 1011, 1012, 1013, 4100, 4101, 4102, 4103, 4104, 4199]) assert.ok(comesBack(code), code);
  for (const code of [1000, 4500, 4501, 4502, 4503, 4599]) assert.ok(!comesBack(code), code);
});

test("backoff has full jitter under a growing ceiling", () => {
  assert.equal(backoff(0, 0), 0);
  assert.equal(backoff(0, 1), LIMITS.backoffBaseMs);
  assert.equal(backoff(2, 1), LIMITS.backoffBaseMs * 1.5 * 1.5);
  assert.equal(backoff(60, 1), LIMITS.backoffCapMs);
});

test("a first page asks for nothing, a reloaded one for everything", () => {
  assert.deepEqual(online().dial.query, {});
  const again = online({ position: { epoch: "1", applied: 9, outgoing: [] } }, { last_sequence: 9, acknowledged_sequence: 9 });
  assert.deepEqual(again.dial.query, { last_sequence: 0, epoch: "1" });
  assert.ok(find(again.link.onText(3, again.socket, frameOf(1)), "deliver", "frame"));
});

test("a page that follows begins at the oldest that is held, whatever was acknowledged", () => {
  const { link, socket, dial } = online({ all: true }, { last_sequence: 9, acknowledged_sequence: 9, oldest_sequence: 4 });
  assert.deepEqual(dial.query, { last_sequence: 0 });
  assert.ok(find(link.onText(3, socket, frameOf(4)), "deliver", "frame"));
  link.onClose(5, socket, 1006);
  assert.deepEqual(find(link.onTimer(link.retryAt, "retry"), "dial").query, { last_sequence: 4, epoch: "1" });
});

test("n is applied after n-1 only; a gap hangs up and resumes where it was", () => {
  const { link, socket } = online();
  assert.ok(find(link.onText(3, socket, frameOf(1)), "deliver", "frame"));
  const gap = link.onText(4, socket, frameOf(3));
  assert.ok(find(gap, "deliver", "gap") && find(gap, "close"));
  assert.equal(find(gap, "deliver", "frame"), undefined);
  assert.deepEqual(find(link.onTimer(link.retryAt, "retry"), "dial").query, { last_sequence: 1, epoch: "1" });
});

test("a duplicate is not applied but acknowledged again", () => {
  const { link, socket } = online();
  persist(link, 3, link.onText(3, socket, frameOf(1)));
  assert.equal(find(link.onTimer(200, "ack"), "send").frame.payload.sequence, 1);
  const again = link.onText(300, socket, frameOf(1));
  assert.ok(find(again, "deliver", "again"));
  assert.equal(find(again, "deliver", "frame"), undefined);
  assert.equal(find(link.onTimer(500, "ack"), "send").frame.payload.sequence, 1);
});

test("nothing is acknowledged before it is persisted; acknowledgements are batched", () => {
  const { link, socket } = online();
  const orders = [];
  for (let n = 1; n < LIMITS.ackBatch; n++) orders.push(...link.onText(3, socket, frameOf(n)));
  assert.equal(find(link.onTimer(9, "ack"), "send"), undefined);
  assert.equal(find(persist(link, 10, orders), "send"), undefined);
  const last = persist(link, 11, link.onText(11, socket, frameOf(LIMITS.ackBatch)));
  assert.deepEqual(all(last, "send").map((o) => o.frame.payload), [{ sequence: LIMITS.ackBatch, epoch: 1 }]);
});

test("recovered: false starts over from the oldest held, in the new epoch", () => {
  const { link, socket } = online();
  persist(link, 3, link.onText(3, socket, frameOf(1)));
  link.onClose(4, socket, 1006);
  const next = find(link.onTimer(5, "retry"), "dial").socket;
  const orders = link.onText(6, next, greet({ epoch: 2, recovered: false, reason: "restored", oldest_sequence: 4, last_sequence: 6 }));
  assert.equal(find(orders, "deliver", "reset").reason, "restored");
  assert.ok(find(link.onText(7, next, frameOf(4, 2)), "deliver", "frame"));
  assert.ok(find(link.onText(8, next, frameOf(5, 1)), "deliver", "fault"), "the old epoch is over");
});

test("a server behind what it had sent is started over with, whatever it says", () => {
  const { link, socket } = online();
  for (const n of [1, 2]) persist(link, 3, link.onText(3, socket, frameOf(n)));
  link.onClose(4, socket, 1006);
  const next = find(link.onTimer(5, "retry"), "dial").socket;
  assert.ok(find(link.onText(6, next, greet({ last_sequence: 1 })), "deliver", "reset"));
  assert.ok(find(link.onText(7, next, frameOf(1)), "deliver", "frame"));
});

test("a message is sent again with the same id until it is accepted, also by the next page", () => {
  const { link, socket } = online();
  const first = link.submit(3, asked("m"));
  assert.equal(find(first, "send").frame.payload.example_message_id, "m");
  assert.deepEqual(find(first, "persist").position.outgoing, [asked("m")]);
  assert.equal(all(link.submit(3, asked("m")), "send").length, 0, "the same id waits once");
  link.onClose(4, socket, 1006);
  const next = find(link.onTimer(5, "retry"), "dial").socket;
  assert.equal(find(link.onText(6, next, greet()), "send").frame.payload.example_message_id, "m");
  const reloaded = online({ position: { epoch: "1", applied: 0, outgoing: [asked("m")] } });
  assert.equal(find(reloaded.orders, "send").frame.payload.example_message_id, "m");
  const accepted = link.onText(7, next, text({ type: "message_accepted", payload: { example_message_id: "m", session_id: "s", duplicate: true } }));
  assert.deepEqual(find(accepted, "persist").position.outgoing, []);
  link.onClose(8, next, 1006);
  const third = find(link.onTimer(9, "retry"), "dial").socket;
  assert.equal(find(link.onText(10, third, greet()), "send"), undefined);
});

test("a refused message leaves the queue and says why", () => {
  const { link, socket } = online();
  link.submit(3, asked("m"));
  const orders = link.onText(4, socket, text({ type: "error", payload: { code: "x", message: "no", temporary: false, example_message_id: "m" } }));
  assert.equal(find(orders, "deliver", "refused").messageId, "m");
  assert.deepEqual(find(orders, "persist").position.outgoing, []);
});

test("a cancel is repeated after a reconnect until the session has ended", () => {
  const { link, socket } = online();
  link.onText(3, socket, frameOf(1));
  assert.equal(find(link.cancel(3, "s"), "send").frame.type, "cancel");
  link.onClose(4, socket, 1006);
  const next = find(link.onTimer(5, "retry"), "dial").socket;
  assert.equal(find(link.onText(6, next, greet({ last_sequence: 1 })), "send").frame.type, "cancel");
  link.onText(7, next, text({ type: "session_cancelled", sequence: 2, epoch: 1, session_id: "s", timestamp: "2026-11-24T09:30:00Z", payload: { reason: "visitor" } }));
  link.onClose(8, next, 1006);
  const third = find(link.onTimer(9, "retry"), "dial").socket;
  assert.equal(find(link.onText(10, third, greet({ last_sequence: 2 })), "send"), undefined);
});

test("a drain delays the return by what the server asked", () => {
  const { link, socket } = online();
  link.onText(3, socket, text({ type: "server_draining", payload: { reconnect_after_ms: 1500 } }));
  link.onClose(1000, socket, 1001);
  assert.equal(link.retryAt, 1000 + 1500 + LIMITS.backoffBaseMs / 2);
});

test("45xx stays away until the visitor asks", () => {
  for (const code of [4500, 4501, 4502, 4503]) {
    const { link, socket } = online();
    link.onClose(3, socket, code);
    assert.deepEqual([link.phase, link.reason, link.retryAt], ["offline", String(code), null]);
    assert.deepEqual(link.onTimer(99_999, "retry"), []);
    assert.ok(find(link.hurry(100_000), "dial"));
  }
});

test("a failed dial asks whether the credential holds; a dead one stops the dialing", () => {
  const link = new Link({ random: half });
  const socket = find(link.start(0), "dial").socket;
  assert.ok(find(link.onClose(1, socket, 1006), "probe"));
  link.onProbe(2, { found: "ok", retryMs: 30_000 });
  assert.ok(link.retryAt >= 30_002, "Retry-After is kept");
  link.onProbe(3, { found: "unauthenticated" });
  assert.deepEqual([link.phase, link.reason], ["offline", "unauthenticated"]);
});

test("another visitor's credential ends the dialing instead of being refused for ever", () => {
  const link = new Link({ random: half });
  const socket = find(link.start(0), "dial").socket;
  link.onClose(1, socket, 1006);
  assert.equal(find(link.onProbe(2, { found: "another", userId: "w" }), "dial"), undefined);
  assert.deepEqual([link.phase, link.reason, link.retryAt], ["offline", "another", null]);
});

test("the backoff grows until a connection has lasted", () => {
  const link = new Link({ random: () => 1 });
  let socket = find(link.start(0), "dial").socket;
  const delays = [];
  for (let now = 0, n = 0; n < 4; n++) {
    link.onClose(now, socket, 1006);
    delays.push(link.retryAt - now);
    now = link.retryAt;
    socket = find(link.onTimer(now, "retry"), "dial").socket;
  }
  assert.deepEqual(delays, [400, 600, 900, 1350]);
  link.onText(9000, socket, greet());
  link.onTimer(14_000, "stable");
  link.onClose(15_000, socket, 1006);
  assert.equal(link.retryAt, 15_400);
});

test("silence is probed with a ping and then ends the connection", () => {
  const { link, socket } = online();
  const ping = link.onTimer(20_002, "beat");
  assert.equal(find(ping, "send").frame.type, "ping");
  link.onText(20_500, socket, text({ type: "pong", payload: { nonce: "1" } }));
  assert.equal(find(link.onTimer(30_002, "silence"), "close"), undefined);
  assert.ok(find(link.onTimer(50_002, "beat"), "send"));
  assert.ok(find(link.onTimer(60_002, "silence"), "close"));
  assert.deepEqual([link.phase, link.reason], ["waiting", "silent"]);
});

test("a socket that was given up is not heard any more", () => {
  const { link, socket } = online();
  link.onClose(3, socket, 1006);
  const next = find(link.onTimer(4, "retry"), "dial").socket;
  assert.deepEqual(link.onText(5, socket, frameOf(1)), []);
  assert.deepEqual(link.onClose(6, socket, 1006), []);
  link.onText(7, next, greet());
  assert.equal(link.phase, "online");
});
