// The live stream as signals: a thin shell around `feed.js` with the browser's EventSource and clock.

import { address, get } from "./api.js";
import { Feed } from "./feed.js";
import { signal } from "../js/signal.js";

const STREAM = "/admin/stream";
const TICK_MS = 1_000;

/** Signals: `feed` (a new object on each change of phase), `snapshot`, `events`. */
export class Live {
  constructor() {
    this.feed = new Feed();
    this.phase = signal({ phase: "connecting", since: null, retryAt: null });
    this.snapshot = signal(null);
    this.events = signal([]);
    this.listeners = new Set();
    this.returned = new Set();
    this.source = null;
    this.ticking = setInterval(() => this.tick(), TICK_MS);
    this.dial();
  }

  dial() {
    clearTimeout(this.retry);
    this.source?.close();
    const source = new EventSource(address(STREAM));
    this.source = source;
    const on = (name, act) => source.addEventListener(name, (message) => {
      if (this.source === source) act(read(message.data));
    });
    source.onopen = () => this.source === source && this.feed.onOpen(Date.now());
    source.onerror = () => this.source === source && this.broken();
    on("hello", (hello) => {
      if (!hello) return;
      const how = this.feed.onHello(Date.now(), hello);
      this.events([...this.feed.events]);
      // What happened while nobody listened was not told: whoever shows it asks again.
      if (how !== "first") for (const listener of this.returned) listener(how);
    });
    on("snapshot", (snapshot) => {
      if (!snapshot) return;
      this.feed.onSnapshot(Date.now(), snapshot);
      this.snapshot(snapshot);
      this.tell();
    });
    on("event", (event) => {
      if (!event || !this.feed.onEvent(Date.now(), event)) return;
      this.events([...this.feed.events]);
      for (const listener of this.listeners) listener(event);
    });
    on("dropped", (told) => {
      this.feed.onMissed(told?.count ?? 1);
      for (const listener of this.returned) listener("again");
    });
    // Draining, or signed out elsewhere: it ends now, and what follows finds out which.
    on("bye", () => this.broken());
  }

  /** Calls back for each event as it comes; returns a stop function. */
  hear(listener) {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Calls back when events may have been missed: `again` or `restarted`; returns a stop function. */
  hearReturn(listener) {
    this.returned.add(listener);
    return () => this.returned.delete(listener);
  }

  broken() {
    this.source?.close();
    this.source = null;
    const at = this.feed.onBroken(Date.now());
    this.tell();
    if (at === null) return;
    // A stream says nothing about why it was refused; this call does, and ends the session where it has ended.
    get("/admin/session", {}, { timeout: 4_000 }).catch(() => {});
    this.retry = setTimeout(() => this.dial(), at - Date.now());
  }

  hurry() {
    this.dial();
  }

  tick() {
    // A lid was closed or the network dropped silently: the stream will not say so by itself.
    if (this.feed.onTimer(Date.now())) this.broken();
  }

  tell() {
    const { phase, retryAt } = this.feed;
    const since = this.feed.staleSince();
    const known = this.phase();
    if (known.phase !== phase || known.since !== since || known.retryAt !== retryAt) this.phase({ phase, since, retryAt });
  }

  end() {
    this.feed.end();
    clearInterval(this.ticking);
    clearTimeout(this.retry);
    this.source?.close();
    this.source = null;
    this.tell();
  }
}

function read(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
