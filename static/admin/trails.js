// From a number or an event to what is behind it. Pure.

import { link } from "./route.js";

const TONES = { error: "bad", critical: "bad", warning: "warn", warn: "warn", info: "idle" };
export const toneOf = (severity) => TONES[severity] ?? "idle";
const HEALTH = { healthy: "good", degraded: "warn", unhealthy: "bad", ok: "good" };
export const healthTone = (status) => HEALTH[status] ?? "idle";
const STATES = { completed: "good", failed: "bad", timed_out: "bad", expired: "warn", cancelled: "warn", created: "idle" };
/** A session that has not ended is under way. */
export const sessionTone = (state) => STATES[state] ?? "busy";
export const ended = (state) => state in STATES && state !== "created";
const BREAKERS = { closed: "good", open: "bad", half_open: "warn" };
export const breakerTone = (state) => BREAKERS[state] ?? "idle";

/** Where an event leads, the most particular first: `[{text, href}]`. */
export function trail(event) {
  const out = [];
  if (event.session_id) out.push({ text: "session", href: link("sessions", { id: event.session_id }) });
  if (event.breaker) out.push({ text: "breaker", href: link("breakers") });
  if (event.connection_id && event.user_id) out.push({ text: "connection", href: link("connections", { visitor: event.user_id }) });
  if (event.user_id) out.push({ text: "visitor", href: link("visitors", { text: event.user_id }) });
  return out;
}

/** The page where a part of the appliance is looked after. */
const HOMES = { store: "backups", disk: "backups", breakers: "breakers", certificate: "certificates", catalog: "settings", catalogue: "settings", backup: "backups", backups: "backups",
  memory: "sessions", event_loop: "logs", sessions: "sessions", connections: "connections" };
export const home = (component) => link(HOMES[component] ?? "events");

/** What to do, in a sentence, where the server does not say it. */
const ADVICE = {
  processing: "See which sessions are slow and which backend answers them; a remote endpoint may be overloaded.",
  error_rate: "Open the failed sessions: their code says whether the backend, the time limit or the message was the cause.",
  memory: "See how many sessions and connections are held; lower sessions.max_concurrent or give the machine more memory.",
  breaker: "Open the breaker: its last failures say what the backend answers. Reset it once the backend is well again.",
  failed_connections: "See who is refused and why: an expired credential, a wrong origin or a limit on addresses.",
  disk: "Free space or move the data directory; new work is refused before the disk is full, what was accepted is kept.",
  certificate: "Renew the certificate and reload, on the page Certificates.",
  catalog: "Prices grow old: give a newer catalog file, see docs/catalog.md.",
  store: "A write or a sync failed: the appliance stops by itself. See the log, then the disk.",
  event_loop: "Something holds the machine up: see its load, and the log.",
  backup: "Make a backup now and see why the schedule did not, on the page Backups.",
};
export const advice = (alert) => alert.advice ?? ADVICE[Object.keys(ADVICE).find((key) => alert.id?.startsWith(key))] ?? null;
