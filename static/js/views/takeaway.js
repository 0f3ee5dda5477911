// The result as something to keep.

import { report } from "../api.js";
import { h } from "../h.js";
import { t } from "../words.js";

const KINDS = ["html", "md", "json"];

/** The visitor's cookie opens the files, and nobody else's; a page that follows fetches them with its token. */
export function takeAway(app, run) {
  const link = (kind) => h("a", {
    href: `/api/v1/example-messages/sessions/${run.sessionId}/report.${kind}`, download: "",
    onclick: (event) => {
      app.track("report_exported", { run });
      if (app.follows) {
        event.preventDefault();
        save(app, run, kind);
      }
    },
  }, t(`takeaway.${kind}`));
  return h("section", { class: "part take-away" }, h("h2", {}, t("takeaway.title")), callToAction(app, run),
    h("p", { class: "files" }, KINDS.map(link)),
    h("p", { class: "muted" }, t("takeaway.sealed"), " ", h("a", { href: "/verify" }, t("takeaway.verify"))));
}

/** What the operator offers to whoever wants more, as the server put it into the page; nothing where nothing is offered. */
function callToAction(app, run) {
  const offered = document.getElementById("call-to-action")?.content.querySelector("a");
  if (!offered) return null;
  const link = offered.cloneNode(true);
  link.classList.add("primary");
  link.addEventListener("click", () => app.track("call_to_action", { run }));
  return h("p", { class: "call-to-action" }, link, h("span", { class: "muted" }, t("takeaway.opens", { host: new URL(link.href).host })));
}

async function save(app, run, kind) {
  try {
    const address = URL.createObjectURL(await report(run.sessionId, kind));
    h("a", { href: address, download: `emflow-${run.sessionId}.${kind}` }).click();
    URL.revokeObjectURL(address);
  } catch (error) {
    app.notice(error.message);
  }
}
