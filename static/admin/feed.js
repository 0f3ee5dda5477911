// What the live stream has said, and since when it has been silent. Pure: the clock is passed in.

/** Snapshots come each second; after this much silence what the page shows is old, and says so. */
export const SILENCE_MS = 5_000;
/** Kept for the charts of the last minutes: one a second. */
export const SNAPSHOTS_MAX = 300;
export const EVENTS_MAX = 200;
const BACKOFF_MS = [1_000, 2_000, 4_000, 8_000, 15_000];

/** Phases: `connecting` (nothing shown yet), `live`, `stale`, `ended` (signed out). */
export class Feed {
  constructor({ random = Math.random } = {}) {
    Object.assign(this, { random, phase: "connecting", snapshot: null, snapshots: [], events: [], heardAt: null, retryAt: null, tries: 0, missed: 0 });
  }

  onOpen(now) {
    this.retryAt = null;
    this.openedAt = now;
  }

  /** The stream begins: for the `first` time, `again` after it broke, or after the server was `restarted`, which knows nothing of the events before. */
  onHello(now, { epoch }) {
    const before = this.epoch;
    this.epoch = epoch;
    this.heardAt = now;
    if (before === undefined) return "first";
    if (before === epoch) return "again";
    this.events = [];
    return "restarted";
  }

  onSnapshot(now, snapshot) {
    this.phase = "live";
    this.tries = 0;
    this.heardAt = now;
    this.snapshot = snapshot;
    this.snapshots.push({ now, snapshot });
    this.snapshots.splice(0, this.snapshots.length - SNAPSHOTS_MAX);
  }

  /** The newest first; one that was already told (a stream taken up again) is told once. */
  onEvent(now, event) {
    this.heardAt = now;
    if (this.events.some((known) => known.id === event.id)) return false;
    this.events.unshift(event);
    this.events.splice(EVENTS_MAX);
    return true;
  }

  /** The server left events out because this page was too slow to take them. */
  onMissed(count) {
    this.missed += count;
  }

  /** The stream broke: when to try again, with jitter so that all pages do not come at once. */
  onBroken(now) {
    if (this.phase === "ended") return null;
    if (this.phase === "live") this.phase = "stale";
    const wait = BACKOFF_MS[Math.min(this.tries, BACKOFF_MS.length - 1)];
    this.tries += 1;
    this.retryAt = now + wait * (0.5 + this.random() / 2);
    return this.retryAt;
  }

  /** Whether silence has just made the page old. */
  onTimer(now) {
    if (this.phase !== "live" || now - this.heardAt < SILENCE_MS) return false;
    this.phase = "stale";
    return true;
  }

  end() {
    this.phase = "ended";
    this.retryAt = null;
  }

  /** When what is shown was true, or null while it is. */
  staleSince() {
    return this.phase === "stale" ? this.heardAt : null;
  }
}
