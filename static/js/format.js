// Numbers and times as a person reads them. Pure.

import { t, tOr, tag } from "./words.js";

const made = new Map();
/** Making a formatter is slow; a page needs a handful. */
function formatter(options) {
  const key = tag() + JSON.stringify(options);
  if (!made.has(key)) made.set(key, new Intl.NumberFormat(tag(), options));
  return made.get(key);
}
const exact = (value) => formatter({ maximumSignificantDigits: 10 }).format(value);
const short = (value) => formatter({ maximumSignificantDigits: 4 }).format(value);
const compact = (value) => formatter({ notation: "compact", maximumSignificantDigits: 3 }).format(value);

const DOLLARS = /^USD(?=$|\/| )/;

/** A unit of the wire in a person's spelling. */
export const spell = (unit) => {
  const words = unit.replace("USD", "$").replace("Mtok", t("unit.Mtok")).split("/").map((part) => tOr(`unit.${part}`, part)).join("/");
  return words.startsWith("$") ? words.replace("/", " / ") : words;
};

/** A share, of a whole or for each of something: `fraction`, `fraction/month`. */
export const isShare = (unit) => /^fraction(?=\/|$)/.test(unit);
export const asPercent = (unit) => unit.replace("fraction", "%");

/** The currency stands where the language puts it: $1,200 or 1.200 $. */
const before = () => formatter({ style: "currency", currency: "USD", currencyDisplay: "narrowSymbol" }).formatToParts(1)[0].type === "currency";
const money = (text) => (before() ? `$${text}` : `${text}${NARROW}$`);
/** Of one there is one: "1 week". Only the first word of a unit counts something. */
const ONE = { weeks: "week", months: "month", days: "day", years: "year", calls: "call", requests: "request", tokens: "token", users: "user",
  sessions: "session", replicas: "replica", slots: "slot", points: "point", GPUs: "GPU" };
const counted = (unit, value) => (value === 1 ? unit.replace(/^\w+/, (word) => ONE[word] ?? word) : unit);
/** No line breaks between a number and its unit. */
const NARROW = "\u00a0";

function withUnit(text, unit, value) {
  if (!unit) return text;
  if (DOLLARS.test(unit)) return `${value < 0 ? "−" : ""}${money(cents(text.replace("-", "")))}${spell(unit).slice(1)}`;
  return `${text}${NARROW}${unit === "%" ? "%" : spell(counted(unit, value))}`;
}

/** Nobody writes `$0.5`. */
const cents = (text) => (/[.,]\d$/.test(text) ? `${text}0` : text);
const percent = (value, unit) => `${short(value * 100)}${NARROW}${asPercent(unit)}`;

/** Enough digits to redo the arithmetic by hand. */
export const full = (value, unit = "") =>
  isShare(unit) ? `${exact(value)} (${percent(value, unit)})` : withUnit(exact(value), unit, value);
/** For reading: four significant digits. */
export const brief = (value, unit = "") => (isShare(unit) ? percent(value, unit) : withUnit(short(value), unit, value));
/** The result above its arithmetic: cents are kept, the tail of a division is not; that stands in the arithmetic. */
export const rounded = (value, unit = "") => {
  const digits = Math.abs(value) < 1000 ? { maximumSignificantDigits: 5 } : { maximumFractionDigits: 2 };
  return isShare(unit) ? percent(value, unit) : withUnit(formatter(digits).format(value), unit, value);
};
/** For axes. */
export const tick = (value, unit = "") =>
  DOLLARS.test(unit) ? `${value < 0 ? "−" : ""}${money(compact(Math.abs(value)))}` : compact(value);

/** `840 ms`, `12.3 s`, `2 min 5 s`. */
export function duration(ms) {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${formatter({ minimumFractionDigits: 1, maximumFractionDigits: 1 }).format(ms / 1000)} s`;
  return `${Math.floor(ms / 60_000)} min ${Math.floor((ms % 60_000) / 1000)} s`;
}

/** `14:03:07.125` in the reader's time zone. */
export function clock(ms) {
  const date = new Date(ms);
  const two = (n) => String(n).padStart(2, "0");
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}

/** A word of the wire in a person's spelling; `advanced` is a depth, see `topic`. */
export const word = (name) => (name ? tOr(`word.${name}`, String(name)) : "");
/** A category in a person's spelling: the one called `advanced` weighs several aims at once. */
export const topic = (category) => (category === "advanced" ? t("word.several") : word(category));

/** A figure of the answer: as the agent wrote it where it speaks the reader's language, else from its value. */
export const figure = (f) => (tag() === "en-US" || !Number.isFinite(f.value) ? f.text : rounded(f.value, f.unit));

/**
 * Splits `text` at the first occurrence of each reference, in their order:
 * `[{text, id?}]`. A reference that does not occur is left out.
 */
export function pieces(text, refs = []) {
  const out = [];
  let from = 0;
  for (const ref of refs) {
    const at = ref.text ? text.indexOf(ref.text, from) : -1;
    if (at < 0) continue;
    if (at > from) out.push({ text: text.slice(from, at) });
    out.push({ text: ref.text, id: ref.id });
    from = at + ref.text.length;
  }
  if (from < text.length) out.push({ text: text.slice(from) });
  return out;
}

/** The message cut at the spans of its quantities (Unicode scalar values): `[{text, quantity?}]`. */
export function spans(message, quantities = []) {
  const letters = [...message];
  const marked = quantities.filter((q) => q.source === "message" && q.span && q.span[0] < q.span[1]);
  const out = [];
  let from = 0;
  for (const quantity of marked.sort((a, b) => a.span[0] - b.span[0])) {
    const [start, end] = quantity.span;
    if (start < from || end > letters.length) continue;
    if (start > from) out.push({ text: letters.slice(from, start).join("") });
    out.push({ text: letters.slice(start, end).join(""), quantity });
    from = end;
  }
  if (from < letters.length) out.push({ text: letters.slice(from).join("") });
  return out;
}
