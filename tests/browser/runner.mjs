// Runs named checks in a real browser: one line a check, exit 0 or 1; 77 where there is no browser.
// EMFLOW_SHOTS=dir keeps a picture after each check, EMFLOW_CHROMIUM names the browser.
import { existsSync, mkdirSync } from "node:fs";
import { Skipped, watch } from "./kit.mjs";

const CHROMIUM = process.env.EMFLOW_CHROMIUM ?? "/usr/bin/chromium";
const SHOTS = process.env.EMFLOW_SHOTS;
const SWITCHES = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync"];

/** `checks`: name → `check(page)`; each goes on where the one before left the page. Ends the process. */
export async function judge(suite, base, checks) {
  if (!existsSync(CHROMIUM)) {
    console.log(`skipped: no browser at ${CHROMIUM}`);
    process.exit(77);
  }
  const { chromium } = await import("playwright-core");
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: SWITCHES });
  const context = await browser.newContext({ ignoreHTTPSErrors: true, viewport: { width: 1440, height: 900 }, reducedMotion: "reduce" });
  const page = await context.newPage();
  await watch(context, page, base);
  let failed = 0;
  let skipped = 0;
  let at = 0;
  for (const [name, check] of Object.entries(checks)) {
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
      await page.screenshot({ path: `${SHOTS}/${suite}-${String(at).padStart(2, "0")}.png` });
    }
  }
  await browser.close();
  const left = skipped === 0 ? "" : `, ${skipped} SKIPPED`;
  console.log(failed === 0 ? `${suite}: ${at - skipped} of ${at} checks passed${left}` : `${suite}: ${failed} of ${at} checks failed${left}`);
  process.exit(failed === 0 ? 0 : 1);
}
