// The leave-behind: from the page to the disk, opened there without a network, checked, and caught when it was changed.
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { accessible, ask, fits, must, status, url, WAIT_MS } from "../kit.mjs";

const folder = mkdtempSync(join(tmpdir(), "emflow-report-"));
const kept = (kind) => join(folder, `report.${kind}`);

async function verdict(page, name, content) {
  await page.setInputFiles("#file", { name, mimeType: "application/octet-stream", buffer: content });
  await page.waitForFunction((file) => document.querySelector("#verdict")?.textContent.includes(file), name, { timeout: WAIT_MS });
  return page.getAttribute("#verdict", "data-verdict");
}

export default {
  async "the report is downloaded in each form"(page) {
    await ask(page, 0);
    await status(page, "completed");
    for (const kind of ["html", "md", "json"]) {
      const [download] = await Promise.all([page.waitForEvent("download"), page.click(`.files a[href$="report.${kind}"]`)]);
      await download.saveAs(kept(kind));
      must(readFileSync(kept(kind)).length > 5_000, `${kind} is nearly empty`);
    }
  },
  async "opened from the disk without a network, it shows everything and asks for nothing"(page) {
    const context = await page.context().browser().newContext({ offline: true, reducedMotion: "reduce" });
    try {
      const alone = await context.newPage();
      const asked = [];
      alone.on("request", (request) => asked.push(request.url()));
      alone.on("console", (message) => asked.push(`console: ${message.text()}`));
      await alone.goto(pathToFileURL(kept("html")).href);
      must(asked.length === 1, `it asked for ${asked.slice(1)}`);
      must(await alone.locator("h1").count() === 1 && (await alone.textContent("body")).includes("Proof of delivery"), "parts are missing");
      await alone.setViewportSize({ width: 390, height: 844 });
      await fits(alone, "report on a phone");
      await accessible(alone);
    } finally {
      await context.close();
    }
  },
  async "the check page says genuine, and catches one changed byte"(page) {
    const page2 = await page.context().newPage();
    try {
      await page2.goto(new URL("/verify", url).href);
      await page2.waitForSelector("#own .fingerprint", { timeout: WAIT_MS });
      for (const kind of ["html", "md", "json"]) {
        const content = readFileSync(kept(kind));
        must(await verdict(page2, `fine.${kind}`, content) === "ours", `${kind} is not recognised`);
        const at = content.indexOf("4,500");
        const changed = Buffer.from(content);
        changed[at] ^= 1;
        must(await verdict(page2, `changed.${kind}`, changed) === "changed", `a changed byte in ${kind} passed`);
        must(await verdict(page2, `cut.${kind}`, content.subarray(0, -1)) === "no_seal", `a cut ${kind} passed`);
      }
      must((await page2.textContent(".fingerprint")).length > 60, "no fingerprint");
      await accessible(page2);
    } finally {
      await page2.close();
    }
  },
};
