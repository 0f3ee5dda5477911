// The client library in a page that is none of ours: asked, cut, reloaded, stopped.
import { accessible, expecting, must, url, WAIT_MS, watch } from "../kit.mjs";

const frames = (page) => page.locator("#frames li").evaluateAll((list) => list.map((line) => Number(line.dataset.sequence)));
const last = (page, type) => page.waitForSelector(`#frames li:last-child:has-text("${type}")`, { timeout: WAIT_MS });

export default {
  async "the example of the library asks, survives a cut and a reload, and stops"(page) {
    const own = await page.context().browser().newContext({ ignoreHTTPSErrors: true });
    try {
      const other = await own.newPage();
      await watch(own, other);
      // It has no visitor yet, and asks.
      await expecting(/401/, async () => {
        await other.goto(new URL("/example/embed.html", url).href);
        await other.waitForSelector("body[data-phase=online]", { timeout: WAIT_MS });
      });
      await other.click("#send");
      await other.waitForSelector("#frames li:nth-child(3)", { timeout: WAIT_MS });
      await other.click("#cut");
      await other.waitForSelector("body:not([data-phase=online])", { timeout: WAIT_MS });
      await other.waitForSelector("body[data-phase=online]", { timeout: WAIT_MS });
      await other.reload();
      await last(other, "agent completed");
      const found = await frames(other);
      must(found.length > 5 && found.every((n, at) => n === found[0] + at), `not each once in order: ${found}`);
      must(await other.textContent("#doubled") === "0", "a frame came twice");
      must(await other.locator("#figures li").count() === 3, "not three numbers");
      await accessible(other);
      await other.click("#send");
      await other.waitForFunction((before) => document.querySelectorAll("#frames li").length > before + 1, found.length, { timeout: WAIT_MS });
      await other.click("#stop");
      await last(other, "session cancelled");
    } finally {
      await own.close();
    }
  },
};
