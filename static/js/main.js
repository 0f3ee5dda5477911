// The composition of the page: identity, link, runs, views. Knows everybody; nobody knows it.

import { connect } from "./socket.js";
import { identity, examples, session } from "./api.js";
import { Questions } from "./questions.js";
import * as store from "./store.js";
import { Runs, isLive, titleOf } from "./runs.js";
import { Ledger } from "./proof.js";
import { signal, effect } from "./signal.js";
import { h, show } from "./h.js";
import { word } from "./format.js";
import { gallery } from "./views/gallery.js";
import { composer } from "./views/composer.js";
import { sessionList } from "./views/sessions.js";
import { connectionStatus } from "./views/connection.js";
import { runView } from "./views/run.js";
import { redrawCharts } from "./charts/draw.js";

const at = (id) => document.getElementById(id);

const app = {
  user: null,
  wire: null,
  runs: new Runs(),
  ledger: new Ledger(store.loadSeen()),
  /** Rises with each change of the runs: what shows them reads it. */
  version: signal(0),
  link: signal({ phase: "dialing", reason: "" }),
  selected: signal(null),
  gallery: signal(null),
  notice: signal(""),
  draft: signal(null),
};

const questions = new Questions({ fetch: session, found: () => changed() });

// ---- what the visitor does

/** Sends a question; `meta` as in the gallery, `context` for a recomputation. */
app.ask = ({ content, title, category, complexity, businessValue, estimatedTime, context = {}, messageId }) => {
  const payload = {
    content: content.trim(), example_message_id: messageId ?? `m-${crypto.randomUUID()}`,
    example_message_metadata: { title, category, complexity, businessValue, estimatedTime, agent_preferences: {} },
    user_id: app.user.user_id, timestamp: Date.now(), session_context: context,
  };
  store.saveAsked(payload);
  const run = app.runs.asked(payload);
  changed();
  app.open(run.key);
  app.wire.submit(payload);
};

/** The same question once more: with its own id where the first was never accepted, else as a new one. */
app.again = (run) => {
  const meta = run.asked.example_message_metadata;
  app.ask({ ...meta, content: run.asked.content, context: run.asked.session_context, messageId: run.status === "refused" ? run.messageId : undefined });
};

app.stop = (run) => app.wire.cancel(run.sessionId);
app.cut = () => app.wire.cut();
app.track = (event, run) => app.wire?.track({ event, ...(run?.sessionId ? { session_id: run.sessionId } : {}) });

app.open = (key) => {
  if (key !== app.selected()) history.pushState(null, "", key ? `#${encodeURIComponent(key)}` : location.pathname);
  app.selected(key);
};

app.renew = (why = "") => {
  app.wire?.stop();
  store.forget();
  if (why) store.leaveNote(why);
  location.hash = "";
  location.reload();
};

/** Goes on as the visitor whose cookie this browser holds. */
app.follow = () => {
  const userId = app.wire.holder();
  app.wire.stop();
  store.forget();
  store.saveUser({ user_id: userId });
  location.hash = "";
  location.reload();
};

// ---- what the wire brings

let due = false;
/** One redraw a frame of the screen, however many frames of the wire arrived. A hidden page has no frames: a timer then. */
function changed() {
  if (due) return;
  due = true;
  const draw = () => {
    due = false;
    app.version(app.version() + 1);
  };
  if (document.hidden) setTimeout(draw, 50);
  else requestAnimationFrame(draw);
}

const DELIVER = {
  frame({ frame }) {
    app.ledger.applied(frame, Date.now());
    store.saveSeen(app.ledger.seen);
    const run = app.runs.frame(frame, (id) => store.loadAsked()[id] ?? null);
    questions.want(run);
    if (!isLive(run)) announce(`${titleOf(run)}: ${word(run.status)}`);
  },
  again: ({ frame }) => app.ledger.again(frame),
  acked: ({ sequence }) => app.ledger.acked(sequence, Date.now()),
  accepted: ({ payload }) => app.runs.accepted(payload),
  refused({ messageId, error }) {
    if (messageId) app.runs.refused(messageId, error);
    else app.notice(error.message);
  },
  reset({ reason, epoch }) {
    const shown = app.runs.byKey(app.selected());
    app.runs.reset();
    if (shown) app.selected(shown.key);
    app.ledger.reset(epoch);
    app.notice(`The server began a new history${reason ? `: ${reason}` : ""}. What ran before it is shown as it stood.`);
  },
  gap: ({ expected }) => app.notice(`Frame ${expected} has not arrived; it is asked for again.`),
  fault: ({ fault }) => app.notice(`A frame could not be read: ${fault}`),
};

function deliver(order) {
  DELIVER[order.what]?.(order);
  changed();
}

let announced = "";
function announce(text) {
  if (text === announced) return;
  announced = text;
  at("announcer").textContent = text;
}

// ---- views

function home() {
  return h("div", { class: "home" },
    h("header", { class: "hero" },
      h("h1", {}, "Ask with your own numbers."),
      h("p", {}, "An agent computes the answer while you watch. Every number opens its arithmetic, and every message is on disk before you see it.")),
    composer(app),
    gallery(app));
}

function views() {
  const main = at("main");
  let shown = null;
  effect(() => {
    app.version();
    const key = app.selected();
    const run = app.runs.byKey(key);
    const wanted = run ?? "home";
    if (shown?.of !== wanted) {
      shown?.leave?.();
      shown = run ? runView(app, run) : { node: home() };
      shown.of = wanted;
      show(main, shown.node);
      window.scrollTo(0, 0);
    }
    shown.update?.();
    document.title = run ? `${titleOf(run)} · Example Message Flow` : "Example Message Flow";
  });
  sessionList(app, at("sessions"));
  connectionStatus(app, at("connection"));
  effect(() => show(at("engine"), app.gallery()?.engine ?? ""));
}

function theme() {
  const root = document.documentElement;
  at("theme").addEventListener("click", () => {
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    try {
      localStorage.setItem("emflow.theme", root.dataset.theme);
    } catch {
      // Storage refused: the choice lasts as long as the page.
    }
    redrawCharts();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redrawCharts);
}

function followAddress() {
  const read = () => app.selected(decodeURIComponent(location.hash.slice(1)) || null);
  window.addEventListener("popstate", read);
  read();
}

async function begin() {
  theme();
  followAddress();
  views();
  app.notice(store.takeNote());
  examples().then((answer) => app.gallery(answer), (error) => app.gallery({ examples: [], engine: "", error: error.message }));
  try {
    app.user = await identity();
  } catch (error) {
    app.link({ phase: "offline", reason: "identity", message: error.message });
    return;
  }
  app.wire = connect({
    userId: app.user.user_id,
    deliver,
    changed: (link) => {
      if (link.phase === "waiting" && app.link().phase === "online") app.ledger.cut(Date.now());
      if (link.phase === "online") questions.pump();
      if (link.phase === "offline" && link.reason === "unauthenticated") app.renew("The server no longer knew this browser (its visit had expired or was ended), so you start as a new visitor.");
      else app.link({ phase: link.phase, reason: link.reason, retryInMs: app.wire?.retryInMs() ?? null, since: Date.now() });
    },
  });
}

begin();
