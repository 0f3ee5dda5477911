// From an example to its answer.
import { accessible, ask, clean, must, proof, run, status, url, WAIT_MS } from "../kit.mjs";

export default {
  async "the gallery and a live connection"(page) {
    await page.goto(url);
    await page.waitForSelector(".card", { timeout: WAIT_MS });
    await page.waitForSelector("#connection[data-phase=online]", { timeout: WAIT_MS });
    must(await page.locator(".card").count() >= 3, "fewer than three examples");
    must((await page.textContent("#engine")).length > 0, "the engine does not say what it is");
    await accessible(page);
  },
  async "an example: timeline, then a result of three numbers"(page) {
    await ask(page, 0);
    await status(page, "completed");
    must(await page.locator(".headline .figure").count() === 3, "not three headline numbers");
    must((await page.textContent(".summary")).length > 20, "no summary");
    must(await page.locator(".recommendation").count() >= 1, "no recommendation");
  },
  async "each headline number opens its arithmetic"(page) {
    for (let n = 0; n < 3; n++) {
      await page.locator(".headline .figure").nth(n).click();
      await page.waitForSelector("dialog.arithmetic[open]");
      must((await page.locator("dialog .formula").allTextContents()).every((text) => text.trim() !== ""), "an empty formula");
      must(await page.locator("dialog .inputs li").count() >= 1, "no inputs");
      await page.keyboard.press("Escape");
      await page.waitForSelector("dialog.arithmetic", { state: "detached" });
    }
  },
  async "no number points at nothing"(page) {
    const dead = await page.evaluate(async () => {
      const buttons = [...document.querySelectorAll(".result button[data-derivation]")];
      const failed = [];
      for (const button of buttons) {
        button.click();
        const dialog = document.querySelector("dialog.arithmetic");
        if (!dialog) failed.push(button.textContent);
        dialog?.remove();
      }
      return failed;
    });
    must(dead.length === 0, `no arithmetic behind: ${dead.slice(0, 5).join(", ")}`);
  },
  async "every chart is drawn and has its table"(page) {
    const charts = page.locator("figure.chart");
    const count = await charts.count();
    must(count >= 1, "no chart");
    for (let n = 0; n < count; n++) {
      await charts.nth(n).locator(".chart-box").scrollIntoViewIfNeeded();
      await page.waitForFunction((at) => {
        const canvas = document.querySelectorAll("figure.chart canvas")[at];
        const blank = Object.assign(document.createElement("canvas"), { width: canvas.width, height: canvas.height });
        return canvas.width > 0 && canvas.toDataURL() !== blank.toDataURL();
      }, n, { timeout: 10_000 });
      must(await charts.nth(n).locator("table").count() === 1, "a chart without a table");
    }
  },
  async "the result is accessible, with everything unfolded"(page) {
    await page.evaluate(() => document.querySelectorAll("details").forEach((d) => { d.open = true; }));
    await accessible(page);
  },
  async "the proof of an undisturbed run"(page) {
    clean(await proof(page));
    await page.waitForFunction(() => {
      const { frames, acknowledged } = document.querySelector(".proof-verdict").dataset;
      return frames === acknowledged;
    }, undefined, { timeout: WAIT_MS });
  },
  async "a changed number is computed again"(page) {
    const field = page.locator(".quantity-edit input[type=number]").first();
    must(await field.count() === 1, "nothing can be edited");
    const before = await page.locator(".headline .figure-value").allTextContents();
    const value = Number(await field.inputValue());
    const high = await field.getAttribute("max");
    await field.fill(String(high !== null && value * 2 > Number(high) ? value / 2 : value * 2));
    await field.press("Enter");
    await field.blur();
    await page.waitForSelector(".chip.changed", { timeout: WAIT_MS });
    await status(page, "completed");
    const after = await page.locator(".headline .figure-value").allTextContents();
    must(before.join() !== after.join(), `the answer did not change: ${after.join(", ")}`);
  },
};
