// The presenter's page: who may, the script by key, a failing agent seen through to the standby.
import { accessible, clean, expecting, must, proof, Skipped, status, url, WAIT_MS, watch } from "../kit.mjs";

const PASSWORD = process.env.EMFLOW_SMOKE_PASSWORD;

export default {
  async "a presenter goes through the script by key, fails the agent and slows the line"(page) {
    if (!PASSWORD) throw new Skipped("EMFLOW_SMOKE_PASSWORD is not set");
    const own = await page.context().browser().newContext({ ignoreHTTPSErrors: true, viewport: { width: 1440, height: 900 }, reducedMotion: "reduce" });
    try {
      const desk = await own.newPage();
      await watch(own, desk, url);
      await expecting(/401/, async () => {
        await desk.goto(new URL("/present", url).href);
        await desk.fill("#presenter-password", "not the password", { timeout: WAIT_MS });
        await desk.click(".bar-login .primary");
        await desk.waitForSelector(".bar-login .field-error:not(:empty)", { timeout: WAIT_MS });
      });
      await accessible(desk);
      await desk.fill("#presenter-password", PASSWORD);
      await desk.click(".bar-login .primary");
      await desk.waitForSelector(".bar-main", { timeout: WAIT_MS });
      await desk.waitForSelector("#connection[data-phase=online]", { timeout: WAIT_MS });
      await desk.keyboard.press("PageDown");
      await status(desk, "completed");
      must(/^1 /.test(await desk.textContent(".bar-where")), await desk.textContent(".bar-where"));
      must(!/second instance/.test(await desk.textContent(".execution")), "the standby answered unasked");
      await accessible(desk);
      await desk.click("button:has-text('Fail the agent')");
      await desk.waitForSelector("button[aria-pressed=true]:has-text('Fail the agent')", { timeout: WAIT_MS });
      await desk.keyboard.press("PageDown");
      await status(desk, "completed");
      must(/second instance/.test(await desk.textContent(".execution")), "the standby is not told");
      must(/agent_failed/.test(await desk.textContent(".execution")), "the reason is not told");
      await desk.keyboard.press("Alt+F");
      await desk.waitForSelector("button[aria-pressed=false]:has-text('Fail the agent')", { timeout: WAIT_MS });
      await desk.keyboard.press("Alt+S");
      await desk.waitForSelector("button[aria-pressed=true]:has-text('Slow it down')", { timeout: WAIT_MS });
      await desk.keyboard.press("PageDown");
      await status(desk, "completed");
      clean(await proof(desk));
      must(Number((await proof(desk)).counts.gap) >= 1_000, "it was not slow");
      must(await desk.locator("button:has-text('Kill the server')").isVisible() === false, "nobody would start it again, and it offers to kill it");
      const before = await desk.evaluate(() => localStorage.getItem("emflow.user"));
      await desk.click("button:has-text('Next prospect')");
      await desk.waitForFunction((old) => (localStorage.getItem("emflow.user") ?? old) !== old, before, { timeout: WAIT_MS });
      await desk.waitForSelector(".bar-main", { timeout: WAIT_MS });
      must(await desk.locator("nav .entry").count() === 0, "the prospect before is still shown");
    } finally {
      await own.close();
    }
  },
};
