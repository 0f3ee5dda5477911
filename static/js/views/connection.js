// The state of the connection, as it is.

import { h, show } from "../h.js";
import { effect } from "../signal.js";
import { state as storage } from "../store.js";
import { t, tOr } from "../words.js";

const why = (reason) => tOr(`why.${reason}`, reason);
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
    const close = h("button", { class: "icon", type: "button", "aria-label": t("close_notice"), onclick: () => app.notice("") }, "×");
    document.querySelector(".top").after(h("div", { class: "page-notice notice", role: "alert" }, h("p", {}, text), close));
  });
}

function told(app, { phase, reason, retryInMs, message }) {
  const button = (label, act) => h("button", { class: "link", type: "button", onclick: act }, label);
  switch (phase) {
    case "online": return [h("span", { title: storage.durable ? "" : t("link.not_kept_more") }, t(storage.durable ? "link.live" : "link.not_kept"))];
    case "dialing": return [h("span", {}, t("link.dialing"))];
    case "waiting":
      // The seconds are for the eye: a screen reader is not told each of them.
      return [h("span", {}, t("link.waiting", { why: capital(why(reason)) })), h("span", { class: "countdown", "aria-hidden": "true" }, inSeconds(retryInMs)),
        button(t("link.now"), () => app.wire.hurry())];
    default: {
      // What let this device follow has ended: only the first device lets it again.
      if (app.follows && ["unauthenticated", "4501", "another"].includes(reason)) return [h("span", {}, t("follow.ended"))];
      const [label, act] = {
        identity: ["link.try_again", () => location.reload()],
        4501: ["link.start_anew", () => app.renew()],
        another: ["link.go_on", app.follow],
      }[reason] ?? ["link.connect", () => app.wire?.hurry()];
      return [h("span", {}, `${t("link.offline", { why: message ?? why(reason) })} `), button(t(label), act)];
    }
  }
}

const inSeconds = (ms) => (ms === null || ms === undefined ? "" : t("link.in_seconds", { n: Math.max(1, Math.round(ms / 1000)) }));

function count(app, place) {
  const shown = place.querySelector(".countdown");
  if (shown) shown.textContent = inSeconds(app.wire?.retryInMs());
}

const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);
