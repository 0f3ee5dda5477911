// Plays the script by itself: the next step so long after the answer before. Pure; the timer is given.

export class Autoplay {
  /** `step()` begins the next example; `state()` is `none`, `live` or `ended`; `after(ms, act)` → a function that stops it. */
  constructor({ step, state, after, changed }) {
    Object.assign(this, { step, state, after, changed });
    this.on = false;
    this.ms = 12_000;
    this.waiting = null;
  }

  pause(ms) {
    this.ms = ms;
  }

  toggle() {
    if (this.on) return this.stop();
    this.on = true;
    if (this.state() === "none") this.step();
    else this.look();
    this.changed();
  }

  stop() {
    if (!this.on) return;
    this.on = false;
    this.#cancel();
    this.changed();
  }

  /** After each change of the runs. */
  look() {
    if (!this.on) return;
    if (this.state() === "live") return this.#cancel();
    this.waiting ??= this.after(this.ms, () => {
      this.waiting = null;
      if (this.on) this.step();
    });
  }

  #cancel() {
    this.waiting?.();
    this.waiting = null;
  }
}
