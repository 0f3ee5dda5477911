// What the checks of the page share.
import { readFileSync } from "node:fs";

export const url = process.argv[2];
export const WAIT_MS = 60_000;
export const RESTART = process.env.EMFLOW_SMOKE_RESTART;
const AXE = readFileSync(new URL("node_modules/axe-core/axe.min.js", import.meta.url), "utf8");

export const must = (holds, message) => {
  if (!holds) throw new Error(message);
};

/** What a page must never do, collected over the whole run. */
export const sins = [];
/** What was expected and had not been said when its check went on: on a busy machine it is said later. */
const late = [];
const LATE_MS = 10_000;

function sinned(text) {
  const at = late.findIndex(({ pattern, until }) => Date.now() < until && pattern.test(text));
  if (at >= 0) late.splice(at, 1);
  else sins.push(text);
}

export function watch(context, page, base = url) {
  const { origin, host } = new URL(base);
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") sinned(`console: ${message.text()} ${message.location()?.url ?? ""}`.trim());
  });
  page.on("pageerror", (error) => sins.push(`error: ${error.message}`));
  page.on("dialog", (dialog) => {
    sins.push(`dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  page.on("websocket", (socket) => {
    if (new URL(socket.url()).host !== host) sins.push(`socket elsewhere: ${socket.url()}`);
  });
  context.on("request", (request) => {
    if (!request.url().startsWith("data:") && new URL(request.url()).origin !== origin) sins.push(`request elsewhere: ${request.url()}`);
  });
  return context.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (event) => console.error(`CSP: ${event.violatedDirective} ${event.blockedURI}`));
  });
}

/** What a check causes on purpose and a browser calls an error is no sin; all else stays one. */
export async function expecting(pattern, act) {
  const before = sins.length;
  try {
    return await act();
  } finally {
    const others = sins.slice(before).filter((sin) => !pattern.test(sin));
    if (before + others.length === sins.length) late.push({ pattern, until: Date.now() + LATE_MS });
    sins.splice(before, Infinity, ...others);
  }
}

export class Skipped extends Error {}

/** Nothing reaches beyond the right edge of the screen. */
export async function fits(page, where) {
  const [wide, screen] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
  must(wide <= screen, `${where}: ${wide} px on a screen of ${screen}`);
}

/** Faults of accessibility as axe finds them, on the page as it stands, in both themes unless told otherwise. */
export async function accessible(page, themes = ["light", "dark"]) {
  for (const colorScheme of themes) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await page.evaluate(AXE);
    const faults = await page.evaluate(async () => (await window.axe.run(document)).violations
      .map((v) => `${v.id} (${v.impact}): ${v.nodes.slice(0, 2).map((n) => n.target).join(", ")}`));
    must(faults.length === 0, `${colorScheme}: ${faults.join("; ")}`);
  }
}

export const run = (page) => page.locator("article.run");
export const status = (page, word) => page.waitForSelector(`article.run[data-status="${word}"]`, { timeout: WAIT_MS });
export const home = (page) => page.click(".brand");

/** Asks the example at `index` and waits until the agent has visibly begun. */
export async function ask(page, index, steps = 1) {
  await home(page);
  await page.locator(".card .ask").nth(index).click();
  await page.waitForFunction((n) => document.querySelectorAll(".timeline > .step").length >= n, steps, { timeout: WAIT_MS });
}

/** Sequences in the order of the proof's table, and the counted verdict. */
export async function proof(page) {
  const details = page.locator(".proof-details");
  if (!(await details.evaluate((d) => d.open))) await details.locator("summary").click();
  await page.waitForFunction(() => document.querySelectorAll(".proof-details tbody tr").length > 0);
  const sequences = await page.locator(".proof-details tbody tr td:first-child").allTextContents();
  const counts = await page.locator(".proof-verdict").evaluate((v) => ({ ...v.dataset }));
  return { sequences: sequences.map(Number), counts };
}

export function clean({ sequences, counts }) {
  must(sequences.length === Number(counts.frames), `${sequences.length} rows for ${counts.frames} frames`);
  must(new Set(sequences).size === sequences.length, `a frame is drawn twice: ${sequences}`);
  must(sequences.every((n, at) => at === 0 || n > sequences[at - 1]), `not in order: ${sequences}`);
  must(counts.lost === "0" && counts.doubled === "0" && counts.disorder === "0", JSON.stringify(counts));
}

