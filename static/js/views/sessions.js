// The side list: every question of this visitor, the newest first.

import { h, keyed } from "../h.js";
import { effect } from "../signal.js";
import { titleOf } from "../runs.js";

const STATUS = {
  sending: "waiting to be sent", accepted: "waiting for its turn", running: "running", completed: "done", failed: "failed",
  cancelled: "stopped", expired: "expired", refused: "refused", interrupted: "interrupted",
};

export function sessionList(app, nav) {
  const fresh = h("button", { class: "new", type: "button", onclick: () => app.open(null) }, h("span", { "aria-hidden": "true" }, "+"), " New question");
  const list = h("ol", {});
  nav.append(fresh, list);
  effect(() => {
    app.version();
    const chosen = app.selected();
    keyed(list, app.runs.list, (run) => run.key, (run) => entry(app, run));
    app.runs.list.forEach((run, n) => {
      const button = list.children[n].firstElementChild;
      button.setAttribute("aria-current", run.key === chosen ? "page" : "false");
      button.dataset.status = run.status;
      button.querySelector(".entry-title").textContent = titleOf(run);
      button.title = titleOf(run);
      const edited = Object.keys(run.asked?.session_context?.assumptions ?? {}).length > 0;
      button.querySelector(".entry-state").textContent = `${STATUS[run.status] ?? run.status}${edited ? ", numbers edited" : ""}`;
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
