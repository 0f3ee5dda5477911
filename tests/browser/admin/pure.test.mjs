// The administration's pure parts: what the stream has said, the replay, addresses, words, axes.
import test from "node:test";
import assert from "node:assert/strict";
import { EVENTS_MAX, Feed, SILENCE_MS, SNAPSHOTS_MAX } from "../../../static/admin/feed.js";
import { QUIET_MAX_MS, Replay } from "../../../static/admin/replay.js";
import { link, parse } from "../../../static/admin/route.js";
import { contrast } from "../../../static/admin/contrast.js";
import { CHARTS, fromHistory, fromSnapshots, rangeOf } from "../../../static/admin/series.js";
import { advice, ended, sessionTone, trail } from "../../../static/admin/trails.js";
import { LINES_MAX, Tail } from "../../../static/admin/tail.js";
import { byteTicks, thinned, timeTicks, withGaps } from "../../../static/admin/parts/ticks.js";
import { ago, bytes, count, lasting, moment, ms, percent, rate, sentence, span, spoken, topic } from "../../../static/admin/words.js";

const feed = () => new Feed({ random: () => 1 });

test("a page is stale since it last heard something, and live again with the next snapshot", () => {
  const one = feed();
  assert.equal(one.phase, "connecting");
  one.onSnapshot(1_000, { n: 1 });
  assert.deepEqual([one.phase, one.staleSince()], ["live", null]);
  one.onBroken(4_000);
  assert.deepEqual([one.phase, one.staleSince()], ["stale", 1_000]);
  one.onSnapshot(9_000, { n: 2 });
  assert.deepEqual([one.phase, one.staleSince(), one.tries], ["live", null, 0]);
});

test("silence makes a page stale though nothing broke", () => {
  const one = feed();
  one.onSnapshot(0, {});
  assert.equal(one.onTimer(SILENCE_MS - 1), false);
  assert.equal(one.onTimer(SILENCE_MS), true);
  assert.equal(one.onTimer(SILENCE_MS + 1), false, "told once");
  assert.equal(one.staleSince(), 0);
});

test("a stream that breaks again and again is asked ever more seldom, with jitter", () => {
  const early = new Feed({ random: () => 0 });
  const waits = [];
  const one = feed();
  for (let n = 0; n < 7; n++) waits.push(one.onBroken(0));
  assert.deepEqual(waits, [1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000]);
  assert.equal(early.onBroken(0), 500);
});

test("a page that never was live is not stale but still connecting", () => {
  const one = feed();
  one.onBroken(5);
  assert.deepEqual([one.phase, one.staleSince()], ["connecting", null]);
});

test("nothing comes back after the end", () => {
  const one = feed();
  one.end();
  assert.equal(one.onBroken(1), null);
  assert.equal(one.phase, "ended");
});

test("events are told once and kept up to a limit, the newest first", () => {
  const one = feed();
  for (let n = 0; n < EVENTS_MAX + 10; n++) assert.equal(one.onEvent(n, { id: `e${n}` }), true);
  assert.equal(one.onEvent(1, { id: `e${EVENTS_MAX + 9}` }), false);
  assert.deepEqual([one.events.length, one.events[0].id], [EVENTS_MAX, `e${EVENTS_MAX + 9}`]);
  for (let n = 0; n < SNAPSHOTS_MAX + 5; n++) one.onSnapshot(n, { n });
  assert.deepEqual([one.snapshots.length, one.snapshots[0].now], [SNAPSHOTS_MAX, 5]);
});

test("a stream taken up again is told apart from a server that was restarted, whose events are others", () => {
  const one = feed();
  assert.equal(one.onHello(1, { epoch: "1" }), "first");
  one.onEvent(2, { id: "e1-1" });
  one.onBroken(3);
  assert.equal(one.onHello(4, { epoch: "1" }), "again");
  assert.equal(one.events.length, 1);
  assert.equal(one.onHello(5, { epoch: "2" }), "restarted");
  assert.equal(one.events.length, 0);
  assert.equal(one.onEvent(6, { id: "e2-1" }), true);
});

test("lines of the log are shown once, the newest first, whichever way they came, and a paused page waits", () => {
  const line = (n, run = 5) => ({ id: `l${run}-${n}` });
  const ids = (lines) => lines.map(({ id }) => id);
  const one = new Tail();
  assert.equal(one.onLines([line(9)]), true, "live");
  assert.equal(one.onLines([line(10), line(9), line(8)]), true, "asked for");
  assert.equal(one.onLines([line(9)]), false);
  assert.deepEqual(ids(one.shown), ["l5-10", "l5-9", "l5-8"]);
  one.pause();
  one.onLines([line(1, 6), line(11)]);
  assert.deepEqual([ids(one.shown), one.waiting], [["l5-10", "l5-9", "l5-8"], 2]);
  one.resume();
  assert.deepEqual([ids(one.shown).slice(0, 3), one.waiting], [["l6-1", "l5-11", "l5-10"], 0], "a restart counts anew, and is newer");
  for (let n = 0; n < LINES_MAX + 9; n++) one.onLines([line(n, 7)]);
  assert.deepEqual([one.shown.length, one.shown[0].id], [LINES_MAX, `l7-${LINES_MAX + 8}`]);
  one.clear();
  one.pause();
  one.onLines([line(1)]);
  assert.deepEqual([one.shown.length, one.waiting], [0, 1], "paused while empty");
});

test("a range that the server does not have is the live one", () => {
  assert.deepEqual(["live", "1h", "30d", "9y", "", undefined].map(rangeOf), ["5m", "1h", "30d", "5m", "5m", "5m"]);
});

test("a replay shows each frame when it came, at any speed, and stops at the end", () => {
  const one = new Replay([50, 150, 1_150]);
  assert.deepEqual([one.length, one.seen(0)], [1_100, 1]);
  one.play(0);
  assert.deepEqual([one.seen(99), one.seen(100), one.seen(1_099)], [1, 2, 2]);
  one.pace(1_000, 4);
  assert.equal(one.at(1_010), 1_040);
  assert.deepEqual([one.seen(1_025), one.playing], [3, false]);
  one.play(2_000);
  assert.deepEqual([one.at(2_000), one.playing], [0, true], "it begins anew");
  one.seek(2_000, 5_000);
  assert.equal(one.at(2_000), 1_100);
});

test("a long silence is shortened and counted", () => {
  const one = new Replay([0, 60_000, 60_100]);
  assert.deepEqual([one.offsets, one.shortened], [[0, QUIET_MAX_MS, QUIET_MAX_MS + 100], 60_000 - QUIET_MAX_MS]);
  assert.deepEqual([new Replay([]).length, new Replay([]).seen(1)], [0, 0]);
});

test("an address is read as it was written, and anything else is the overview", () => {
  for (const [page, more] of [["sessions", { state: "failed", text: "a&b=c #?%" }], ["messages", { id: "v/../x?y" }], ["overview", {}]]) {
    const { id = null, ...params } = more;
    assert.deepEqual(parse(link(page, more)), { page, id, params });
  }
  assert.equal(link("sessions", { state: "", text: null, visitor: undefined }), "#/sessions");
  for (const odd of ["", "#", "#/", "#/%ZZ"]) assert.equal(parse(odd).page, "overview");
});

test("what was not measured is a dash, never a zero", () => {
  for (const say of [count, rate, ms, percent, bytes, span, ago, moment]) assert.deepEqual([say(null), say(undefined), say(Number.NaN)], ["–", "–", "–"], say.name);
  assert.deepEqual([count(0), ms(0), percent(0), bytes(0)], ["0", "0 ms", "0 %", "0 B"]);
});

test("numbers are spelled for people", () => {
  assert.deepEqual([count(12_345.6), rate(1.234), rate(1_234.5), ms(0.412), ms(1_500), percent(0.0756)], ["12,346", "1.23", "1,235", "0.412 ms", "1.5 s", "7.56 %"]);
  assert.deepEqual([bytes(1_023), bytes(1_024), bytes(81_788_928), bytes(9e10)], ["1,023 B", "1 KiB", "78 MiB", "83.8 GiB"]);
  assert.deepEqual([span(400), span(8_000), span(312_000), span(90_000_000), span(86_400_000)], ["400 ms", "8 s", "5 min 12 s", "1 d 1 h", "1 d"]);
  assert.equal(ago("2026-01-01T00:00:00Z", Date.parse("2026-01-01T00:01:05Z")), "1 min 5 s ago");
  assert.deepEqual([spoken("agent_thinking"), spoken("half_open")], ["Agent thinking", "Half open"]);
});

test("contrast is WCAG's", () => {
  assert.deepEqual([contrast("#000000", "#ffffff"), contrast("#777777", "#777777")].map((n) => Math.round(n * 100) / 100), [21, 1]);
  assert.equal(contrast("#767676", "#ffffff") >= 4.5, true);
  assert.equal(contrast("#777777", "#ffffff") >= 4.5, false);
});

test("an axis of time is marked at round times", () => {
  const midnight = Date.UTC(2026, 10, 25);
  assert.deepEqual(timeTicks(midnight + 1, midnight + 3_600_000, 6, 0).map((t) => (t.value - midnight) / 60_000), [10, 20, 30, 40, 50, 60]);
  assert.deepEqual(timeTicks(midnight - 3 * 86_400_000, midnight, 6, 0).map((t) => (t.value - midnight) / 3_600_000), [-72, -60, -48, -36, -24, -12, 0]);
  assert.deepEqual(timeTicks(5, 4, 6, 0), []);
});

test("an axis of bytes is marked at powers of two", () => {
  assert.deepEqual(byteTicks(100 * 2 ** 20).map((t) => t.value / 2 ** 20), [0, 32, 64, 96]);
  assert.deepEqual(byteTicks(1).map((t) => t.value), [0, 1]);
});

test("a line is not drawn over what was not measured", () => {
  const points = [{ x: 0, y: 1 }, { x: 10, y: 2 }, { x: 100, y: 3 }];
  assert.deepEqual(withGaps(points, 20).map((p) => p.y), [1, 2, null, 3]);
  assert.deepEqual(withGaps(points, 0), points);
});

test("a long table is thinned, the newest stays", () => {
  const rows = Array.from({ length: 100 }, (_, n) => n);
  const few = thinned(rows, 10);
  assert.deepEqual([few.length, few[0]], [10, 99]);
  assert.deepEqual(thinned([1, 2], 10), [2, 1]);
});

test("every chart has its figures in the history and live, and they join", () => {
  const at = (x) => new Date(x).toISOString();
  for (const chart of CHARTS) {
    const history = { from: at(0), to: at(300_000), step_ms: 10_000, series: Object.fromEntries(chart.series.map(({ key }) => [key, [[at(10_000), 1, 2], [at(200_000), null, null], [at(290_000), 5, 5]]])) };
    const snapshot = { connections: { live: 7 }, frames: { sent_per_s: 7, acknowledged_per_s: 7 }, ack_ms: { p50: 7, p95: 7, p99: 7 }, processing_ms: { p50: 7, p95: 7, p99: 7 }, sessions: { processing: 7, queued: 7 }, commits_per_s: 7, memory_bytes: 7, disk_bytes: 7 };
    const joined = fromSnapshots(chart, [{ now: 280_000, snapshot }], 300_000, history);
    for (const { key } of chart.series) {
      assert.deepEqual(fromHistory(chart, history).points[key].map((p) => p.y), [1, null, 5], chart.title);
      assert.deepEqual(joined.points[key].map((p) => p.y), [1, null, 7], `${chart.title}: live figures take the place of the history's`);
    }
  }
});

test("an event leads to what it speaks of, and an alert says what to do", () => {
  assert.deepEqual(trail({ session_id: "s", user_id: "v", breaker: "b", connection_id: "c" }).map((t) => t.text), ["session", "breaker", "connection", "visitor"]);
  assert.deepEqual(trail({}), []);
  for (const id of ["processing_time", "error_rate", "memory_growth", "breaker_open", "failed_connections", "disk_free", "certificate_expiry", "catalog_age", "backup_age"]) assert.ok(advice({ id })?.length > 20, id);
  assert.equal(advice({ id: "x", advice: "do this" }), "do this");
  assert.deepEqual(["created", "processing", "completed", "timed_out"].map(ended), [false, false, true, true]);
  assert.deepEqual([sessionTone("agent_thinking"), sessionTone("failed")], ["busy", "bad"]);
});

test("what goes on is told as it goes on, never as less than nothing", () => {
  assert.equal(lasting(1_000, 64_000), "1 min 3 s");
  assert.equal(lasting(64_000, 1_000), "now");
  assert.equal(lasting(null), "–");
});

test("what the server says becomes a sentence; what is none stays nothing", () => {
  for (const [given, told] of [["the disk is full", "The disk is full."], ["Is it? ", "Is it?"], ["", ""], [null, ""]]) assert.equal(sentence(given), told);
});

test("a topic has its name, and one that is not known yet is still told", () => {
  for (const [given, told] of [["cost-optimization", "Cost"], ["advanced", "Several aims"], ["something-new", "Something new"]]) assert.equal(topic(given), told);
});
