// Recomputations: one at a time, the latest wish wins. Pure: the shell gives `ask` and `after`.
//
// A slider that is dragged wishes more often than a visitor may ask; so while it is held a wish waits its turn, and the one
// it ends on goes at once.

/** Between two questions while a slider is held: a minute of it stays within a visitor's messages. */
export const HELD_MS = 1_000;
/** Several fields that change in one gesture are one wish. */
export const SETTLE_MS = 20;
const LATE_MS = 2_000;

export class WhatIf {
  /** `ask(wish)` sends it; `after(ms, act)` → a function that calls it off; `now()` in ms. */
  constructor({ ask, after, now }) {
    Object.assign(this, { ask, after, now });
    this.wish = null;
    this.flying = false;
    this.askedAt = -Infinity;
    this.callOff = () => {};
  }

  /** These values are wished; `held` while the hand is still on the slider. */
  want(wish, held = false) {
    this.wish = wish;
    this.#plan(held ? Math.max(SETTLE_MS, this.askedAt + HELD_MS - this.now()) : SETTLE_MS);
  }

  /** The question that was under way has ended, well or not. */
  landed() {
    if (!this.flying) return;
    this.flying = false;
    if (this.wish !== null) this.#plan(SETTLE_MS);
  }

  /** It was refused because there were too many: the wish is kept and comes back. */
  refused(wish, retryMs) {
    this.flying = false;
    this.wish ??= wish;
    this.#plan(retryMs ?? LATE_MS);
  }

  stop() {
    this.callOff();
    this.wish = null;
  }

  #plan(ms) {
    this.callOff();
    this.callOff = this.after(ms, () => this.#go());
  }

  #go() {
    if (this.flying || this.wish === null) return;
    const { wish } = this;
    this.wish = null;
    this.flying = true;
    this.askedAt = this.now();
    this.ask(wish);
  }
}
