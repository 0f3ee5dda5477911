// Something the page reads from the server again and again: what is known, as of when, and what went wrong since.

import { signal } from "../js/signal.js";

/**
 * `load(signal)` answers a promise. State: `{phase: "loading" | "ready" | "failed", data, at, error}`: after the first
 * answer a failure keeps the data and stands beside it.
 */
export class Resource {
  constructor(load, { every = null } = {}) {
    Object.assign(this, { load, every, state: signal({ phase: "loading", data: null, at: null, error: null }), calling: null, timer: null, over: false });
    this.refresh();
  }

  /** Asks now; an answer to an older question is thrown away. */
  async refresh() {
    this.calling?.abort();
    clearTimeout(this.timer);
    if (this.over) return;
    const calling = new AbortController();
    this.calling = calling;
    try {
      const data = await this.load(calling.signal);
      if (this.calling === calling) this.state({ phase: "ready", data, at: Date.now(), error: null });
    } catch (error) {
      if (this.calling !== calling || error.name === "AbortError") return;
      const { data, at } = this.state();
      this.state({ phase: data === null ? "failed" : "ready", data, at, error });
    }
    if (this.calling === calling && this.every) this.timer = setTimeout(() => this.refreshIfSeen(), this.every);
  }

  /** A page in the background asks nothing; it asks again when it is looked at. */
  refreshIfSeen() {
    if (!document.hidden) this.refresh();
    else document.addEventListener("visibilitychange", () => this.refreshIfSeen(), { once: true });
  }

  stop() {
    this.over = true;
    this.calling?.abort();
    clearTimeout(this.timer);
  }
}
