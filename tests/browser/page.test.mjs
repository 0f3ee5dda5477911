// What the page makes of frames: runs, the proof, numbers in texts.
import test from "node:test";
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { decode } from "../../static/js/frames.js";
import { Runs } from "../../static/js/runs.js";
import { Ledger } from "../../static/js/proof.js";
import { pieces, spans, brief, full, rounded, tick, duration } from "../../static/js/format.js";
import { config } from "../../static/js/charts/config.js";
import { decadeTicks, lines, roundTicks } from "../../static/js/charts/axes.js";
import { Questions } from "../../static/js/questions.js";
import { signal, effect } from "../../static/js/signal.js";
import { use } from "../../static/js/words.js";

use("en", JSON.parse(readFileSync(new URL("../../static/lang/en.json", import.meta.url), "utf8")));

const FRAMES = JSON.parse(readFileSync(new URL("../fixtures/frames.json", import.meta.url), "utf8"));
const fixture = (name) => decode(JSON.stringify(FRAMES.find((f) => f.name === name).frame)).frame;
const frame = (sequence, type = "agent_thinking", payload = { message: "m" }, session_id = "s") => ({
  type, sequence, epoch: "1", session_id, payload, timestamp: new Date(1_760_000_000_000 + sequence * 100).toISOString() });

test("a run goes from question to result", () => {
  const runs = new Runs();
  runs.asked({ example_message_id: "m-1", content: "question" });
  assert.equal(runs.list[0].status, "sending");
  runs.accepted({ example_message_id: "m-1", session_id: "s_0123456789abcdef0123456789abcdef", queue_position: 2 });
  assert.deepEqual([runs.list[0].status, runs.list[0].queuePosition], ["accepted", 2]);
  for (const name of ["processing started", "agent started", "tool", "partial text", "completed"]) runs.frame(fixture(name), () => null);
  const [run] = runs.list;
  assert.equal(runs.list.length, 1);
  assert.deepEqual([run.status, run.agent, run.text, run.result.headline.length], ["completed", "Cost Optimization Agent", "At list price ", 1]);
});

test("each end ends a run", () => {
  const ends = { "session error": "failed", "session cancelled": "cancelled", "session expired": "expired", completed: "completed" };
  for (const [name, status] of Object.entries(ends)) {
    const runs = new Runs();
    assert.equal(runs.frame(fixture(name), () => null).status, status);
  }
});

test("after a new history old runs stay readable and the same story told again is drawn once", () => {
  const runs = new Runs();
  runs.frame(fixture("processing started"), () => null);
  runs.reset();
  assert.equal(runs.list[0].status, "interrupted");
  runs.frame(fixture("processing started"), () => null);
  assert.deepEqual(runs.list.map((r) => r.status), ["running"]);
});

test("the ledger's verdict counts and does not assert", () => {
  const verdict = (feed) => {
    const ledger = new Ledger();
    feed(ledger);
    const { lost, doubled, outOfOrder, repeated, acknowledged, longestGapMs } = ledger.of("s");
    return [lost, doubled, outOfOrder, repeated, acknowledged, longestGapMs];
  };
  const table = [
    ["clean", (l) => [1, 2, 3].forEach((n) => l.applied(frame(n), n * 10)), [0, 0, 0, 0, 0, 10]],
    ["lost", (l) => [1, 3].forEach((n) => l.applied(frame(n), n * 10)), [1, 0, 0, 0, 0, 20]],
    ["doubled", (l) => [1, 2, 2].forEach((n) => l.applied(frame(n), n * 10)), [0, 1, 0, 0, 0, 10]],
    ["out of order", (l) => [2, 1].forEach((n) => l.applied(frame(n), 5)), [0, 0, 1, 0, 0, 0]],
    ["again", (l) => { l.applied(frame(1), 1); l.again(frame(1)); l.acked(1, 9); }, [0, 0, 0, 1, 1, 0]],
    ["other session between", (l) => { l.applied(frame(1), 1); l.applied(frame(2, "agent_thinking", {}, "t"), 2); l.applied(frame(3), 3); }, [0, 0, 0, 0, 0, 2]],
  ];
  for (const [name, feed, want] of table) assert.deepEqual(verdict(feed), want, name);
});

test("the proof spans a reload: the first reception counts", () => {
  const before = new Ledger();
  before.applied(frame(1), 100);
  const after = new Ledger(JSON.parse(JSON.stringify(before.seen)));
  after.applied(frame(1), 5_000);
  after.applied(frame(2), 5_100);
  const proof = after.of("s");
  assert.deepEqual([proof.redrawn, proof.longestGapMs, proof.rows[0].received], [1, 5_000, 100]);
});

test("numbers in a text are found in their order", () => {
  const text = "From $5 to $5 of $50";
  assert.deepEqual(pieces(text, [{ text: "$5", id: "a" }, { text: "$5", id: "b" }, { text: "$50", id: "c" }, { text: "$9", id: "d" }]),
    [{ text: "From " }, { text: "$5", id: "a" }, { text: " to " }, { text: "$5", id: "b" }, { text: " of " }, { text: "$50", id: "c" }]);
  assert.deepEqual(pieces("plain"), [{ text: "plain" }]);
});

test("spans are counted in scalar values", () => {
  const quantity = { source: "message", span: [2, 5] };
  assert.deepEqual(spans("\u{1F680} 900 in", [quantity]), [{ text: "\u{1F680} " }, { text: "900", quantity }, { text: " in" }]);
});

test("formats", () => {
  const table = [[full(5700, "USD/month"), "$5,700 / month"], [full(0.00475, "USD"), "$0.00475"], [full(-3, "USD"), "−$3"],
    [full(0.5, "USD/Mtok"), "$0.50 / million tokens"], [full(0.8, "fraction"), "0.8 (80\u00a0%)"], [brief(0.125, "fraction"), "12.5\u00a0%"], [brief(0.15, "fraction/month"), "15\u00a0%/month"],
    [rounded(28.98550725, "requests/s"), "28.986\u00a0requests/s"], [rounded(5464.8, "USD/month"), "$5,464.80 / month"], [brief(-400, "USD/month"), "−$400 / month"],
    [full(900, "tokens"), "900\u00a0tokens"], [brief(1, "weeks"), "1\u00a0week"], [full(1, "calls/request"), "1\u00a0call/request"], [brief(1, "GB/s"), "1\u00a0GB/s"], [tick(1_200_000), "1.2M"], [tick(17100, "USD/month"), "$17.1K"],
    [duration(840), "840 ms"], [duration(12_340), "12.3 s"], [duration(125_000), "2 min 5 s"]];
  for (const [got, want] of table) assert.equal(got, want);
});

const THEME = { ink: "#000", muted: "#555", line: "#ddd", surface: "#fff", accent: "#06c", good: "#080", bad: "#a00", series: ["#06c", "#c60"] };
const axis = (label, unit = "", scale = "linear") => ({ label, unit, scale });
test("every declared kind becomes a drawing, and every point is drawn", () => {
  const category = axis("step", "", "category");
  const value = axis("cost", "USD");
  const kinds = [
    ["waterfall", category, value, [{ label: "a", y: 5, low: 0 }, { label: "b", y: 3, low: 5 }]],
    ["bars", category, value, [{ label: "a", y: 5 }, { label: "b", y: 3 }]],
    ["line", axis("n"), value, [{ x: 1, y: 5 }, { x: 2, y: 3 }]],
    ["scatter", axis("cost", "USD", "log"), axis("quality"), [{ x: 1, y: 5, label: "m", strong: true }, { x: 2, y: 3 }]],
    ["fan", axis("month"), value, [{ x: 1, y: 5, low: 4, high: 6 }, { x: 2, y: 3, low: 2, high: 4 }]],
    ["tornado", value, category, [{ label: "a", y: 5, low: 4, high: 6 }, { label: "b", y: 5, low: 5, high: 7 }]],
    ["histogram", axis("s"), axis("count"), [{ x: 1, y: 5 }, { x: 2, y: 3 }]],
    ["stacked", category, value, [{ label: "a", y: 5 }, { label: "b", y: 3 }]],
    ["gantt", axis("week"), category, [{ label: "a", y: 2, low: 1, high: 2 }, { label: "b", y: 3, low: 2, high: 3 }]],
  ];
  for (const [kind, x, y, points] of kinds) {
    const made = config({ kind, x, y, series: [{ name: "s", points }], marks: [{ axis: "y", value: 4, label: "limit" }], title: kind }, THEME, false);
    assert.ok(["bar", "line", "scatter"].includes(made.type), kind);
    assert.ok(made.data.datasets.some((d) => d.data.length === 2), kind);
  }
});

const drawn = (kind, x, y, series) => config({ kind, x, y, series, marks: [], title: kind }, { ...THEME, series: ["#06c", "#c60", "#609"] });

test("a waterfall tells the change of each step and the level of each total", () => {
  const points = [{ label: "bill", y: 5700, low: 0 }, { label: "cache", y: 5100, low: 5700 }, { label: "growth", y: 5400, low: 5100 }, { label: "after", y: 5400, low: 0, strong: true }];
  const [bars] = drawn("waterfall", axis("step", "", "category"), axis("cost", "USD/month"), [{ name: "cost", points }]).data.datasets;
  assert.deepEqual(bars.values, ["$5,700", "−$600", "+$300", "$5,400"]);
  assert.deepEqual(bars.data, [[0, 5700], [5700, 5100], [5100, 5400], [0, 5400]]);
  assert.equal(new Set(bars.backgroundColor).size, 4, "total, down, up and the end are told apart");
});

test("an axis does not go below zero for what cannot be negative, and not to zero where the data is far from it", () => {
  const least = (...ys) => drawn("line", axis("n"), axis("wait", "s"), [{ name: "w", points: ys.map((y, x) => ({ x, y })) }]).options.scales.y.min;
  assert.deepEqual([least(13, 0.001), least(-45, 98), least(90, 98)], [0, undefined, undefined]);
});

test("the numbers of an axis are round and lie within the data", () => {
  const values = (min, max) => roundTicks(min, max).map((t) => t.value);
  assert.deepEqual(values(1, 32), [5, 10, 15, 20, 25, 30]);
  assert.deepEqual(values(0, 12), [0, 2, 4, 6, 8, 10, 12]);
  assert.deepEqual(values(0, 0.3), [0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3]);
  assert.deepEqual(values(3, 3), [3]);
  assert.deepEqual(decadeTicks(0.157, 5.9).map((t) => t.value), [0.2, 0.5, 1, 2, 5]);
  assert.deepEqual(decadeTicks(0.5, 2e5).map((t) => t.value), [1, 10, 100, 1000, 10_000, 100_000]);
});

test("a long name is broken between words", () => {
  assert.deepEqual(lines("DeepSeek V4 Pro (mixed price)", 16), ["DeepSeek V4 Pro", "(mixed price)"]);
  assert.deepEqual([lines("", 16), lines("Unbreakablenameofamodel x", 16)], [[""], ["Unbreakablenameofamodel", "x"]]);
});

test("three series of a fan are its edges and its middle", () => {
  const series = ["Low", "Base", "High"].map((name, n) => ({ name, points: [{ x: 0, y: 1 }, { x: 1, y: 2 + n }] }));
  const { datasets } = drawn("fan", axis("month"), axis("load"), series).data;
  assert.deepEqual(datasets.map((d) => [d.label, d.data[1].y, d.fill]), [["High", 4, undefined], ["Low", 2, "-1"], ["Base", 3, undefined]]);
});

test("an axis does not say its unit twice", () => {
  const title = (label, unit) => drawn("line", axis("n"), axis(label, unit), [{ name: "s", points: [{ x: 1, y: 1 }] }]).options.scales.y.title.text;
  assert.deepEqual([title("Slots", "slots"), title("Cost a month", "USD/month"), title("Wait", "s"), title("Cost", "USD/month")],
    ["Slots", "Cost a month", "Wait (s)", "Cost ($ / month)"]);
});

test("words of questions from elsewhere are asked for one at a time, and again after no answer", async () => {
  const asked = [];
  let answer = () => Promise.reject(new Error("no network"));
  const questions = new Questions({ fetch: (id) => (asked.push(id), answer(id)), found: () => {} });
  const run = (sessionId) => ({ sessionId, asked: null });
  const [a, b, known] = [run("a"), run("b"), { sessionId: "k", asked: {} }];
  for (const r of [a, b, a, known]) questions.want(r);
  assert.deepEqual(asked, ["a"], "one at a time");
  await settled();
  assert.equal(a.asked, null);
  answer = (id) => (id === "b" ? Promise.reject(Object.assign(new Error("gone"), { status: 404 })) : Promise.resolve({ content: `words of ${id}`, created_at: "2026-11-24T09:30:00Z" }));
  questions.pump();
  await settled();
  assert.deepEqual([a.asked.content, b.asked, b.wordless], ["words of a", null, true]);
});
const settled = () => new Promise((done) => setImmediate(done));

test("an effect runs again once for many changes, and not after it was stopped", async () => {
  const value = signal(1);
  const seen = [];
  const stop = effect(() => seen.push(value()));
  value(2);
  value(3);
  await null;
  stop();
  value(4);
  await null;
  assert.deepEqual(seen, [1, 3]);
});
