// The page's reading of the wire, on the frames the server's codec is tested with.
import test from "node:test";
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { decode, faultsOf, scalars, SEQUENCED } from "../../static/js/frames.js";

const FRAMES = JSON.parse(readFileSync(new URL("../fixtures/frames.json", import.meta.url), "utf8"));

for (const { name, direction, valid, frame } of FRAMES) {
  if (direction === "server") {
    test(`server frame: ${name}`, () => {
      const read = decode(JSON.stringify(frame));
      assert.equal(read.fault === undefined, valid, read.fault);
      if (valid) assert.deepEqual(read.frame.payload, frame.payload);
    });
  } else if (frame.type === "chat_message") {
    test(`chat message: ${name}`, () => {
      assert.equal(faultsOf(frame.payload).length === 0, valid, JSON.stringify(faultsOf(frame.payload)));
    });
  }
}

test("every sequenced type stands in the fixtures", () => {
  const seen = new Set(FRAMES.filter((f) => f.direction === "server" && f.valid && f.frame.sequence).map((f) => f.frame.type));
  assert.deepEqual([...SEQUENCED].filter((type) => !seen.has(type)), []);
});

test("what is no frame is a fault, never an exception", () => {
  for (const text of ["", "{", "[]", "null", "7", "\"text\"", "{\"type\":7}", "{\"type\":\"pong\",\"payload\":3}"]) {
    assert.ok(decode(text).fault, text);
  }
});

test("characters are counted as the server counts them", () => {
  assert.equal(scalars("  añb\u{1F680}\n"), 4);
});

test("all faults of a message are told at once", () => {
  assert.deepEqual(faultsOf({}).map((f) => f.field), ["content", "example_message_id", "user_id", "timestamp",
    "example_message_metadata.title", "example_message_metadata.category", "example_message_metadata.complexity",
    "example_message_metadata.businessValue", "example_message_metadata.estimatedTime"]);
});
