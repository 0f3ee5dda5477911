// The example messages, to ask as they stand or to edit first.

import { h, show } from "../h.js";
import { effect } from "../signal.js";
import { topic, word } from "../format.js";

export function gallery(app) {
  const grid = h("div", { class: "cards" });
  effect(() => {
    const answer = app.gallery();
    if (!answer) show(grid, h("p", { class: "muted" }, "Loading the examples…"));
    else if (answer.error) show(grid, h("p", { class: "notice bad" }, `The examples could not be loaded. ${answer.error}`));
    else show(grid, answer.examples.map((example) => card(app, example)));
  });
  return h("section", { class: "gallery", "aria-labelledby": "gallery-title" },
    h("h2", { id: "gallery-title" }, "Or start from an example"), grid);
}

function card(app, example) {
  const open = (use) => () => {
    app.track("example_opened");
    use(example);
  };
  return h("article", { class: "card", dataset: { category: example.category } },
    h("p", { class: "card-kind" }, topic(example.category), h("span", { class: "dot", "aria-hidden": "true" }), word(example.complexity)),
    h("h3", {}, example.title),
    h("p", { class: "card-text" }, example.content),
    h("p", { class: "card-meta" },
      h("span", { title: "Business value" }, word(example.businessValue)),
      h("span", { title: "Estimated time" }, example.estimatedTime)),
    h("div", { class: "card-actions" },
      h("button", { class: "primary ask", type: "button", onclick: open(app.ask), "aria-label": `Ask this: ${example.title}` }, "Ask this"),
      h("button", { class: "ghost", type: "button", onclick: open(app.draft), "aria-label": `Edit first: ${example.title}` }, "Edit first")));
}
