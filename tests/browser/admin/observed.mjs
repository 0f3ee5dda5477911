// Logs, alerts and charts over time against the fixture.
import { expecting, must } from "../kit.mjs";

/** `here`: how a check opens a page, and the fixture's world as it is now. */
export const observed = ({ open, world, calls, toast, WAIT }) => ({
  async "lines of the log are there, come live, wait while paused, and are asked for as they are filtered"(page) {
    const line = (n, more = {}) => ({ id: `l1760000000000-${n}`, at: new Date().toISOString(), level: "warn", target: "emflow::store", message: `live line ${n} <img src=x onerror=alert(1)>`, fields: { n }, ...more });
    world().lines = [line(701)];
    await open(page, "logs");
    await page.waitForSelector(".log-line:has-text('live line 701')", WAIT);
    must((await page.locator(".log-line").first().textContent()).includes("live line 701"), "the newest is not first");
    must(await page.locator(".log-line").count() === 61, "not each line once");
    await page.click("main button:has-text('Pause')");
    world().say("log", line(702));
    await page.waitForSelector("main button:has-text('Go on (1 new)')", WAIT);
    must(await page.locator(".log-line:has-text('live line 702')").count() === 0, "a paused page goes on");
    await page.click("main button:has-text('Go on')");
    await page.waitForSelector(".log-line:has-text('live line 702')", WAIT);
    world().say("dropped", { of: "lines", count: 7 });
    await page.waitForSelector("main [role=status]:has-text('7 lines came too fast')", WAIT);
    await page.selectOption(".filter select", "error");
    await page.waitForFunction(() => location.hash.includes("level=error"), undefined, WAIT);
    await page.waitForFunction(() => !document.querySelector("main [aria-busy=true]"), undefined, WAIT);
    must(calls("GET", "/admin/logs").at(-1).query.level === "error", "the list is not asked for by level");
    must(calls("GET", "/admin/stream").at(-1).query.logs === "error", "the stream is not asked for by level");
    world().lines = [];
  },
  async "each alert says what, since when and what to do; the receiver is tried"(page) {
    world().state = "ill";
    await open(page, "alerts");
    must(await page.locator(".grid tbody tr").count() === 11, "not eleven checks");
    const row = page.locator(".grid tbody tr", { hasText: "Error rate" });
    const said = await row.textContent();
    for (const wanted of ["Firing", "since", "7.5 %", "5 %", "Open the failed sessions"]) must(said.includes(wanted), `${wanted} is not told: ${said}`);
    must((await page.textContent(".grid")).includes("could not be checked"), "a check that failed is not told");
    await row.locator("button:has-text('Acknowledge')").click();
    await page.click("dialog [type=submit]");
    await toast(page, "Acknowledged");
    await page.click("main button:has-text('Send a test')");
    await toast(page, "did not take it: connection refused");
    world().state = "busy";
  },
  async "charts are of the range that was chosen, and the one in the address survives a reload"(page) {
    await open(page, "overview");
    await page.selectOption(".filter select", "7d");
    await page.waitForFunction(() => location.hash.includes("range=7d"), undefined, WAIT);
    await page.waitForFunction(() => [...document.querySelectorAll(".chart canvas")].every((one) => one.getAttribute("aria-label")?.match(/ \d+ \w+ \d\d:\d\d to /)), undefined, WAIT);
    must(calls("GET", "/admin/history").at(-1).query.range === "7d", "not asked for");
    await page.reload();
    await page.waitForSelector(".chart canvas[aria-label]", WAIT);
    must(await page.inputValue(".filter select") === "7d", "forgotten by the reload");
    const table = page.locator(".chart details").first();
    await table.locator("summary").click();
    // Drawn again when the history has come; before it, only what is live stands there.
    await page.waitForFunction(() => /up to/.test(document.querySelector(".chart details").textContent), undefined, WAIT);
  },
  async "a page asks anew when the server was restarted"(page) {
    await open(page, "events?kind=session");
    const before = calls("GET", "/admin/events").length;
    await expecting(/ERR_INCOMPLETE_CHUNKED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE/, async () => {
      world().epoch = "1760000009999";
      for (const stream of world().streams) stream.destroy();
      await page.waitForSelector("main[data-phase=stale]", WAIT);
      await page.waitForSelector("main[data-phase=live]", { timeout: 30_000 });
    });
    must(calls("GET", "/admin/events").length > before, "it did not ask");
  },
});
