// The presenter's bar: the script by key, the loop for a stand, the next prospect, and faults that really happen.
// What the bar orders the server checks: this page is for the administrator.

import { Desk } from "../desk.js";
import { effect } from "../signal.js";
import { h, show } from "../h.js";
import { Autoplay } from "../autoplay.js";
import { isLive } from "../runs.js";
import { t } from "../words.js";

/** How often the state of the breakers is asked. */
const LOOK_MS = 2_000;
const SLOW_MS = 1_500;

export function presenter(app, place) {
  const desk = new Desk();
  let script = { steps: [], faults: null };
  let at = -1;
  let slow = false;

  const button = (name, act, extra = {}) => h("button", { class: "ghost", type: "button", onclick: act, ...extra }, t(name));
  const where = h("p", { class: "bar-where", role: "status" });
  const next = button("presenter.next", () => step(1), { class: "primary" });
  const auto = button("presenter.auto", () => play.toggle(), { "aria-pressed": "false" });
  const notesButton = button("presenter.notes", () => {
    notes.hidden = !notes.hidden;
    draw();
  }, { "aria-pressed": "false" });
  const notes = h("p", { class: "bar-notes", hidden: true });
  const breakers = h("ul", { class: "bar-breakers" });
  const fail = button("presenter.fail", () => order(() => desk.fail(!script.faults.failing)), { "aria-pressed": "false" });
  const slower = button("presenter.slow", () => order(async () => {
    slow = !slow;
    await desk.slow(app.user.user_id, slow ? SLOW_MS : 0);
  }), { "aria-pressed": "false" });
  const kill = button("presenter.restart", () => order(() => desk.restart()), { class: "ghost danger" });
  const faults = h("div", { class: "bar-faults", role: "group", "aria-label": t("presenter.faults") },
    button("presenter.cut", () => app.cut()), slower, fail, kill, breakers);
  const bar = h("div", { class: "bar" }, h("div", { class: "bar-main" },
    button("presenter.back", () => step(-1)), next, where, auto, notesButton,
    button("presenter.renew", () => app.renew())), faults, notes);

  const play = new Autoplay({
    step: () => step(1),
    state: () => {
      const run = app.runs.byKey(app.selected());
      return run ? (isLive(run) ? "live" : "ended") : "none";
    },
    after: (ms, act) => {
      const timer = setTimeout(act, ms);
      return () => clearTimeout(timer);
    },
    changed: draw,
  });

  function step(by) {
    if (script.steps.length === 0 || !app.wire) return;
    at = (Math.max(at, by < 0 ? 0 : -1) + by + script.steps.length) % script.steps.length;
    const { example } = script.steps[at];
    app.ask(example);
    draw();
  }

  /** Orders, and then shows what the server says is so. */
  async function order(act) {
    try {
      await act();
      await look();
    } catch (error) {
      if (error.status === 401) return admit();
      app.notice(error.message);
    }
  }

  async function look() {
    script = await desk.about();
    play.pause(script.pause_ms);
    draw();
  }

  function draw() {
    const shown = script.steps[at];
    show(where, shown ? t("presenter.at", { n: at + 1, of: script.steps.length }) : t("presenter.ready", { n: script.steps.length }), shown ? h("span", { class: "muted", lang: "en" }, shown.example.title) : null);
    show(notes, shown?.notes || t("presenter.no_notes"));
    auto.setAttribute("aria-pressed", String(play.on));
    notesButton.setAttribute("aria-pressed", String(!notes.hidden));
    faults.hidden = script.faults === null;
    if (faults.hidden) return;
    fail.setAttribute("aria-pressed", String(script.faults.failing));
    slower.setAttribute("aria-pressed", String(slow));
    kill.hidden = !script.faults.restart;
    show(breakers, script.faults.breakers.map((b) => h("li", { dataset: { state: b.state } }, h("code", {}, b.name), ` ${t(`breaker.${b.state}`)}`)));
  }

  /** Asks for the administrator's password where this browser is not logged in. */
  function admit() {
    const password = h("input", { type: "password", id: "presenter-password", autocomplete: "current-password", required: true });
    const wrong = h("p", { class: "field-error", role: "alert" });
    show(place, h("form", { class: "bar bar-login", onsubmit: async (event) => {
      event.preventDefault();
      try {
        await desk.login(password.value);
        await open();
      } catch (error) {
        show(wrong, error.message);
      }
    } }, h("label", { for: "presenter-password" }, t("presenter.password")), password, h("button", { class: "primary", type: "submit" }, t("presenter.enter")), wrong));
  }

  async function open() {
    await look();
    show(place, bar);
    setInterval(() => {
      // While the server is away there is nothing to ask.
      if (app.link().phase === "online" && script.faults) look().catch(() => {});
    }, LOOK_MS);
  }

  /** No letter alone: it would fire while somebody types. A clicker sends PageDown and PageUp. */
  const KEYS = { PageDown: () => step(1), PageUp: () => step(-1) };
  const WITH_ALT = { KeyA: () => play.toggle(), KeyN: () => notesButton.click(), KeyR: () => app.renew(), KeyC: () => app.cut(), KeyS: () => slower.click(), KeyF: () => fail.click(), KeyK: () => kill.click() };
  document.addEventListener("keydown", (event) => {
    const act = event.altKey ? WITH_ALT[event.code] : KEYS[event.code];
    if (!act || event.ctrlKey || event.metaKey || !bar.isConnected || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    act();
  });
  // Somebody at the stand takes over: it goes on by itself only when it is told to.
  document.addEventListener("pointerdown", (event) => {
    if (!place.contains(event.target)) play.stop();
  });
  effect(() => {
    app.version();
    play.look();
  });
  desk.enter().then(open, (error) => (error.status === 401 || error.status === 403 ? admit() : show(place, h("p", { class: "bar notice bad" }, error.message))));
}
