// The state of the connection, as it is.

import { h, show } from "../h.js";
import { effect } from "../signal.js";
import { state as storage } from "../store.js";

const WHY = {
  lost: "connection lost", unreachable: "server not reached", silent: "the server fell silent", gap: "a frame was missing",
  4500: "closed: too many bad frames", 4501: "your visit has expired or was ended", 4502: "opened in too many places; this one was closed",
  4503: "closed by an administrator", 1000: "closed by the server", stopped: "stopped", another: "this browser has become another visitor", identity: "no visitor could be made",
};

const COUNT_MS = 500;

export function connectionStatus(app, place) {
  let counting = null;
  effect(() => {
    const link = app.link();
    clearInterval(counting);
    place.dataset.phase = link.phase;
    show(place, h("span", { class: "connection-dot", "aria-hidden": "true" }), ...told(app, link));
    if (link.phase === "waiting") counting = setInterval(() => count(app, place), COUNT_MS);
  });
  effect(() => {
    const text = app.notice();
    document.querySelector(".page-notice")?.remove();
    if (!text) return;
    const close = h("button", { class: "icon", type: "button", "aria-label": "Close this notice", onclick: () => app.notice("") }, "×");
    document.querySelector(".top").after(h("div", { class: "page-notice notice", role: "alert" }, h("p", {}, text), close));
  });
}

function told(app, { phase, reason, retryInMs, message }) {
  const button = (label, act) => h("button", { class: "link", type: "button", onclick: act }, label);
  switch (phase) {
    case "online": return [h("span", { title: storage.durable ? "" : "This browser keeps nothing: a reload cannot be proven." }, storage.durable ? "Live" : "Live, nothing kept")];
    case "dialing": return [h("span", {}, "Connecting…")];
    case "waiting":
      // The seconds are for the eye: a screen reader is not told each of them.
      return [h("span", {}, `${capital(WHY[reason] ?? reason)}; again`), h("span", { class: "countdown", "aria-hidden": "true" }, inSeconds(retryInMs)),
        button("now", () => app.wire.hurry())];
    default: {
      const why = message ?? WHY[reason] ?? reason;
      const [label, act] = {
        identity: ["try again", () => location.reload()],
        4501: ["start as a new visitor", () => app.renew()],
        another: ["go on as that visitor", app.follow],
      }[reason] ?? ["connect", () => app.wire?.hurry()];
      return [h("span", {}, `Not connected: ${why} `), button(label, act)];
    }
  }
}

const inSeconds = (ms) => (ms === null || ms === undefined ? "" : `in ${Math.max(1, Math.round(ms / 1000))} s`);

function count(app, place) {
  const shown = place.querySelector(".countdown");
  if (shown) shown.textContent = inSeconds(app.wire?.retryInMs());
}

const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);
