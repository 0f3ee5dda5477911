// What the checks of the administration share.
import { must, url } from "../kit.mjs";

export const WAIT = { timeout: 60_000 };
export const PASSWORD = process.env.EMFLOW_ADMIN_PASSWORD;
const API = new URL("/api/v1", url ?? "https://localhost/").href;

/** Opens a page of the administration and waits until everything on it has been answered. */
export async function open(page, name) {
  await page.goto(new URL(`/admin#/${name}`, url).href);
  await page.waitForSelector("main h1", WAIT);
  await settled(page);
}

export const settled = (page) => page.waitForFunction(() => !document.querySelector("main [aria-busy=true], main .loading, .preview .loading"), undefined, WAIT);
/** What was said in passing, until it is asked for: on a busy machine it may be gone before anybody looks. */
export const remember = (page) => page.addInitScript(() => {
  window.told = [];
  new MutationObserver((changes) => changes.forEach(({ addedNodes }) => addedNodes.forEach((node) => node.classList?.contains("toast") && window.told.push(node.textContent))))
    .observe(document, { childList: true, subtree: true });
});
/** Waits until this was said; each saying counts once. */
export const toast = (page, text) => page.waitForFunction((wanted) => {
  if (!window.told) return document.querySelector("#toasts")?.textContent.includes(wanted);
  const at = window.told.findIndex((said) => said.includes(wanted));
  return at >= 0 && window.told.splice(at, 1).length === 1;
}, text, WAIT);
export const row = (page, text) => page.locator(".grid tbody tr", { hasText: text }).first();

/** Asks the server beside the page, with the page's own session. */
export async function api(page, path) {
  const answer = await page.request.get(`${API}${path}`);
  must(answer.ok(), `${path}: ${answer.status()}`);
  return answer.json();
}

/** What an administrator does is written down: the newest entry of this action. */
export async function audited(page, action) {
  const { items } = await api(page, `/admin/audit?action=${action}&limit=1`);
  must(items.length === 1, `${action} is not in the audit`);
  return items[0];
}

/** A call that changes something, beside the page, with the page's own session. */
export async function act(page, method, path, body = {}) {
  const { csrf_token: token } = await api(page, "/admin/session");
  const answer = await page.request.fetch(`${API}${path}`, { method, data: body, headers: { "x-csrf-token": token } });
  must(answer.ok(), `${method} ${path}: ${answer.status()} ${await answer.text()}`);
  return answer.json();
}

/** The row of a table that stands for this key, and one of its cells by the name of its column. */
export const keyed = (page, key) => page.locator(`.grid tbody tr[data-key="${key}"]`);
export const cell = (line, column) => line.locator(`[data-label="${column}"] .cell`);

/** Waits until `look()` answers something true, and says what it answered last where it never does. */
export async function until(what, look, ms = WAIT.timeout) {
  const end = Date.now() + ms;
  for (;;) {
    const seen = await look();
    if (seen === true) return;
    if (Date.now() > end) throw new Error(`${what}: ${typeof seen === "string" ? seen : JSON.stringify(seen)}`);
    await new Promise((done) => { setTimeout(done, 100); });
  }
}

/** A number as the pages write it. */
export const whole = (n) => n.toLocaleString("en-US");

/** Confirms the open question, once it may be: what goes is told by then. */
export async function confirm(page, fields = {}) {
  await page.waitForSelector("dialog [type=submit]:enabled", WAIT);
  for (const [name, value] of Object.entries(fields)) await page.fill(`dialog [name="${name}"]`, value);
  await page.click("dialog [type=submit]");
  await page.waitForSelector("dialog", { state: "detached", timeout: WAIT.timeout });
}
