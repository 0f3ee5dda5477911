// The side list: every question of this visitor, the newest first; what-ifs stand with the question they vary.

import { h, keyed } from "../h.js";
import { effect } from "../signal.js";
import { titleOf } from "../runs.js";
import { t, tOr } from "../words.js";

export function sessionList(app, nav) {
  const fresh = h("button", { class: "new", type: "button", onclick: () => app.open(null) }, h("span", { "aria-hidden": "true" }, "+"), ` ${t("sessions.new")}`);
  const list = h("ol", {});
  nav.append(fresh, list);
  effect(() => {
    app.version();
    fresh.hidden = !app.control();
    const selected = app.runs.byKey(app.selected());
    const chosen = selected && app.runs.rootOf(selected);
    const roots = app.runs.list.filter((run) => app.runs.rootOf(run) === run);
    keyed(list, roots, (run) => run.key, (run) => entry(app, run));
    roots.forEach((run, n) => {
      const button = list.children[n].firstElementChild;
      button.setAttribute("aria-current", run === chosen ? "page" : "false");
      button.dataset.status = run.status;
      button.querySelector(".entry-title").textContent = titleOf(run);
      button.title = titleOf(run);
      const more = app.runs.familyOf(run).length - 1;
      button.querySelector(".entry-state").textContent = `${tOr(`entry.${run.status}`, run.status)}${more ? `, ${t("sessions.what_ifs", { n: more })}` : ""}`;
    });
    if (chosen) fresh.removeAttribute("aria-current");
    else fresh.setAttribute("aria-current", "page");
  });
}

function entry(app, run) {
  return h("li", {}, h("button", { class: "entry", type: "button", onclick: () => app.open(run.key) },
    h("span", { class: "entry-dot", "aria-hidden": "true" }),
    h("span", { class: "entry-title" }), h("span", { class: "entry-state" })));
}
