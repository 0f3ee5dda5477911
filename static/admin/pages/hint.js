// For somebody who signs in for the first time: the few things worth doing, until they are done or put away.

import { h } from "../../js/h.js";
import { button } from "../parts/page.js";
import { link } from "../route.js";

const KEY = "emflow.admin.greeted";

const seen = () => {
  try {
    return localStorage.getItem(KEY) === "yes";
  } catch {
    return false;
  }
};

export function firstSteps(ctx) {
  if (seen()) return null;
  const away = () => {
    try {
      localStorage.setItem(KEY, "yes");
    } catch {
      // Storage refused: it comes again at the next sign-in.
    }
    element.remove();
  };
  const choose = h("li", { hidden: true }, h("a", { href: link("access") }, "Choose your own password"), ": the first one was printed on a terminal.");
  ctx.effect(() => { choose.hidden = ctx.app.session()?.password_is_configured !== false; });
  const element = h("section", { class: "hint-card", "aria-label": "First steps" },
    h("div", {}, h("h2", {}, "Welcome"), h("p", { class: "muted" }, "This page says at once whether all is well. These are worth doing first:"),
      h("ol", {}, choose,
        h("li", {}, h("a", { href: link("certificates") }, "Let your devices trust the certificate"), ", so that no browser warns."),
        h("li", {}, h("a", { href: link("examples") }, "Fill the gallery"), " with the words and numbers of your prospects."),
        h("li", {}, h("a", { href: link("backups") }, "See that backups are made"), " and kept where you want them."))),
    button("Put away", away));
  return element;
}
