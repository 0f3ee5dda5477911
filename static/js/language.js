// The reader's language on a page: loads its words, fills in what stands in the HTML, and lets it be changed.

import { choose, lacking, language, t, use, LANGUAGES } from "./words.js";
import { h, show } from "./h.js";
import * as store from "./store.js";

/** The name of the page, as the server filled it in. */
export const brand = () => document.querySelector(".brand-name")?.textContent ?? "";

/** Before anything is drawn. */
export async function speak() {
  const chosen = choose(store.loadLanguage(), navigator.languages);
  const answer = await fetch(`/lang/${chosen}.json`);
  if (answer.ok) use(chosen, await answer.json());
  document.documentElement.lang = chosen;
  for (const node of document.querySelectorAll("[data-t]")) node.textContent = t(node.dataset.t);
  const title = brand();
  for (const node of document.querySelectorAll("[data-label]")) node.setAttribute("aria-label", t(node.dataset.label, { title }));
  const picker = document.getElementById("language");
  show(picker, Object.entries(LANGUAGES).map(([name, label]) => h("option", { value: name, lang: name, selected: name === language(), title: label }, name.toUpperCase())));
  picker.addEventListener("change", () => {
    store.saveLanguage(picker.value);
    location.reload();
  });
}

/** A word that is in no file is a mistake of the page: said where the tests and a developer see it. */
export function checkWords() {
  if (lacking().length > 0) console.warn(`no words for: ${lacking().join(", ")}`);
}
