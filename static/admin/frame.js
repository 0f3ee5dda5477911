// The frame around every page: navigation, whether the stream is alive, and the page itself.

import { h, show } from "../js/h.js";
import { effect } from "../js/signal.js";
import { post } from "./api.js";
import { Context } from "./context.js";
import { redraw } from "./parts/chart.js";
import { perform } from "./parts/toast.js";
import { pill } from "./parts/state.js";
import { moment, span } from "./words.js";
import { here, link } from "./route.js";
import { ELSEWHERE, GROUPS, PAGES } from "./pages.js";

export function frame(app, place) {
  const stops = [];
  const keep = (run) => stops.push(effect(run));
  const main = h("main", { id: "main", tabindex: "-1" });
  const nav = h("nav", { id: "nav", class: "nav", "aria-label": "Administration" }, GROUPS.map(([name, pages]) =>
    h("div", { class: "nav-group" }, h("h2", {}, name), h("ul", {}, pages.map((page) =>
      h("li", {}, h("a", { href: link(page), dataset: { page } }, h("span", {}, PAGES[page].title), h("span", { class: "nav-count", hidden: true }))))))),
  h("div", { class: "nav-group" }, h("h2", {}, "Elsewhere"), h("ul", {}, ELSEWHERE.map(([title, href]) => h("li", {}, h("a", { href }, title))))));
  const menu = h("button", { class: "menu ghost", type: "button", "aria-controls": "nav", "aria-expanded": "false", onclick: () => toggle() }, "Menu");
  const toggle = (open = menu.getAttribute("aria-expanded") !== "true") => {
    menu.setAttribute("aria-expanded", String(open));
    nav.dataset.open = String(open);
  };
  const stale = h("div", { class: "stale-bar", role: "alert", hidden: true });
  const lamp = h("div", { class: "lamp", role: "status" });
  show(place,
    h("header", { class: "bar" }, menu, h("a", { class: "brand", href: link("overview"), "aria-label": "Administration, overview" }, mark(), h("span", {}, "Administration")), lamp, themeButton(),
      h("button", { class: "ghost", type: "button", onclick: () => perform(() => post("/admin/logout"), { after: (done) => done !== null && app.leave("You are signed out.") }) }, "Sign out")),
    h("div", { class: "columns" }, nav, h("div", { class: "content" }, stale, main)));

  keep(() => drawPhase(app, { lamp, stale, main }));
  stops.push(every(1_000, () => countdown(app, stale)));
  keep(() => drawCounts(app, nav));
  let mounted = null;
  const follow = () => {
    toggle(false);
    mounted = mount(app, main, nav, mounted, here());
  };
  follow();
  addEventListener("hashchange", follow);
  addEventListener("keydown", keys);
  stops.push(() => removeEventListener("keydown", keys), () => removeEventListener("hashchange", follow), () => mounted?.context.leave());
  return () => stops.forEach((stop) => stop());
}

function every(milliseconds, run) {
  const ticking = setInterval(run, milliseconds);
  return () => clearInterval(ticking);
}

/** The same page with other parameters stays; another one takes its place, and the focus. */
function mount(app, main, nav, mounted, route) {
  const name = PAGES[route.page] ? route.page : "overview";
  if (mounted?.name === name && mounted.id === route.id) {
    mounted.context.params(route.params);
    return mounted;
  }
  mounted?.context.leave();
  const context = new Context(app, route);
  const page = PAGES[name];
  for (const anchor of nav.querySelectorAll("a")) {
    if (anchor.dataset.page === name) anchor.setAttribute("aria-current", "page");
    else anchor.removeAttribute("aria-current");
  }
  document.title = `${page.title} · Administration`;
  show(main, page.view(context));
  scrollTo(0, 0);
  if (mounted) main.focus({ preventScroll: true });
  return { name, id: route.id, context };
}

/** What needs a person, beside the page where it is: alerts, open breakers. */
function drawCounts(app, nav) {
  const snapshot = app.live?.snapshot();
  if (!snapshot) return;
  const open = (snapshot.breakers ?? []).filter((breaker) => breaker.state !== "closed").length;
  for (const [page, n, what] of [["alerts", snapshot.alerts?.firing ?? 0, "firing"], ["breakers", open, "not closed"]]) {
    const place = nav.querySelector(`[data-page="${page}"] .nav-count`);
    place.hidden = n === 0;
    show(place, String(n), h("span", { class: "quiet" }, ` ${what}`));
  }
}

function drawPhase(app, { lamp, stale, main }) {
  const { phase, since } = app.live?.phase() ?? { phase: "ended", since: null };
  const text = { connecting: "Connecting…", live: "Live", stale: `Stale since ${moment(since)}`, ended: "Signed out" }[phase];
  show(lamp, pill({ live: "good", stale: "bad" }[phase] ?? "warn", text));
  main.dataset.phase = phase;
  stale.hidden = phase !== "stale";
  if (phase !== "stale") return;
  show(stale, h("p", {}, h("strong", {}, "The connection to the server is gone."), ` What you see is as of ${moment(since)} and may be wrong by now. `, h("span", { class: "countdown", "aria-hidden": "true" })),
    h("button", { class: "ghost", type: "button", onclick: () => app.live?.hurry() }, "Try now"));
  countdown(app, stale);
}

/** The seconds are for the eye: a screen reader is not told each of them. */
function countdown(app, stale) {
  const at = app.live?.phase().retryAt;
  const place = stale.querySelector(".countdown");
  if (place) place.textContent = at && at > Date.now() ? `Trying again in ${span(Math.ceil((at - Date.now()) / 1_000) * 1_000)}.` : "Trying again…";
}

function themeButton() {
  return h("button", { class: "icon", type: "button", "aria-label": "Switch between light and dark", onclick: () => {
    const root = document.documentElement;
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    try {
      localStorage.setItem("emflow.theme", root.dataset.theme);
    } catch {
      // Storage refused: the choice lasts as long as the page.
    }
    redraw();
  } }, h("span", { "aria-hidden": "true" }, "◐"));
}

function mark() {
  return h("img", { src: "/favicon.svg", alt: "", width: "24", height: "24" });
}

/** `/` goes to the first filter of a page, as in most tools of this kind. */
function keys(event) {
  const typing = event.target.closest?.("input, select, textarea, dialog");
  if (event.key !== "/" || event.ctrlKey || event.metaKey || typing) return;
  const field = document.querySelector("main .filter input");
  if (!field) return;
  event.preventDefault();
  field.focus();
}
