// A session at its original timing: which frames have been seen by now. Pure: the clock is passed in.

/** Longer silences than this are shortened: nobody watches a queue. */
export const QUIET_MAX_MS = 5_000;

export class Replay {
  /** `times`: when each frame was stored, in ms, rising. */
  constructor(times) {
    this.offsets = [];
    this.shortened = 0;
    times.forEach((time, at) => {
      const gap = at === 0 ? 0 : Math.max(0, time - times[at - 1]);
      this.shortened += Math.max(0, gap - QUIET_MAX_MS);
      this.offsets.push((this.offsets.at(-1) ?? 0) + Math.min(gap, QUIET_MAX_MS));
    });
    this.length = this.offsets.at(-1) ?? 0;
    this.position = 0;
    this.speed = 1;
    this.since = null;
  }

  get playing() {
    return this.since !== null;
  }

  play(now) {
    if (this.at(now) >= this.length) this.position = 0;
    this.since = now;
  }

  pause(now) {
    this.position = this.at(now);
    this.since = null;
  }

  seek(now, position) {
    this.position = Math.min(Math.max(0, position), this.length);
    if (this.playing) this.since = now;
  }

  pace(now, speed) {
    this.seek(now, this.at(now));
    this.speed = speed;
  }

  /** Milliseconds from the first frame. */
  at(now) {
    return Math.min(this.length, this.position + (this.playing ? (now - this.since) * this.speed : 0));
  }

  /** How many frames are seen; pauses at the end. */
  seen(now) {
    const at = this.at(now);
    if (this.playing && at >= this.length) this.pause(now);
    return this.offsets.filter((offset) => offset <= at).length;
  }
}
