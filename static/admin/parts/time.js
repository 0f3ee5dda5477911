// Times that stay true: "12 s ago" goes on counting by itself, the exact time is behind it.

import { h } from "../../js/h.js";
import { ago, exactly, lasting, moment, until } from "../words.js";

const SAY = { ago, until, moment, lasting };

/** A time; `say` is "ago", "until", "lasting" or "moment". */
export function time(value, say = "ago") {
  if (value === null || value === undefined) return "–";
  return h("time", { datetime: exactly(value), title: exactly(value), dataset: say === "moment" ? {} : { say } }, SAY[say](value));
}

/** Keeps every such time on the page counting. */
export function keepTime() {
  return setInterval(() => {
    const now = Date.now();
    for (const node of document.querySelectorAll("time[data-say]")) {
      const text = SAY[node.dataset.say](node.dateTime, now);
      if (node.textContent !== text) node.textContent = text;
    }
  }, 1_000);
}
