// A stand plays by itself: one step at a time, after a pause, until somebody takes over.
import test from "node:test";
import assert from "node:assert/strict";
import { Autoplay } from "../../static/js/autoplay.js";

function house() {
  const at = { state: "none", steps: 0, timer: null, changes: 0 };
  const play = new Autoplay({
    step: () => {
      at.steps += 1;
      at.state = "live";
    },
    state: () => at.state,
    after: (ms, act) => {
      at.timer = { ms, act };
      return () => { at.timer = null; };
    },
    changed: () => { at.changes += 1; },
  });
  play.pause(500);
  const fire = () => {
    const { act } = at.timer;
    at.timer = null;
    act();
  };
  return { at, play, fire };
}

test("it begins at once, waits for the end, pauses, and goes on", () => {
  const { at, play, fire } = house();
  play.toggle();
  assert.equal(at.steps, 1);
  play.look();
  assert.equal(at.timer, null, "the run is live");
  at.state = "ended";
  play.look();
  assert.equal(at.timer.ms, 500);
  const { timer } = at;
  play.look();
  assert.equal(at.timer, timer, "one pause after one end");
  fire();
  assert.equal(at.steps, 2);
});

test("what is already answered is read first", () => {
  const { at, play, fire } = house();
  at.state = "ended";
  play.toggle();
  assert.equal(at.steps, 0);
  fire();
  assert.equal(at.steps, 1);
});

test("stopped, or taken over, it asks nothing more", () => {
  const { at, play } = house();
  at.state = "ended";
  play.toggle();
  play.stop();
  assert.equal(at.timer, null);
  play.look();
  assert.equal(at.timer, null);
  play.toggle();
  at.state = "live";
  play.look();
  assert.equal(at.timer, null, "somebody asked something else meanwhile");
});
