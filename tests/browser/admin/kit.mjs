// What the checks of the administration share.
import { must, url } from "../kit.mjs";

export const WAIT = { timeout: 20_000 };
export const PASSWORD = process.env.EMFLOW_ADMIN_PASSWORD;
const API = new URL("/api/v1", url ?? "https://localhost/").href;

/** Opens a page of the administration and waits until everything on it has been answered. */
export async function open(page, name) {
  await page.goto(new URL(`/admin#/${name}`, url).href);
  await page.waitForSelector("main h1", WAIT);
  await settled(page);
}

export const settled = (page) => page.waitForFunction(() => !document.querySelector("main [aria-busy=true], main .loading, .preview .loading"), undefined, WAIT);
export const toast = (page, text) => page.waitForSelector(`.toast:has-text("${text}")`, WAIT);
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
