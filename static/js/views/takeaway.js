// The result as something to keep.

import { h } from "../h.js";
import { t } from "../words.js";

const KINDS = ["html", "md", "json"];

/** The visitor's cookie opens the files, and nobody else's. */
export function takeAway(app, run) {
  const link = (kind) => h("a", {
    href: `/api/v1/example-messages/sessions/${run.sessionId}/report.${kind}`, download: "",
    onclick: () => app.track("report_exported", run),
  }, t(`takeaway.${kind}`));
  return h("section", { class: "part" }, h("h2", {}, t("takeaway.title")),
    h("p", { class: "files" }, KINDS.map(link)),
    h("p", { class: "muted" }, t("takeaway.sealed"), " ", h("a", { href: "/verify" }, t("takeaway.verify"))));
}
