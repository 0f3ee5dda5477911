// The lines of the log that are shown: what was asked for and what came live, each once, the newest first. Pure.

export const LINES_MAX = 500;

/** `l1760000000000-12`: the twelfth line of the run that began at that millisecond. */
const place = (id) => id.slice(1).split("-").map(Number);
const newer = (a, b) => {
  const [[runA, a1], [runB, b1]] = [place(a.id), place(b.id)];
  return runB - runA || b1 - a1;
};

export class Tail {
  constructor() {
    this.clear();
  }

  /** Other lines are wanted. */
  clear() {
    Object.assign(this, { lines: [], known: new Set(), paused: null, missed: 0 });
  }

  /** Takes lines in whatever order; answers whether any of them is new. */
  onLines(lines) {
    const fresh = lines.filter(({ id }) => !this.known.has(id));
    if (fresh.length === 0) return false;
    this.lines = [...fresh, ...this.lines].sort(newer);
    this.lines.splice(LINES_MAX);
    this.known = new Set(this.lines.map(({ id }) => id));
    return true;
  }

  /** The server left lines out because this page was too slow to take them. */
  onMissed(count) {
    this.missed += count;
  }

  /** What is shown stays as it is; what comes waits. */
  pause() {
    this.paused = [...this.lines];
  }

  resume() {
    this.paused = null;
  }

  get shown() {
    return this.paused ?? this.lines;
  }

  /** How many lines came since it was paused. */
  get waiting() {
    const first = this.paused?.[0];
    return this.paused === null ? 0 : this.lines.filter((line) => !first || newer(line, first) < 0).length;
  }
}
