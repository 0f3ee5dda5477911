// The last lines of the log, live.

import { h, keyed } from "../../js/h.js";
import { address, get } from "../api.js";
import { filter } from "../parts/form.js";
import { button, filters, page, save } from "../parts/page.js";
import { loaded, nothing } from "../parts/state.js";
import { go, link } from "../route.js";
import { Tail } from "../tail.js";
import { count, exactly, moment, plural } from "../words.js";

const LEVELS = [["", "All that is written"], ["error", "Errors"], ["warn", "Warnings and worse"], ["info", "Information and worse"], ["debug", "Debug and worse"]];
const LINES = 300;
/** A loud log is drawn this often, not with every line. */
const DRAW_MS = 250;
const AGAIN_MS = 3_000;

const query = ({ level, target, text }) => ({ level, target, text });

export function logs(ctx) {
  const tail = new Tail();
  const place = h("ol", { class: "log", tabindex: "0", "aria-label": "Log lines" });
  const none = h("div", { hidden: true }, nothing("No line", "Nothing of this kind was written lately."));
  const note = h("p", { class: "muted", role: "status" });
  const pause = button("Pause", () => {
    if (tail.paused) tail.resume();
    else tail.pause();
    draw();
  });
  const draw = () => {
    keyed(place, tail.shown, ({ id }) => id, line);
    place.hidden = tail.shown.length === 0;
    none.hidden = !place.hidden;
    pause.textContent = tail.paused ? (tail.waiting ? `Go on (${count(tail.waiting)} new)` : "Go on") : "Pause";
    note.textContent = tail.missed ? `${plural(tail.missed, "line")} came too fast for this page and ${tail.missed === 1 ? "is" : "are"} not shown; the log itself has them.` : "";
  };
  const asked = ctx.resource((signal) => get("/admin/logs", { ...query(ctx.params()), limit: LINES }, { signal }));
  let due = false;
  ctx.every(DRAW_MS, () => {
    if (!due) return;
    due = false;
    draw();
  });
  const follow = ctx.keep(new Follow({
    // What came between the answer and the stream is asked for again: nothing is left out at the seam.
    open: () => asked.refresh(),
    lines: (lines) => { due = tail.onLines(lines) || due; },
    missed: (n) => { tail.onMissed(n); due = true; },
  }));
  let known = null;
  ctx.effect(() => {
    const wanted = JSON.stringify(query(ctx.params()));
    if (wanted === known) return;
    known = wanted;
    tail.clear();
    draw();
    // An answer to the filter of before would come too late otherwise.
    asked.refresh();
    follow.dial(query(ctx.params()));
  });
  const choose = (change) => go(link("logs", { ...ctx.params(), ...change }), { quiet: true });
  const { level, target, text } = ctx.params();
  return page("Logs", "The last lines, the newest first, as they are written. They hold no message, token or password.",
    [pause, button("Save", () => save("emflow-log.jsonl", new Blob(tail.shown.map((one) => `${JSON.stringify(one)}\n`), { type: "application/jsonl" })))],
    filters(filter({ label: "Level", options: LEVELS, value: level, act: (value) => choose({ level: value }) }), filter({ label: "Part", value: target, placeholder: "emflow::serve", act: (value) => choose({ target: value }) }),
      filter({ label: "Find", value: text, placeholder: "a word", act: (value) => choose({ text: value }) })),
    h("p", { class: "muted" }, "What is written at all is decided by ", h("a", { href: link("settings") }, h("code", {}, "log.level")), ", which can be changed while it serves."),
    note,
    loaded(ctx, asked, () => ({ element: h("div", {}, place, none), update: ({ items }) => {
      tail.onLines(items);
      draw();
    } })));
}

/** A stream of its own, so that lines come only to those who look at them. It comes back by itself. */
class Follow {
  constructor(on) {
    Object.assign(this, { on, source: null, again: null });
  }

  dial({ level, target, text }) {
    this.stop();
    const source = new EventSource(address("/admin/stream", { logs: level || "trace", target, text }));
    this.source = source;
    source.addEventListener("hello", () => this.on.open());
    source.addEventListener("log", ({ data }) => this.on.lines([JSON.parse(data)]));
    source.addEventListener("dropped", ({ data }) => {
      const told = JSON.parse(data);
      if (told.of === "lines") this.on.missed(told.count);
    });
    source.onerror = () => {
      if (this.source !== source) return;
      source.close();
      this.again = setTimeout(() => this.dial({ level, target, text }), AGAIN_MS);
    };
  }

  stop() {
    clearTimeout(this.again);
    this.source?.close();
    this.source = null;
  }
}

const line = (one) => h("li", { class: "log-line", dataset: { level: one.level } },
  h("time", { datetime: exactly(one.at), title: exactly(one.at) }, moment(one.at)), h("span", { class: "log-level" }, one.level), h("span", { class: "log-target" }, one.target),
  h("span", { class: "log-message" }, one.message, Object.entries(one.fields ?? {}).map(([name, value]) => [" ", h("span", { class: "log-field" }, `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`)])));
