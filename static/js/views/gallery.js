// The example messages, to ask as they stand or to edit first.

import { h, show } from "../h.js";
import { effect } from "../signal.js";
import { topic, word } from "../format.js";
import { t } from "../words.js";

export function gallery(app) {
  const grid = h("div", { class: "cards" });
  const stop = effect(() => {
    const answer = app.gallery();
    if (!answer) show(grid, h("p", { class: "muted" }, t("gallery.loading")));
    else if (answer.error) show(grid, h("p", { class: "notice bad" }, t("gallery.failed", { why: answer.error })));
    else show(grid, answer.examples.map((example) => card(app, example)));
  });
  const node = h("section", { class: "gallery", "aria-labelledby": "gallery-title" },
    h("h2", { id: "gallery-title" }, t("gallery.title")), grid);
  return { node, leave: stop };
}

function card(app, example) {
  const open = (use) => () => {
    app.track("example_opened", { example });
    use(example);
  };
  return h("article", { class: "card", dataset: { category: example.category } },
    h("p", { class: "card-kind" }, topic(example.category), h("span", { class: "dot", "aria-hidden": "true" }), word(example.complexity)),
    h("h3", { lang: "en" }, example.title),
    h("p", { class: "card-text", lang: "en" }, example.content),
    h("p", { class: "card-meta" },
      h("span", { title: t("gallery.value") }, word(example.businessValue)),
      h("span", { title: t("gallery.time"), lang: "en" }, example.estimatedTime)),
    h("div", { class: "card-actions" },
      h("button", { class: "primary ask", type: "button", onclick: open(app.ask), "aria-label": t("gallery.ask_this", { title: example.title }) }, t("gallery.ask")),
      h("button", { class: "ghost", type: "button", onclick: open(app.draft), "aria-label": t("gallery.edit_this", { title: example.title }) }, t("gallery.edit"))));
}
