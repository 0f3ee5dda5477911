// Numbers, times and words of the administration as a person reads them. Pure.

import { duration, word } from "../js/format.js";

export { duration };

const TOPICS = { "cost-optimization": "Cost", "latency-optimization": "Latency", "model-selection": "Model selection", scaling: "Scaling", advanced: "Several aims" };
/** What a question is about. */
export const topic = (category) => TOPICS[category] ?? spoken(category);

const whole = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const few = new Intl.NumberFormat("en-US", { maximumSignificantDigits: 3 });

/** What the server did not say is a dash, never a zero. */
const known = (value, say) => (value === null || value === undefined || Number.isNaN(value) ? "–" : say(value));

export const count = (value) => known(value, (n) => whole.format(n));
/** Three digits are enough to read a rate; whole numbers stay whole. */
export const rate = (value) => known(value, (n) => (Number.isInteger(n) || Math.abs(n) >= 1_000 ? whole.format(n) : few.format(n)));
export const ms = (value) => known(value, (n) => (n > 0 && n < 10 ? `${few.format(n)} ms` : duration(n)));
export const percent = (share) => known(share, (n) => `${few.format(n * 100)} %`);

const SIZES = ["B", "KiB", "MiB", "GiB", "TiB"];
export const bytes = (value) => known(value, (n) => {
  const step = n < 1 ? 0 : Math.min(SIZES.length - 1, Math.floor(Math.log(n) / Math.log(1024)));
  return `${(step === 0 ? whole : few).format(n / 1024 ** step)} ${SIZES[step]}`;
});

const at = (value) => (typeof value === "number" ? value : Date.parse(value));

/** `14:03:07` today, `24 Nov 14:03` on another day, with the year in another year. */
export function moment(value, now = Date.now()) {
  return known(value && at(value), (time) => {
    const date = new Date(time);
    const today = new Date(now);
    const hours = date.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
    if (date.toDateString() === today.toDateString()) return hours;
    const day = date.toLocaleDateString("en-GB", { day: "numeric", month: "short", ...(date.getFullYear() === today.getFullYear() ? {} : { year: "numeric" }) });
    return `${day} ${hours.slice(0, 5)}`;
  });
}

/** Everything, for a tooltip. */
export const exactly = (value) => known(value && at(value), (time) => new Date(time).toISOString());

const SPANS = [[86_400_000, "d"], [3_600_000, "h"], [60_000, "min"], [1_000, "s"]];
/** `2 d 3 h`, `5 min 12 s`, `8 s`, `now`: the two largest units. */
export function span(milliseconds) {
  return known(milliseconds, (total) => {
    const first = SPANS.findIndex(([size]) => total >= size);
    if (first < 0) return total > 0 ? `${Math.round(total)} ms` : "now";
    const [size, name] = SPANS[first];
    const rest = SPANS[first + 1];
    const more = rest ? Math.floor((total % size) / rest[0]) : 0;
    return `${Math.floor(total / size)} ${name}${more ? ` ${more} ${rest[1]}` : ""}`;
  });
}
export const ago = (value, now = Date.now()) => known(value && at(value), (time) => {
  const gone = now - time;
  return gone < 1_000 ? "just now" : gone < 0 ? `in ${span(-gone)}` : `${span(gone)} ago`;
});
export const until = (value, now = Date.now()) => known(value && at(value), (time) => (time > now ? `in ${span(time - now)}` : `${span(now - time)} ago`));

/** How long since then, still counting. */
export const lasting = (value, now = Date.now()) => known(value && at(value), (time) => span(Math.max(0, now - time)));

/** A sentence of the server as one of ours: with a capital and an end. */
export const sentence = (text) => {
  const plain = String(text ?? "").trim();
  return plain === "" ? "" : `${plain.charAt(0).toUpperCase()}${plain.slice(1)}${/[.!?]$/.test(plain) ? "" : "."}`;
};

/** `agent_thinking` → `Agent thinking`. */
export const spoken = (name) => {
  const text = word(String(name ?? "")).replaceAll("_", " ").replaceAll("-", " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
};

export const plural = (n, one, many = `${one}s`) => `${count(n)} ${n === 1 ? one : many}`;
export const short = (id, most = 14) => (id && id.length > most ? `${id.slice(0, most - 1)}…` : id ?? "–");
