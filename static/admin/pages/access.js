// Who may come in: the password, where one is signed in, and the tokens of scripts.

import { h, show } from "../../js/h.js";
import { get, post, remove } from "../api.js";
import { ask, facts, tell } from "../parts/dialog.js";
import { field, read, showFaults } from "../parts/form.js";
import { button, main, page, part } from "../parts/page.js";
import { loaded, pill } from "../parts/state.js";
import { rowAct, table } from "../parts/table.js";
import { time } from "../parts/time.js";
import { perform, toast } from "../parts/toast.js";
import { count, short, span } from "../words.js";

const LEAST = 12;
const DAY_S = 86_400;
const LIFETIMES = [["", "Until it is revoked"], [String(DAY_S), "1 day"], [String(30 * DAY_S), "30 days"], [String(365 * DAY_S), "1 year"]];

export function access(ctx) {
  const session = ctx.resource((signal) => get("/admin/session", {}, { signal }), { every: 15_000 });
  const tokens = ctx.resource((signal) => get("/admin/tokens", {}, { signal }), { every: 15_000 });
  return page("Access", "One administrator with a password, and as many tokens for scripts as are needed.", [],
    part("Password", loaded(ctx, session, () => password(ctx))),
    part("Signed in", loaded(ctx, session, () => places(ctx)), ctx.operates && button("Sign out everywhere", () => everywhere(ctx, session), { class: "danger" })),
    part("Tokens for scripts", loaded(ctx, tokens, () => tokenList(ctx, () => tokens.refresh())), ctx.operates && main("New token", () => create(() => tokens.refresh()))));
}

function password(ctx) {
  const note = h("p", { class: "muted" });
  const form = h("form", { class: "sheet narrow", novalidate: true, onsubmit: (event) => { event.preventDefault(); change(ctx, form); } },
    h("input", { type: "text", name: "user", value: "admin", autocomplete: "username", hidden: true, readonly: true }),
    field({ name: "current", label: "The present one", type: "password", autocomplete: "current-password", required: true }),
    field({ name: "new", label: "The new one", type: "password", autocomplete: "new-password", required: true, hint: `At least ${LEAST} characters; a sentence is good. Every other session ends.`, check: (value) => ([...value].length < LEAST ? `At least ${LEAST} characters; it has ${[...value].length}.` : null) }),
    field({ name: "again", label: "The new one again", type: "password", autocomplete: "new-password", required: true, check: (value, values) => (value === values.new ? null : "Not the same as above.") }),
    h("button", { class: "primary", type: "submit" }, "Change the password"));
  return { element: h("div", {}, note, form), update: (told) => {
    form.hidden = Boolean(told.password_is_configured) || !ctx.operates;
    show(note, told.password_is_configured ? "The password is set by the configuration (admin.password, its file or environment) and is changed there." : told.password_changed_at ? ["Changed ", time(told.password_changed_at), "."] : "");
  } };
}

async function change(ctx, form) {
  const { values, faults } = read(form);
  if (showFaults(form, faults).length > 0 || faults.length > 0) return;
  await perform(() => post("/admin/password", { current: values.current, new: values.new }), { done: () => "The password is changed; every other session has ended.", after: (told) => {
    if (told === null) return;
    form.reset();
    ctx.app.enter(told);
  } });
}

function places(ctx) {
  const grid = table({ caption: "Sessions of the administrator", key: (one) => one.id, columns: [
    { name: "Where", cell: (one) => [one.from || "this machine", one.current && [" ", pill("good", "this one")]] },
    { name: "With", wide: true, cell: (one) => h("span", { title: one.client }, short(one.client, 80)) },
    { name: "Signed in", cell: (one) => time(one.created_at) },
    { name: "Last seen", cell: (one) => time(one.last_seen_at) },
  ], empty: { title: "No session", text: "You came with a token." } });
  const note = h("p", { class: "muted" });
  return { element: h("div", {}, note, grid.element), update: (told) => {
    show(note, `A session ends after ${span(told.idle_timeout_ms)} without a call`, told.expires_at && [", this one at the latest ", time(told.expires_at, "until")], ".");
    grid.update(told.sessions ?? []);
  } };
}

async function everywhere(ctx, session) {
  const sure = await ask({ title: "Sign out everywhere?", act: "Sign out everywhere", danger: true, text: "Every session ends at once, this one too, and its open pages with it. Tokens go on working.",
    preview: async () => facts([["Sessions that end", count(session.state().data?.sessions?.length)]]) });
  if (sure) await perform(() => post("/admin/logout-everywhere"), { after: (told) => told !== null && ctx.app.leave("You are signed out everywhere.") });
}

function tokenList(ctx, after) {
  const grid = table({ caption: "Tokens", key: (one) => one.id, tone: (one) => (one.expired ? "warn" : null), columns: [
    { name: "Name", wide: true, cell: (one) => [one.name, h("span", { class: "sub" }, one.id)] },
    { name: "May", cell: (one) => pill(one.scope === "operate" ? "warn" : "idle", one.scope === "operate" ? "look and change" : "look") },
    { name: "Made", cell: (one) => time(one.created_at) },
    { name: "Last used", cell: (one) => (one.last_used_at ? time(one.last_used_at) : "never") },
    { name: "Ends", cell: (one) => (one.expired ? pill("bad", "expired") : one.expires_at ? time(one.expires_at, "until") : "never") },
    { name: "Acts", acts: true, cell: (one) => (ctx.operates ? rowAct("Revoke", one.name, () => revoke(one, after)) : "") },
  ], empty: { title: "No token", text: "A script needs one: it is sent as Authorization: Bearer." } });
  return { element: grid.element, update: ({ items }) => grid.update(items) };
}

async function create(after) {
  const values = await ask({ title: "New token", act: "Make it", fields: [
    field({ name: "name", label: "What it is for", required: true, maxlength: 64 }),
    field({ name: "scope", label: "It may", options: [["read", "look"], ["operate", "look and change"]] }),
    field({ name: "life", label: "It ends", options: LIFETIMES })] });
  if (!values) return;
  const made = await perform(() => post("/admin/tokens", { name: values.name, scope: values.scope, ...(values.life ? { expires_in_s: Number(values.life) } : {}) }), { after });
  if (made) shown(made);
}

/** The only time it is seen: afterwards the server knows no more than its hash. */
function shown({ token, about }) {
  const copy = button("Copy", async () => {
    await navigator.clipboard.writeText(token).then(() => toast("Copied."), () => toast("The browser did not allow it: select and copy it by hand.", { tone: "bad" }));
  });
  tell(`The token "${about.name}"`, h("p", {}, "It is shown this once. Keep it where your script finds it, not in its source."), h("pre", { class: "secret", tabindex: "0" }, token), copy);
}

async function revoke(one, after) {
  const sure = await ask({ title: "Revoke this token?", act: "Revoke", danger: true, text: "Whatever uses it is refused from now on. This cannot be undone; make a new one instead.",
    preview: async () => facts([["Name", one.name], ["May", one.scope], ["Last used", one.last_used_at ? time(one.last_used_at) : "never"]]) });
  if (sure) await perform(() => remove(`/admin/tokens/${encodeURIComponent(one.id)}`), { done: () => "The token is revoked.", after });
}
