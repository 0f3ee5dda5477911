// The composition of the page: identity, link, runs, views. Knows everybody; nobody knows it.

import { connect } from "./socket.js";
import { examples, session } from "./api.js";
import { arrive, follows, presents, who } from "./who.js";
import { Questions } from "./questions.js";
import * as store from "./store.js";
import { Runs, isLive, titleOf } from "./runs.js";
import { Ledger } from "./proof.js";
import { signal, effect } from "./signal.js";
import { h, show } from "./h.js";
import { t, tOr } from "./words.js";
import { brand, speak, checkWords } from "./language.js";
import { theme } from "./look.js";
import { gallery } from "./views/gallery.js";
import { composer } from "./views/composer.js";
import { sessionList } from "./views/sessions.js";
import { connectionStatus } from "./views/connection.js";
import { shareButton } from "./views/share.js";
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
  /** What this page may: everything (`visitor`), `control`, or only look on (`read`). */
  scope: signal(follows ? "read" : "visitor"),
  follows,
  /** A page that follows shows what begins, until somebody chooses. */
  chose: false,
};

const questions = new Questions({ fetch: session, found: () => changed() });

// ---- what the visitor does

/** Sends a question and shows it; `meta` as in the gallery. */
app.ask = (question) => app.open(send(question).key);

/** The same question with other values: it is shown once it is answered. */
app.vary = (run, assumptions) => send({
  ...run.asked.example_message_metadata, content: run.asked.content, context: { parent_session_id: run.sessionId, assumptions },
});

function send({ content, title, category, complexity, businessValue, estimatedTime, context = {}, messageId }) {
  const payload = {
    content: content.trim(), example_message_id: messageId ?? `m-${crypto.randomUUID()}`,
    example_message_metadata: { title, category, complexity, businessValue, estimatedTime, agent_preferences: {} },
    user_id: app.user.user_id, timestamp: Date.now(), session_context: context,
  };
  store.saveAsked(payload);
  const run = app.runs.asked(payload);
  changed();
  app.wire.submit(payload);
  return run;
}

/** The same question once more: with its own id where the first was never accepted, else as a new one. */
app.again = (run) => {
  const meta = run.asked.example_message_metadata;
  app.ask({ ...meta, content: run.asked.content, context: run.asked.session_context, messageId: run.status === "refused" ? run.messageId : undefined });
};

app.drop = (run) => {
  app.runs.drop(run);
  changed();
};

/** Whether this page may ask and stop, or only look on. */
app.control = () => app.scope() !== "read";

app.stop = (run) => app.wire.cancel(run.sessionId);
app.cut = () => app.wire.cut();
/** `example`: what it is about and worth, for what belongs to no session yet. */
app.track = (event, { run, example } = {}) => app.control() && app.wire?.track({
  event, ...(run?.sessionId ? { session_id: run.sessionId } : {}),
  ...(example ? { properties: { category: example.category, complexity: example.complexity, business_value: example.businessValue, title: example.title } } : {}),
});

app.open = (key, { replace = false, chosen = true } = {}) => {
  app.chose ||= chosen;
  const address = key ? `#${encodeURIComponent(key)}` : location.pathname;
  if (key !== app.selected()) history[replace ? "replaceState" : "pushState"](null, "", address);
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
    // For the proof after a reload: what arrived in this very frame of the screen may be told as drawn anew.
    store.saveSeen(app.ledger.seen);
    app.version(app.version() + 1);
  };
  if (document.hidden) setTimeout(draw, 50);
  else requestAnimationFrame(draw);
}

const DELIVER = {
  frame({ frame }) {
    app.ledger.applied(frame, Date.now());
    const run = app.runs.frame(frame, (id) => store.loadAsked()[id] ?? null);
    questions.want(run);
    if (follows && frame.type === "processing_started" && (!app.chose || !app.control())) app.open(run.key, { replace: true, chosen: false });
    if (!isLive(run)) announce(`${titleOf(run)}: ${tOr(`status.${run.status}`, run.status)}`);
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
    app.notice(reason ? t("notice.new_history_because", { reason }) : t("notice.new_history"));
  },
  gap: ({ expected }) => app.notice(t("notice.gap", { sequence: expected })),
  fault: ({ fault }) => app.notice(t("notice.fault", { fault })),
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
  if (!app.control()) {
    const text = h("p", {}, t("follow.waiting"));
    return { node: h("div", { class: "home" }, h("header", { class: "hero" }, h("h1", {}, t("follow.title")), text)), leave: () => {} };
  }
  const parts = [composer(app), gallery(app)];
  return {
    node: h("div", { class: "home" },
      h("header", { class: "hero" }, h("h1", {}, t("home.title")), h("p", {}, t("home.text"))), parts.map((part) => part.node)),
    leave: () => parts.forEach((part) => part.leave()),
  };
}

function views() {
  const main = at("main");
  let shown = null;
  effect(() => {
    app.version();
    const run = app.runs.byKey(app.selected());
    const kin = run && shown?.root === app.runs.rootOf(run);
    if (kin && shown.of() !== run) shown.become(run);
    const scope = app.scope();
    if (!shown || shown.scope !== scope || (run ? !kin : shown.root)) {
      shown?.leave();
      shown = { ...(run ? { ...runView(app, run), root: app.runs.rootOf(run) } : home()), scope };
      show(main, shown.node);
      window.scrollTo(0, 0);
    }
    shown.update?.();
    document.title = run ? `${titleOf(run)} · ${brand()}` : brand();
  });
  effect(() => { document.documentElement.dataset.scope = app.scope(); });
  sessionList(app, at("sessions"));
  if (!follows) shareButton(app, at("share"));
  connectionStatus(app, at("connection"));
  effect(() => {
    // The page came with it; an appliance that was restarted meanwhile may answer by another.
    const engine = app.gallery()?.engine;
    if (engine) show(at("engine"), engine);
  });
}

function followAddress() {
  const read = () => app.selected(location.hash.startsWith("#link=") ? null : decodeURIComponent(location.hash.slice(1)) || null);
  window.addEventListener("popstate", read);
  document.querySelector(".brand").addEventListener("click", (event) => {
    // With a key held it opens elsewhere, as any link.
    if (event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    app.open(null);
  });
  read();
}

async function begin() {
  arrive();
  await speak();
  effect(() => {
    app.version();
    app.selected();
    setTimeout(checkWords);
  });
  theme(redrawCharts);
  followAddress();
  views();
  app.notice(store.takeNote());
  // Only the presenter's page loads it.
  if (presents) import("./views/presenter.js").then(({ presenter }) => presenter(app, at("presenter")));
  examples().then((answer) => app.gallery(answer), (error) => app.gallery({ examples: [], engine: "", error: error.message }));
  try {
    app.user = await who();
    app.scope(app.user.scope);
  } catch (error) {
    app.link({ phase: "offline", reason: follows && error.status === 401 ? "unauthenticated" : "identity", message: error.message });
    return;
  }
  app.wire = connect({
    userId: app.user.user_id,
    follows,
    deliver,
    changed: (link) => {
      if (link.phase === "waiting" && app.link().phase === "online") app.ledger.cut(Date.now());
      if (link.phase === "online") questions.pump();
      if (link.phase === "offline" && link.reason === "unauthenticated" && !follows) app.renew(t("notice.renewed"));
      else app.link({ phase: link.phase, reason: link.reason, retryInMs: app.wire?.retryInMs() ?? null, since: Date.now() });
    },
  });
}

begin();
