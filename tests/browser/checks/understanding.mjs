// Understanding while typing, and what-ifs through the same wire.
import { accessible, expecting, home, must, status, WAIT_MS } from "../kit.mjs";

const TEXT = "We spend $18,000 a month on GPT-4o for 1.2M support chats, about 900 input and 250 output tokens each. How do we halve it?";
const known = (page) => page.waitForSelector(".reading[data-state=known]", { timeout: WAIT_MS });
const chip = (page, name) => page.locator(`.reading .chip.edit[data-key="${name}"]`);

/** The marks of the mirror, each with the box of its letters and that of the same letters in the text. */
const marks = (page) => page.evaluate(() => [...document.querySelectorAll(".mirror mark")].map((m) => ({ text: m.textContent, as: m.className })));

export default {
  async "while typing, what is understood is marked where it stands and told as chips"(page) {
    await home(page);
    await page.fill("#content", `  ${TEXT}`);
    await known(page);
    const found = await marks(page);
    for (const text of ["$18,000 a month", "GPT-4o", "900 input", "250 output tokens"]) must(found.some((m) => m.text === text), `not marked: ${text} in ${JSON.stringify(found)}`);
    must((await page.textContent(".mirror")).replace("\u200b", "") === `  ${TEXT}`, "the mirror does not hold the words");
    const heights = await page.evaluate(() => [".mirror", "#content"].map((s) => document.querySelector(s).scrollHeight));
    must(Math.abs(heights[0] - heights[1]) <= 1, `the mirror breaks its lines elsewhere: ${heights}`);
    must(await chip(page, "tokens_in").locator("input").inputValue() === "900", "the input is not 900");
    must(await page.locator(".reading .chip.edit.from-assumption .chip-tag").count() > 0, "no assumption is marked as such");
    must(await page.locator(".reading-notes li[data-kind=question]").count() >= 1, "nothing is asked");
    await accessible(page);
  },
  async "an answer about words that have changed is thrown away, and too short a message is not read"(page) {
    let release;
    const held = new Promise((done) => { release = done; });
    let first = true;
    await page.route("**/understand", async (route) => {
      if (first) {
        first = false;
        await held;
      }
      await route.continue().catch(() => {});
    });
    await expecting(/ERR_FAILED|ERR_ABORTED/, async () => {
      await page.fill("#content", "Peak 12 requests per second, each takes 1.8 s; limit 2M TPM.");
      await page.waitForTimeout(400);
      await page.fill("#content", TEXT);
      await known(page);
      release();
      await page.waitForTimeout(300);
      must((await marks(page)).some((m) => m.text === "900 input"), "the late answer took the place of the right one");
    });
    await page.unroute("**/understand");
    await page.fill("#content", "too short");
    await page.waitForSelector(".reading", { state: "hidden" });
    must((await marks(page)).length === 0, "marks are left");
  },
  async "an edited chip is what is computed with"(page) {
    await page.fill("#content", TEXT);
    await known(page);
    await chip(page, "tokens_in").locator("input").fill("1800");
    await page.waitForSelector('.reading[data-state=known] .chip.edit.changed[data-key="tokens_in"]', { timeout: WAIT_MS });
    must((await marks(page)).some((m) => m.text === "900 input" && m.as === "as-edited"), "the text does not show what was edited");
    await page.click(".composer [type=submit]");
    await status(page, "completed");
    must((await page.textContent(".question .chip.changed")).includes("1,800"), "the change is not told");
    must(await page.inputValue("#q-tokens_in") === "1800", "the answer stands on another value");
  },
  async "a slider recomputes in its place, and the what-if stands with its question"(page) {
    const entries = await page.locator("nav .entry").count();
    const before = await page.locator(".headline .figure-value").allTextContents();
    const slider = page.locator("#s-tokens_out");
    await slider.focus();
    await page.keyboard.press("PageUp");
    await page.waitForFunction((was) => {
      const now = [...document.querySelectorAll(".headline .figure-value")].map((f) => f.textContent).join();
      return now !== "" && now !== was;
    }, before.join(), { timeout: WAIT_MS });
    must(await page.evaluate(() => document.activeElement.id) === "s-tokens_out", "the slider lost the hand");
    must(await page.locator("nav .entry").count() === entries, "the what-if became a question of its own");
    must(await page.locator(".variant").count() === 2, "the what-if is not in the bar");
  },
  async "two what-ifs side by side"(page) {
    await page.locator(".compare > summary").click();
    const row = page.locator(".compare tbody tr", { hasText: "output tokens" });
    await row.waitFor();
    const [was, is] = await row.locator("td").allTextContents();
    must(was.startsWith("250") && !is.startsWith("250"), `${was} | ${is}`);
    await page.locator(".variant").first().click();
    await page.waitForSelector('.variant:first-child[aria-current="true"]');
    must(await page.inputValue("#q-tokens_out") === "250", "going back does not show the first answer");
    await accessible(page);
  },
};
