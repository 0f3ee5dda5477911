// The page's words in the reader's language, from plain message files (static/lang/*.json). Pure; main.js loads the file.
//
// A message is a text with {names}, or an object of such texts by plural form ("one", "other") chosen by {n}.

export const LANGUAGES = { en: "English", de: "Deutsch" };

let locale = "en";
let messages = {};
let plural = new Intl.PluralRules(locale);
const missing = new Set();

/** From now on the words of `language`; those it lacks are told by `lacking()`. */
export function use(language, file) {
  locale = language;
  messages = file;
  plural = new Intl.PluralRules(language);
  missing.clear();
}

export const language = () => locale;
/** For numbers and dates. */
export const tag = () => (locale === "en" ? "en-US" : locale);
/** Names that were asked for and are in no file: a mistake of the page, never of the reader. */
export const lacking = () => [...missing];

export function t(name, values = {}) {
  let message = messages[name];
  if (typeof message === "object") message = message[plural.select(values.n)] ?? message.other;
  if (message === undefined) {
    missing.add(name);
    return name;
  }
  return message.replace(/\{(\w+)\}/g, (whole, key) => (key in values ? String(values[key]) : whole));
}

/** The same where there may be no message: then `otherwise`. */
export const tOr = (name, otherwise) => (name in messages ? t(name) : otherwise);

/** The language to begin with: what was chosen, else the first of the browser's that is spoken here. */
export function choose(chosen, preferred) {
  const known = (name) => Object.hasOwn(LANGUAGES, name);
  return [chosen, ...preferred].map((name) => String(name ?? "").toLowerCase().split("-")[0]).find(known) ?? "en";
}
