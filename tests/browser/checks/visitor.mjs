// What a visitor may do and must not suffer.
import { accessible, ask, expecting, fits, home, must, proof, run, status, url, WAIT_MS } from "../kit.mjs";
import { MARKUP } from "../corpus.mjs";

export default {
  async "on a phone nothing is wider than the screen"(page) {
    await page.setViewportSize({ width: 390, height: 844 });
    await ask(page, 0);
    await status(page, "completed");
    await page.evaluate(() => document.querySelectorAll("details").forEach((d) => { d.open = true; }));
    await fits(page, "result");
    await page.locator(".headline .figure").first().click();
    await page.waitForSelector("dialog.arithmetic[open]");
    await fits(page, "arithmetic");
    await accessible(page);
    await page.keyboard.press("Escape");
    await home(page);
    await page.waitForSelector(".card");
    await fits(page, "start");
    await ask(page, 2, 3);
    await fits(page, "run");
    await status(page, "completed");
    await page.setViewportSize({ width: 1440, height: 900 });
  },
  async "Stop stops"(page) {
    await ask(page, 0, 2);
    await page.click(".stop");
    await status(page, "cancelled");
    const { sequences } = await proof(page);
    await page.waitForTimeout(1_500);
    must((await proof(page)).sequences.length === sequences.length, "frames came after the stop");
  },
  async "a message of bad length is refused clearly"(page) {
    await home(page);
    const runs = await page.locator("nav .entry").count();
    for (const [text, word] of [["too short", "at least 10"], ["     12345     ", "at least 10"], ["x".repeat(2_001), "2000"]]) {
      await page.fill("#content", text);
      await page.click(".composer [type=submit]");
      must((await page.textContent("#content-error")).includes(word), `not told: ${word}`);
      must(await page.getAttribute("#content", "aria-invalid") === "true", "not marked as invalid");
    }
    must(await page.locator("nav .entry").count() === runs, "a refused message became a run");
  },
  async "what looks like markup is text"(page) {
    await home(page);
    const text = `${MARKUP.join(" ")} 1,000 requests a day on gpt-4o, 500 tokens in, 100 out`;
    must([...text].length <= 2_000, "the corpus is longer than a message");
    await page.fill("#content", text);
    await page.click(".composer [type=submit]");
    await page.waitForSelector("article.run:is([data-status=completed], [data-status=failed], [data-status=refused])", { timeout: WAIT_MS });
    must(await page.textContent(".question-text") === text, "the words were changed");
    const made = "main :is(img, script, iframe, object, embed, base, meta, link, style, form form, math, video, audio, marquee, a[href^='javascript' i], [onerror], [onload], [onclick], [style*=url])";
    must(await page.locator(made).count() === 0, "markup became elements");
    must(await page.locator("#pwned").count() === 0, "markup became an element with an id");
  },
  async "a browser that has become another visitor is told so and goes on as that one"(page) {
    await expecting(/WebSocket connection to .* 403/, async () => {
      const made = await page.request.post(new URL("/api/v1/visitors", url).href, { data: {} });
      const { user_id: other } = await made.json();
      await ask(page, 0);
      await page.click(".proof button:has-text('Cut this connection')");
      await page.click("#connection button:has-text('go on as that visitor')", { timeout: WAIT_MS });
      await page.waitForSelector("#connection[data-phase=online]", { timeout: WAIT_MS });
      const now = await page.evaluate(() => JSON.parse(localStorage.getItem("emflow.user")).user_id);
      must(now === other, `still ${now}`);
      must(await page.locator("nav .entry").count() === 0, "runs of the other visitor are shown");
    });
  },
};
