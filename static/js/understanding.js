// What the server understands of a message while it is typed: asked after a pause, once at a time, and an answer about
// words that have changed since is thrown away. Pure: the shell gives `ask`, `after` and `show`.

/** Between the last key and the question. */
export const PAUSE_MS = 250;
/** After a refusal by rate; longer where the server says so. */
const RETRY_MS = 2_000;

export class Understanding {
  /**
   * `ask(draft, signal)` → the server's reading, or an error with `status` and `retryMs`.
   * `after(ms, act)` → a function that calls it off. `show({state, reading?, draft})`: state is none, reading, known or failed.
   */
  constructor({ ask, after, show }) {
    Object.assign(this, { ask, after, show });
    this.draft = null;
    this.callOff = () => {};
    this.abort = null;
  }

  /** The words or edits are these now. `fits` is false where they are too short or too long to be read. */
  changed(draft, fits) {
    this.#forget();
    this.draft = draft;
    if (!fits) {
      this.show({ state: "none", draft });
      return;
    }
    this.show({ state: "reading", draft });
    this.callOff = this.after(PAUSE_MS, () => this.#read(draft));
  }

  stop() {
    this.#forget();
    this.draft = null;
  }

  async #read(draft) {
    this.abort = new AbortController();
    try {
      const reading = await this.ask(draft, this.abort.signal);
      if (this.draft === draft) this.show({ state: "known", reading, draft });
    } catch (error) {
      if (this.draft !== draft) return;
      this.show({ state: "failed", draft, error });
      // Too often, no room or no server: the words are still there, so it is tried again.
      if (error.status === undefined || error.status === 429 || error.status >= 500) {
        this.callOff = this.after(error.retryMs ?? RETRY_MS, () => this.#read(draft));
      }
    }
  }

  #forget() {
    this.callOff();
    this.callOff = () => {};
    this.abort?.abort();
    this.abort = null;
  }
}

/**
 * The text cut at everything that was read, in order and without overlaps: `[{text, as, name?}]`, `as` being
 * text, quantity, edited, unused, wrong or model. Spans count Unicode scalar values of the trimmed message.
 */
export function highlights(text, reading, edits = {}, before = []) {
  const lead = text.length - text.trimStart().length;
  const letters = [...text];
  const shift = [...text.slice(0, lead)].length;
  const places = [
    ...reading.quantities.map((q) => ({ span: q.span, as: "quantity", name: q.name })),
    // An edited number is no longer read from the text; it still stands where it stood.
    ...before.filter((q) => q.name in edits).map((q) => ({ span: q.span, as: "edited", name: q.name })),
    ...reading.models.map((m) => ({ span: [m.span.start, m.span.end], as: "model", name: m.id })),
    ...reading.unused.map((u) => ({ span: u.span, as: u.in_range ? "unused" : "wrong", name: u.kind })),
  ].filter((place) => place.span && place.span[0] < place.span[1]).sort((a, b) => a.span[0] - b.span[0]);
  const out = [];
  let from = 0;
  for (const { span: [start, end], as, name } of places) {
    const [low, high] = [start + shift, end + shift];
    if (low < from || high > letters.length) continue;
    if (low > from) out.push({ text: letters.slice(from, low).join(""), as: "text" });
    out.push({ text: letters.slice(low, high).join(""), as, name });
    from = high;
  }
  if (from < letters.length) out.push({ text: letters.slice(from).join(""), as: "text" });
  return out;
}
