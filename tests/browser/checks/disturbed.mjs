// What happens to people: no network for a while, a second tab, Stop on another machine.
import { accessible, ask, clean, expecting, must, proof, run, status, WAIT_MS, watch } from "../kit.mjs";

const OFFLINE_MS = 10_000;
const whole = ({ sequences }) => must(sequences.every((n, at) => at === 0 || n === sequences[at - 1] + 1), `a hole: ${sequences}`);
const figures = (page) => page.locator(".headline .figure-value").allTextContents();

export default {
  async "ten seconds without a network in the middle of an answer: it says so, and then nothing is missing"(page) {
    await ask(page, 1, 3);
    await expecting(/ERR_INTERNET_DISCONNECTED|WebSocket connection to/, async () => {
      await page.context().setOffline(true);
      const began = Date.now();
      // What the browser does to an open socket then differs: where it leaves it open, it is cut.
      await page.evaluate(() => document.querySelector(".proof-head button:not([hidden])")?.click());
      await page.waitForSelector("#connection:is([data-phase=waiting], [data-phase=offline], [data-phase=dialing])", { timeout: WAIT_MS });
      await page.waitForSelector("article.run[data-adrift]", { timeout: WAIT_MS });
      must(/connection|network|server/i.test(await page.textContent("#connection")), await page.textContent("#connection"));
      await accessible(page);
      await page.waitForTimeout(Math.max(0, OFFLINE_MS - (Date.now() - began)));
      must(await run(page).getAttribute("data-status") === "running", "it invented an end");
      await page.context().setOffline(false);
      await page.waitForSelector("#connection[data-phase=online]", { timeout: WAIT_MS });
      await status(page, "completed");
    });
    const found = await proof(page);
    clean(found);
    whole(found);
    must(Number(found.counts.gap) >= OFFLINE_MS / 2, `the gap of ${found.counts.gap} ms was not measured`);
  },
  async "two tabs show the same run, each frame once in each, and Stop in the second stops it in the first"(page) {
    await ask(page, 1, 2);
    const other = await page.context().newPage();
    try {
      await watch(page.context(), other);
      await other.goto(page.url());
      await status(page, "completed");
      await status(other, "completed");
      must(`${await figures(other)}` === `${await figures(page)}`, "the tabs show other numbers");
      for (const tab of [page, other]) {
        const found = await proof(tab);
        clean(found);
        whole(found);
      }
      await ask(page, 0, 2);
      await other.click("nav .entry >> nth=0");
      await other.click(".stop", { timeout: WAIT_MS });
      await status(other, "cancelled");
      await status(page, "cancelled");
      const { sequences } = await proof(page);
      must(`${(await proof(other)).sequences}` === `${sequences}`, "the tabs have other frames");
    } finally {
      await other.close();
    }
  },
};
