// What a page gets: everything it starts here ends when it is left.

import { effect, signal } from "../js/signal.js";
import { Resource } from "./resource.js";

export class Context {
  constructor(app, { id, params }) {
    Object.assign(this, { app, live: app.live, id, params: signal(params), stops: [] });
  }

  /** May this session change anything, or only look? */
  get operates() {
    return this.app.session()?.scope !== "read";
  }

  effect(run) {
    this.stops.push(effect(run));
  }

  resource(load, options) {
    const made = new Resource(load, options);
    this.stops.push(() => made.stop());
    return made;
  }

  /** For what was made elsewhere and has a `stop`. */
  keep(made) {
    this.stops.push(() => made.stop());
    return made;
  }

  /** Asks anew when the stream tells of an event of one of these kinds, and when it may have missed one. */
  refreshOn(resource, ...kinds) {
    this.onReturn(() => resource.refresh());
    this.stops.push(this.live.hear((event) => kinds.some((kind) => event.kind?.startsWith(kind)) && resource.refresh()));
  }

  /** Calls back when events may have been missed, `again` or because the server was `restarted`. */
  onReturn(run) {
    this.stops.push(this.live.hearReturn(run));
  }

  every(milliseconds, run) {
    const ticking = setInterval(run, milliseconds);
    this.stops.push(() => clearInterval(ticking));
  }

  leave() {
    for (const stop of this.stops.splice(0)) stop();
  }
}
