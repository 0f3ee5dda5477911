// The page in a real browser against a running server: node smoke.mjs https://HOST:PORT/
// One line a check, exit 0 or 1; 77 where there is no browser to run it in.
// EMFLOW_SMOKE_RESTART=command: kills the server, starts it again on the same data and returns when it is ready;
// without it that check is skipped, and the last line says so.
// EMFLOW_SMOKE_PASSWORD: the administrator's, of a server with presenter.allow_faults; without it the presenter's page is skipped.
// EMFLOW_SHOTS=dir keeps a picture after each check, EMFLOW_CHROMIUM names the browser.
import { existsSync, mkdirSync } from "node:fs";
import { Skipped, url, watch } from "./kit.mjs";
import answer from "./checks/answer.mjs";
import understanding from "./checks/understanding.mjs";
import devices from "./checks/devices.mjs";
import presenter from "./checks/presenter.mjs";
import report from "./checks/report.mjs";
import faults from "./checks/faults.mjs";
import visitor from "./checks/visitor.mjs";
import policy from "./checks/policy.mjs";

const CHROMIUM = process.env.EMFLOW_CHROMIUM ?? "/usr/bin/chromium";
const SHOTS = process.env.EMFLOW_SHOTS;
const SWITCHES = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync"];

if (!url) {
  console.error("usage: node smoke.mjs https://HOST:PORT/");
  process.exit(1);
}
if (!existsSync(CHROMIUM)) {
  console.log(`skipped: no browser at ${CHROMIUM}`);
  process.exit(77);
}
const { chromium } = await import("playwright-core");

/** In this order: each goes on where the one before left the page. */
const CHECKS = { ...answer, ...understanding, ...report, ...devices, ...presenter, ...faults, ...visitor, ...policy };

const browser = await chromium.launch({ executablePath: CHROMIUM, args: SWITCHES });
const context = await browser.newContext({ ignoreHTTPSErrors: true, viewport: { width: 1440, height: 900 }, reducedMotion: "reduce" });
const page = await context.newPage();
await watch(context, page);
let failed = 0;
let skipped = 0;
let at = 0;
for (const [name, check] of Object.entries(CHECKS)) {
  at += 1;
  try {
    await check(page);
    console.log(`ok      ${name}`);
  } catch (error) {
    if (error instanceof Skipped) {
      skipped += 1;
      console.log(`SKIPPED ${name}: ${error.message}`);
      continue;
    }
    failed += 1;
    console.log(`FAILED  ${name}: ${error.message.split("\n")[0]}`);
  }
  if (SHOTS) {
    mkdirSync(SHOTS, { recursive: true });
    await page.screenshot({ path: `${SHOTS}/${String(at).padStart(2, "0")}.png` });
  }
}
await browser.close();
const left = skipped === 0 ? "" : `, ${skipped} SKIPPED`;
console.log(failed === 0 ? `smoke: ${at - skipped} of ${at} checks passed${left}` : `smoke: ${failed} of ${at} checks failed${left}`);
process.exit(failed === 0 ? 0 : 1);
