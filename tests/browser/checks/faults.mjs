// Reloads, cuts and restarts in the middle of an answer.
import { exec } from "node:child_process";
import { ask, clean, expecting, must, proof, RESTART, run, Skipped, status, WAIT_MS } from "../kit.mjs";

export default {
  async "reloaded in the middle of a run, it goes on to the end, once"(page) {
    await ask(page, 1, 3);
    const title = await page.textContent("#run-title");
    const runs = await page.locator("nav .entry").count();
    must(await run(page).getAttribute("data-status") === "running", "the run ended before the reload");
    await page.reload();
    await page.waitForSelector("article.run", { timeout: WAIT_MS });
    await status(page, "completed");
    must(await page.textContent("#run-title") === title, "another run came back");
    must(await page.locator("nav .entry").count() === runs, "the list of runs changed");
    const found = await proof(page);
    clean(found);
    must(found.sequences.every((n, at) => at === 0 || n === found.sequences[at - 1] + 1), `a gap: ${found.sequences}`);
    must((await page.textContent(".proof-verdict")).includes("drawn again after a reload"), "the proof does not tell of the reload");
  },
  async "a cut connection comes back by itself and loses nothing"(page) {
    await ask(page, 2, 2);
    await page.click(".proof button:has-text('Cut this connection')");
    await status(page, "completed");
    const found = await proof(page);
    clean(found);
    must((await page.textContent(".proof-verdict")).includes("cut"), "the proof does not tell of the cut");
  },
  async "killed and restarted in the middle, the server loses and doubles nothing, and the gap is told"(page) {
    if (!RESTART) throw new Skipped("EMFLOW_SMOKE_RESTART is not set");
    await ask(page, 1, 4);
    await expecting(/ERR_CONNECTION_REFUSED|WebSocket connection to/, async () => {
      const before = Date.now();
      await new Promise((done, failed) => exec(RESTART, { timeout: WAIT_MS }, (error) => (error ? failed(error) : done())));
      must(await run(page).getAttribute("data-status") === "running", "the run ended before the server was killed");
      await page.waitForSelector("#connection[data-phase=online]", { timeout: WAIT_MS });
      await status(page, "completed");
      const found = await proof(page);
      clean(found);
      must(found.sequences.every((n, at) => at === 0 || n === found.sequences[at - 1] + 1), `a hole: ${found.sequences}`);
      must(Number(found.counts.restarts) === 1, `not one restart: ${found.counts.restarts}`);
      must(found.counts.gap > 0 && found.counts.gap <= Date.now() - before, `the gap of ${found.counts.gap} ms was not measured`);
      must(/restart of the server survived/.test(await page.textContent(".proof-verdict")), "the proof does not tell of the restart");
    });
  },
  async "the words of a question asked elsewhere are fetched"(page) {
    const before = await page.textContent(".question-text");
    const title = await page.textContent("#run-title");
    await page.evaluate(() => localStorage.removeItem("emflow.asked"));
    await page.reload();
    await page.waitForFunction((text) => document.querySelector(".question-text")?.textContent === text, before, { timeout: WAIT_MS });
    must(await page.textContent("#run-title") === title, "another title");
  },
};
