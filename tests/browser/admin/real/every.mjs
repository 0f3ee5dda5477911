// Every page, as the real server fills it: readable by everybody, text only as text, and honest when the server is gone.
import { accessible, expecting, fits, must } from "../../kit.mjs";
import { WAIT, act, api, keyed, open, settled, until } from "../kit.mjs";
import { CORPUS } from "../../corpus.mjs";
import { world } from "./world.mjs";

export const PAGES = ["overview", "alerts", "events", "sessions", "connections", "messages", "breakers", "visitors", "business", "examples", "appearance", "settings", "certificates", "backups", "audit", "logs", "access"];
/** With those of one session and one visitor. */
const all = () => [...PAGES, `sessions/${world.answered[0].session}`, `messages/${world.visitors[1].id}`];
/** Opens what is folded; of the charts' tables, which are all alike and written anew each second, only the first. */
const open_details = (page) => page.evaluate(() => document.querySelectorAll("main details:not(.chart ~ .chart details)").forEach((one) => { one.open = true; }));
const MARKUP = "main :is(script, iframe, object, embed, style, base, meta, #pwned, [onerror], [onload], [onmouseover], img:not([src^='/'], [src^='data:']), a[href^='javascript' i])";

export default {
  async "every page with hostile words: no element of theirs, and as many elements as with plain ones"(page) {
    for (const name of all()) {
      await open(page, name);
      await open_details(page);
      must(await page.locator(MARKUP).count() === 0, `${name}: markup became elements`);
    }
    // Rows of the same state have the same elements, whatever their words are.
    await open(page, "sessions?state=completed");
    const counts = await page.locator(".grid tbody tr").evaluateAll((rows) => rows.map((row) => row.querySelectorAll("*").length));
    must(counts.length > 5 && new Set(counts).size === 1, `elements a row: ${counts}`);
    // As titles and questions of examples, every string of the corpus, one a card; and what was there before is put back.
    must(CORPUS.length >= 60, `only ${CORPUS.length} strings`);
    const { items } = await api(page, "/admin/examples");
    await act(page, "PUT", "/admin/examples", { items: CORPUS.map((text, n) => ({ ...items[0], id: `corpus-${n}`, title: text, content: `${text} and ten more` })) });
    await open(page, "examples");
    const titles = await page.locator(".example .sample h2").allTextContents();
    must(titles.join("|") === CORPUS.join("|"), "a title is not as it was given");
    must(await page.locator(MARKUP).count() === 0, "a title became elements");
    const cards = await page.locator(".example .sample").evaluateAll((rows) => rows.map((row) => row.querySelectorAll("*").length));
    must(new Set(cards).size === 1, `elements a card: ${cards}`);
    await act(page, "PUT", "/admin/examples", { items });
  },
  async "every page in both themes: axe finds nothing"(page) {
    for (const name of all()) {
      await open(page, name);
      await open_details(page);
      await accessible(page).catch((error) => { throw new Error(`${name}: ${error.message}`); });
    }
  },
  async "every page on a phone is no wider than the screen, and the menu opens it"(page) {
    await page.setViewportSize({ width: 390, height: 844 });
    try {
      for (const name of PAGES) {
        await page.click(".menu");
        await page.click(`nav.nav a[data-page=${name}]`);
        await page.waitForSelector(`nav.nav a[data-page=${name}][aria-current=page]`, { state: "attached" });
        await settled(page);
        must(await page.getAttribute(".menu", "aria-expanded") === "false", "the menu stays open");
        await open_details(page);
        await fits(page, name);
      }
      await open(page, `sessions/${world.answered[0].session}`);
      await open_details(page);
      await fits(page, "a session");
    } finally {
      await page.setViewportSize({ width: 1440, height: 900 });
    }
  },
  async "by keyboard alone: past the navigation, to the filter, into a question and out of it"(page) {
    await open(page, "sessions");
    await page.reload();
    await page.waitForSelector(".grid tbody tr", WAIT);
    await page.keyboard.press("Tab");
    must(await page.evaluate(() => document.activeElement.matches(".skip")), "the first stop is not the way past the navigation");
    await page.keyboard.press("/");
    await page.keyboard.type("v-cut");
    await until("the filter is in the address", async () => page.url().includes("cut"));
    await open(page, `visitors?text=${world.visitors[2].id}`);
    await page.waitForSelector(".grid tbody tr button", WAIT);
    await page.focus(".grid tbody tr button:has-text('Clean up')");
    await page.keyboard.press("Enter");
    await page.waitForSelector("dialog .facts", WAIT);
    must(await page.evaluate(() => document.activeElement.closest("dialog") !== null), "the focus is not in the question");
    for (let n = 0; n < 6; n += 1) {
      await page.keyboard.press("Tab");
      must(await page.evaluate(() => document.activeElement === document.body || document.activeElement.closest("dialog") !== null), "the focus leaves the question");
    }
    await page.keyboard.press("Escape");
    await page.waitForSelector("dialog", { state: "detached" });
    must(await page.evaluate(() => document.activeElement.textContent) === "Clean up", "the focus does not come back");
  },
};

/** While the server is gone: the page keeps what it knew, and each page says that it is old. */
async function stale(page, known) {
  await page.waitForSelector("main[data-phase=stale]", WAIT);
  must(/Stale since \d\d:\d\d:\d\d/.test(await page.textContent(".lamp")), "the lamp does not say since when");
  must(await keyed(page, known).count() === 1, "what was known is gone");
  for (const name of PAGES) {
    await page.evaluate((to) => { location.hash = `#/${to}`; }, name);
    await page.waitForSelector(`nav.nav a[data-page=${name}][aria-current=page]`, WAIT);
    must(await page.isVisible(".stale-bar"), `${name} does not say that it is stale`);
    await until(`${name} says that it cannot be read, or keeps what it knew`, async () => (await page.locator("main .notice, main .tile").count()) > 0);
  }
}

export const gone = {
  async "with the server gone every page says since when it is stale; back again, it is live and right"(page) {
    must(process.env.EMFLOW_CONTROL, "there is nobody who starts it again");
    const known = world.visitors[2].id;
    await open(page, `visitors?text=${known}`);
    await keyed(page, known).waitFor(WAIT);
    await expecting(/ERR_/, async () => {
      const back = await world.down();
      try {
        await stale(page, known);
      } finally {
        await back();
      }
      await page.waitForSelector("main[data-phase=live]", { timeout: 60_000 });
      must(!(await page.isVisible(".stale-bar")), "the bar stays");
    });
    await open(page, `sessions/${world.answered[0].session}`);
    await page.waitForSelector(".frame-row", WAIT);
    await open(page, `visitors?text=${known}`);
    await keyed(page, known).waitFor(WAIT);
  },
};
