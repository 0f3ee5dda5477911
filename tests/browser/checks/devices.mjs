// The same run on another device: to look on, with control, and no longer.
import { accessible, ask, clean, expecting, home, must, proof, status, WAIT_MS, watch } from "../kit.mjs";

/** The address that the first device shows; `control` as it is chosen there. */
async function address(page, control) {
  await page.click("#share");
  await page.waitForSelector("dialog.share .share-link input", { timeout: WAIT_MS });
  if (control) {
    const before = await page.inputValue(".share-link input");
    await page.check("dialog.share input[value=true]", { force: true });
    await page.waitForFunction((old) => document.querySelector(".share-link input").value !== old, before);
  }
  const shown = await page.inputValue(".share-link input");
  await accessible(page);
  await page.keyboard.press("Escape");
  await page.waitForSelector("dialog.share", { state: "detached" });
  return shown;
}

async function device(page, control, act) {
  // As on a phone: no cookie, no storage of the first device.
  const own = await page.context().browser().newContext({ ignoreHTTPSErrors: true, viewport: { width: 390, height: 844 } });
  try {
    const other = await own.newPage();
    const link = (await address(page, control)).replace("localhost", "127.0.0.1");
    await watch(own, other, link);
    await other.goto(link);
    await other.waitForSelector("#connection[data-phase=online]", { timeout: WAIT_MS });
    must(!other.url().includes("#v") && new URL(other.url()).hash.length < 40, `the token stays in the address: ${other.url()}`);
    await act(other);
  } finally {
    await own.close();
  }
}

export default {
  async "a device that looks on sees the same run to its end and can press nothing"(page) {
    await ask(page, 1, 2);
    await device(page, false, async (other) => {
      await status(page, "completed");
      await status(other, "completed");
      must(await other.textContent("#run-title") === await page.textContent("#run-title"), "another run");
      const shown = (p) => p.locator(".headline .figure-value").allTextContents();
      must(`${await shown(other)}` === `${await shown(page)}`, "other numbers");
      clean(await proof(other));
      must(await other.locator(":is(.stop, .new, .sessions, .result-side, .ask, #content):visible").count() === 0, "something can be pressed");
      await accessible(other);
      const [file] = await Promise.all([other.waitForEvent("download"), other.click(".files a >> nth=1")]);
      must(/^emflow-.*\.md$/.test(file.suggestedFilename()), file.suggestedFilename());
    });
  },
  async "a device with control stops the run; taken back, it follows no longer"(page) {
    // It follows before there is anything to stop: on a slow machine the run would have ended.
    await home(page);
    await device(page, true, async (other) => {
      await ask(page, 0);
      await other.click(".stop", { timeout: WAIT_MS });
      await status(page, "cancelled");
      await status(other, "cancelled");
      await page.click("#share");
      await page.waitForFunction(() => /^1 /.test(document.querySelector("dialog.share [role=status]").textContent), undefined, { timeout: WAIT_MS });
      await expecting(/401/, async () => {
        await page.click("dialog.share .ghost");
        await other.waitForSelector("#connection:has-text('no longer follows')", { timeout: WAIT_MS });
        await other.reload();
        await other.waitForSelector("#connection:has-text('no longer follows')", { timeout: WAIT_MS });
      });
      await page.keyboard.press("Escape");
    });
  },
};
