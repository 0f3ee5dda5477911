// Words of the page, reading while typing, and recomputation: the pure parts.
import test from "node:test";
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { Understanding, highlights, PAUSE_MS } from "../../static/js/understanding.js";
import { WhatIf, HELD_MS, SETTLE_MS } from "../../static/js/whatif.js";
import { choose, lacking, t, use } from "../../static/js/words.js";
import { brief, rounded, duration } from "../../static/js/format.js";

const STATIC = new URL("../../static/", import.meta.url);
/** What the pages share stands with the server, which fills it in. */
const PARTS = new URL("../../src/serve/pages/", import.meta.url);
const file = (name) => JSON.parse(readFileSync(new URL(`lang/${name}.json`, STATIC), "utf8"));

/** A clock that only the test moves. */
function clock() {
  let now = 0;
  let timers = [];
  return {
    now: () => now,
    after: (ms, act) => {
      const timer = { at: now + ms, act };
      timers.push(timer);
      return () => { timers = timers.filter((other) => other !== timer); };
    },
    async pass(ms) {
      const end = now + ms;
      for (;;) {
        const next = timers.filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)[0];
        if (!next) break;
        timers = timers.filter((timer) => timer !== next);
        now = next.at;
        next.act();
        await null;
        await null;
      }
      now = end;
      await new Promise(setImmediate);
    },
  };
}

test("words that rest are read once, and a stale answer is never shown", async () => {
  const time = clock();
  const asked = [];
  const shown = [];
  const reader = new Understanding({ after: time.after, show: (s) => shown.push(s), ask: (draft, signal) => new Promise((done, failed) => asked.push({ draft, signal, done, failed })) });
  reader.changed({ content: "a" }, true);
  await time.pass(PAUSE_MS - 1);
  reader.changed({ content: "ab" }, true);
  await time.pass(PAUSE_MS);
  assert.deepEqual(asked.map((a) => a.draft.content), ["ab"]);
  reader.changed({ content: "abc" }, true);
  assert.equal(asked[0].signal.aborted, true);
  await time.pass(PAUSE_MS);
  asked[1].done("second");
  asked[0].done("first");
  await time.pass(0);
  assert.deepEqual(shown.filter((s) => s.state === "known").map((s) => s.reading), ["second"]);
  reader.changed({ content: "" }, false);
  assert.equal(shown.at(-1).state, "none");
});

test("a refusal by rate is tried again after its time, a wrong draft is not", async () => {
  for (const [error, after, times] of [[{ status: 429, retryMs: 5_000 }, 5_000, 2], [{ status: 429, retryMs: 5_000 }, 4_999, 1], [{}, 2_000, 2], [{ status: 400 }, 60_000, 1]]) {
    const time = clock();
    let asked = 0;
    const reader = new Understanding({ after: time.after, show: () => {}, ask: async () => {
      asked += 1;
      throw Object.assign(new Error("no"), error);
    } });
    reader.changed({ content: "ab" }, true);
    await time.pass(PAUSE_MS);
    await time.pass(after);
    assert.equal(asked, times, JSON.stringify(error));
    reader.stop();
  }
});

test("marks stand where the words stand, with spans in scalar values of the trimmed text", () => {
  const text = "  😀 900 in, 250 out, gpt-4o x ";
  const reading = { quantities: [{ span: [2, 8], name: "tokens_in" }], unused: [{ span: [3, 9], kind: "seed", in_range: true }, { span: [10, 13], kind: "seed", in_range: false }],
    models: [{ span: { start: 19, end: 25 }, id: "gpt-4o" }] };
  const of = (edits, before) => highlights(text, reading, edits, before).filter((p) => p.as !== "text").map((p) => [p.text, p.as]);
  assert.deepEqual(of(), [["900 in", "quantity"], ["250", "wrong"], ["gpt-4o", "model"]]);
  assert.equal(highlights(text, reading).map((p) => p.text).join(""), text);
  reading.quantities = [];
  assert.deepEqual(of({ tokens_in: 1 }, [{ span: [2, 8], name: "tokens_in" }])[0], ["900 in", "edited"]);
});

test("one recomputation at a time, the latest wish wins, and a held slider waits its turn", async () => {
  const time = clock();
  const asked = [];
  const whatIf = new WhatIf({ ask: (wish) => asked.push([time.now(), wish]), after: time.after, now: time.now });
  whatIf.want(1, true);
  await time.pass(SETTLE_MS);
  whatIf.want(2, true);
  whatIf.want(3, true);
  await time.pass(500);
  assert.deepEqual(asked, [[SETTLE_MS, 1]], "the first is under way");
  whatIf.landed();
  whatIf.want(4, true);
  await time.pass(HELD_MS);
  assert.deepEqual(asked.at(-1), [SETTLE_MS + HELD_MS, 4], "held: not before its turn");
  whatIf.landed();
  whatIf.want(5, false);
  await time.pass(SETTLE_MS);
  assert.equal(asked.at(-1)[1], 5, "let go: at once");
  whatIf.refused(5, 3_000);
  await time.pass(2_999);
  assert.equal(asked.length, 3);
  await time.pass(1);
  assert.deepEqual(asked.at(-1)[1], 5, "what was refused comes back");
});

test("every word of the page is in every language, and none is there for nothing", () => {
  const names = new Set();
  const prefixes = new Set();
  const read = (folder) => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (entry.isDirectory() && entry.name !== "vendor") read(new URL(`${entry.name}/`, folder));
      if (!/\.(js|html)$/.test(entry.name)) continue;
      const text = readFileSync(new URL(entry.name, folder), "utf8");
      for (const [, name] of text.matchAll(/["'`]([a-z_]+\.[a-z_]+)["'`]/g)) names.add(name);
      for (const [, prefix] of text.matchAll(/`([a-z]+\.)\$\{/g)) prefixes.add(prefix);
      for (const [, name] of text.matchAll(/\bt\("([a-z_]+)"/g)) names.add(name);
    }
  };
  read(STATIC);
  read(PARTS);
  const en = file("en");
  const used = (name) => names.has(name) || [...prefixes].some((prefix) => name.startsWith(prefix));
  const lost = Object.keys(en).filter((name) => !used(name));
  assert.deepEqual(lost, [], "words that nobody says");
  const first = new Set(Object.keys(en).map((name) => name.split(".")[0]));
  const unsaid = [...names].filter((name) => first.has(name.split(".")[0]) && name.includes(".") && !(name in en) && !/\.(js|css|html|json|svg)$/.test(name));
  assert.deepEqual(unsaid, [], "said, and in no file");
  const slots = (message) => JSON.stringify([...new Set(JSON.stringify(message).match(/\{\w+\}/g) ?? [])].sort());
  for (const name of readdirSync(new URL("lang/", STATIC)).map((n) => n.replace(".json", ""))) {
    const other = file(name);
    assert.deepEqual(Object.keys(en).filter((key) => !(key in other)), [], `${name} lacks`);
    // A language may spell units that English leaves as they are.
    assert.deepEqual(Object.keys(other).filter((key) => !(key in en) && !key.startsWith("unit.")), [], `${name} has more`);
    for (const key of Object.keys(en)) assert.equal(slots(other[key]), slots(en[key]), `${name}: ${key}`);
  }
});

test("what stands in a page before its words are loaded is what English says", () => {
  const en = file("en");
  let found = 0;
  for (const name of readdirSync(STATIC).filter((n) => n.endsWith(".html"))) {
    for (const [, key, text] of readFileSync(new URL(name, STATIC), "utf8").matchAll(/data-t="([a-z_.]+)">([^<]*)</g)) {
      found += 1;
      assert.equal(text, en[key], `${name}: ${key}`);
    }
  }
  assert.ok(found > 10, `${found}`);
});

test("numbers, plurals and the currency follow the language", () => {
  use("de", file("de"));
  assert.deepEqual([brief(1234.5, "USD/month"), rounded(5464.8, "USD/month"), brief(0.125, "fraction"), brief(1200, "requests/month"), duration(12_340)],
    ["1.235\u00a0$ / Monat", "5.464,80\u00a0$ / Monat", "12,5\u00a0%", "1.200\u00a0Anfragen/Monat", "12,3 s"]);
  assert.equal(t("run.steps", { n: 1 }), "1 Schritt");
  use("en", file("en"));
  assert.deepEqual([t("run.steps", { n: 1 }), t("run.steps", { n: 0 })], ["1 step", "0 steps"]);
  assert.equal(t("no.such", {}), "no.such");
  assert.deepEqual(lacking(), ["no.such"]);
  use("en", file("en"));
  for (const [chosen, preferred, expected] of [[null, ["de-AT", "en"], "de"], ["en", ["de"], "en"], ["xx", ["fr", "it"], "en"], [null, [], "en"], ["toString", [], "en"]]) {
    assert.equal(choose(chosen, preferred), expected);
  }
});
