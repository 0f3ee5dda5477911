// The administration's pages against the fixture, in states a real server reaches seldom: node admin-states.mjs
import { accessible, expecting, fits, must, sins } from "./kit.mjs";
import { judge } from "./runner.mjs";
import { serve } from "./admin/fixture.mjs";
import { observed } from "./admin/observed.mjs";

const fixture = await serve();
/** The fixture's world; another one after it was started anew. */
let { world } = fixture;
const WAIT = { timeout: 30_000 };
const PAGES = ["overview", "alerts", "events", "sessions", "sessions/ses-1", "connections", "messages", "messages/v-1", "breakers", "visitors", "business", "examples", "appearance", "settings", "certificates", "backups", "audit", "logs", "access"];

/** Opens a page and waits until everything on it has been asked for and answered. */
async function open(page, name) {
  await page.goto(`${fixture.url}/admin#/${name}`);
  await page.waitForSelector("main[data-phase=live] h1", WAIT);
  await settled(page);
}
const settled = (page) => page.waitForFunction(() => !document.querySelector("main [aria-busy=true], main .loading, .preview .loading"), undefined, WAIT);
const calls = (method, path) => world.calls.filter((call) => call.method === method && call.path === path);
const toast = (page, text) => page.waitForSelector(`.toast:has-text("${text}")`, WAIT);
const row = (page, text) => page.locator(".grid tbody tr", { hasText: text }).first();

/** No text of the hostile corpus has become an element or run. */
async function onlyText(page, where) {
  const made = await page.locator("main :is(script, iframe, object, embed, style, base, meta, #pwned, [onerror], [onload], img:not([src^='/'], [src^='data:']), a[href^='javascript' i])").count();
  must(made === 0, `${where}: markup became elements`);
}

const ONLY = process.env.EMFLOW_CHECKS;
const CHECKS = {};
for (const [state, theme, size] of [["busy", "light", [1440, 900]], ["busy", "dark", [390, 844]], ["ill", "dark", [1440, 900]], ["empty", "light", [1440, 900]]]) {
  CHECKS[`every page, ${state}, ${theme}, ${size[0]} wide: accessible, within the screen, text only as text`] = async (page) => {
    world.state = state;
    await page.setViewportSize({ width: size[0], height: size[1] });
    for (const name of PAGES) {
      await open(page, name);
      await page.evaluate(() => document.querySelectorAll("details").forEach((one) => { one.open = true; }));
      await fits(page, `${state} ${name}`);
      await onlyText(page, name);
      await accessible(page, [theme]).catch((error) => { throw new Error(`${name}: ${error.message}`); });
      must((await page.textContent("main")).length > 80, `${name} says nothing`);
    }
    await page.setViewportSize({ width: 1440, height: 900 });
    world.state = "busy";
  };
}

Object.assign(CHECKS, {
  async "the navigation names every page, marks the open one and moves the focus"(page) {
    await open(page, "overview");
    must(await page.locator("nav.nav a[data-page]").count() === 17, "not seventeen pages");
    for (const href of ["/", "/present", "/docs"]) must(await page.locator(`nav.nav a[href="${href}"]`).count() === 1, `no way to ${href}`);
    await page.click("nav.nav a[data-page=sessions]");
    await page.waitForSelector("nav.nav a[data-page=sessions][aria-current=page]", WAIT);
    must(await page.evaluate(() => document.activeElement?.id) === "main", "the focus stayed in the navigation");
    must((await page.title()).startsWith("Sessions"), "the title does not say where one is");
    await settled(page);
    await page.keyboard.press("/");
    must(await page.evaluate(() => document.activeElement?.matches(".filter input")), "/ does not go to the filter");
  },
  async "an ill appliance says what is wrong, the worst first, and each red number opens what is behind it"(page) {
    world.state = "ill";
    await open(page, "overview");
    await page.waitForSelector(".verdict[data-tone=bad] .trouble", WAIT);
    must(/^\d things need attention$/.test(await page.textContent(".verdict h2")), "it does not say how many");
    must(await page.locator(".trouble").first().getAttribute("data-tone") === "bad", "the worst is not first");
    for (const tile of await page.locator(".tile[data-tone]").all()) must((await tile.getAttribute("href"))?.startsWith("#/"), `${await tile.textContent()} opens nothing`);
    await page.waitForSelector("nav.nav a[data-page=breakers] .nav-count:has-text('1')", WAIT);
    await page.click(".trouble button:has-text('Acknowledge')");
    await page.fill("dialog [name=note]", "I am on it");
    await page.click("dialog [type=submit]");
    await toast(page, "Acknowledged");
    must(calls("POST", "/admin/alerts/error_rate/acknowledge").at(-1)?.body.note === "I am on it", "the note was not sent");
    world.state = "busy";
  },
  async "filters go into the address and to the server, and survive a reload"(page) {
    await open(page, "sessions");
    await page.selectOption(".filter select >> nth=0", "failed");
    await page.waitForFunction(() => location.hash.includes("state=failed"), undefined, WAIT);
    await page.reload();
    await settled(page);
    must(await page.inputValue(".filter select >> nth=0") === "failed", "forgotten by the reload");
    must(calls("GET", "/admin/sessions").at(-1).query.state === "failed", "not asked for");
  },
  async "who types in a filter and leaves at once is not taken back"(page) {
    await open(page, "visitors");
    await page.fill(".filter input", "v-0001");
    await page.click("nav.nav a[data-page=audit]");
    await page.waitForTimeout(600);
    must(new URL(page.url()).hash.startsWith("#/audit"), `at ${page.url()}`);
  },
  async "what is destructive shows first what goes; given up, nothing happens; done, it can be undone"(page) {
    await open(page, "visitors");
    await row(page, "v-0001").locator("button:has-text('Clean up')").click();
    await page.waitForSelector("dialog .facts", WAIT);
    must((await page.textContent("dialog .facts")).includes("40"), "the frames that go are not told");
    await page.keyboard.press("Escape");
    await page.waitForSelector("dialog", { state: "detached" });
    const path = `/example-messages/cleanup/${world.calls.findLast((call) => call.path.includes("/cleanup/")).path.split("/").at(-1)}`;
    must(calls("POST", path).length === 0, "it happened though it was given up");
    await row(page, "v-0001").locator("button:has-text('Clean up')").click();
    await page.waitForSelector("dialog .facts", WAIT);
    await page.click("dialog [type=submit]");
    await toast(page, "It can be undone until");
    must(calls("POST", path).length === 1, "it did not happen once");
    await page.click(".toast button:has-text('Undo')");
    await toast(page, "Undone");
    must(calls("POST", `${path}/undo`).length === 1, "it was not undone");
  },
  async "what cannot be foreseen is not offered"(page) {
    await open(page, "visitors");
    world.failing = /\/cleanup\//;
    await expecting(/status of 500/, async () => {
      await row(page, "v-0002").or(row(page, "v-..")).locator("button:has-text('Clean up')").first().click();
      await page.waitForSelector("dialog .notice.bad", WAIT);
      must(await page.isDisabled("dialog [type=submit]"), "offered all the same");
      world.failing = null;
      await page.click("dialog .notice button");
      await page.waitForSelector("dialog .facts", WAIT);
      must(await page.isEnabled("dialog [type=submit]"), "not offered after it could be foreseen");
      await page.keyboard.press("Escape");
    });
  },
  async "a required reason is asked for at its field"(page) {
    world.breaker = "closed";
    await open(page, "breakers");
    await page.locator("[aria-label='Breaker remote'] button:has-text('Trip')").click();
    await page.waitForSelector("dialog .facts", WAIT);
    await page.click("dialog [type=submit]");
    must(await page.getAttribute("dialog [name=reason]", "aria-invalid") === "true", "the missing reason is not marked");
    await page.fill("dialog [name=reason]", "the contract has ended");
    await page.click("dialog [type=submit]");
    await page.waitForSelector("[aria-label='Breaker remote'][data-state=open]", WAIT);
    await page.locator("[aria-label='Breaker remote'] button:has-text('Reset')").click();
    await page.click("dialog [type=submit]:enabled");
    await page.waitForSelector("[aria-label='Breaker remote'][data-state=closed]", WAIT);
  },
  async "a page that cannot be read says so and is read again; one that was read keeps what it knew, as of when"(page) {
    await expecting(/status of 500/, async () => {
      world.failing = /\/admin\/audit/;
      await page.goto(`${fixture.url}/admin#/audit`);
      await page.waitForSelector("main .notice.bad", WAIT);
      must((await page.textContent("main .notice.bad")).includes("reference 4711"), "the reference is not told");
      world.failing = null;
      await page.click("main .notice button");
      await page.waitForSelector(".grid tbody tr", WAIT);
      world.failing = /\/admin\/sessions/;
      await page.click("nav.nav a[data-page=sessions]");
      await page.waitForSelector("main .notice.bad", WAIT);
      world.failing = null;
      await page.click("main .notice button");
      await page.waitForSelector(".grid tbody tr", WAIT);
      world.failing = /\/admin\/sessions/;
      await page.waitForSelector(".loaded-note .notice", WAIT);
      must(/^As of \d\d:\d\d:\d\d/.test(await page.textContent(".loaded-note")), "it does not say as of when");
      must(await page.locator(".grid tbody tr").count() > 0, "what was known is gone");
      world.failing = null;
    });
  },
  async "with the connection gone the page says since when it is stale; with the connection back it is live"(page) {
    await open(page, "overview");
    await page.waitForSelector(".tile", WAIT);
    await expecting(/ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE/, async () => {
      const { port } = new URL(fixture.url);
      await fixture.stop();
      await page.waitForSelector("main[data-phase=stale]", WAIT);
      must(/Stale since \d\d:\d\d:\d\d/.test(await page.textContent(".lamp")), "the lamp does not say since when");
      must(await page.isVisible(".stale-bar"), "no bar tells of it");
      must(await page.locator(".tile").count() > 0, "what was known is gone");
      await accessible(page, ["light", "dark"]);
      Object.assign(fixture, await serve({ port: Number(port) }));
      ({ world } = fixture);
      await page.waitForSelector("main[data-phase=live]", { timeout: 30_000 });
      must(!(await page.isVisible(".stale-bar")), "the bar stays");
      must((await page.textContent(".lamp")).includes("Live"), "the lamp stays");
      await settled(page);
    });
  },
  async "who may only look is offered nothing that changes"(page) {
    world.scope = "read";
    const changing = "main button:visible:text-matches('^(Cancel|Close|Drop|Revoke|Clean up|Trip|Reset|New|Edit|Remove|Save$|Change|Unset|Make|Read back|Acknowledge|Send|Sign out everywhere)')";
    for (const name of PAGES.filter((one) => one !== "logs")) {
      await page.goto(`${fixture.url}/admin?look#/${name}`);
      await page.waitForSelector("main[data-phase=live] h1", WAIT);
      await settled(page);
      const offered = await page.locator(changing).allTextContents();
      must(offered.length === 0, `${name}: ${offered}`);
    }
    world.scope = "operate";
  },
  async "a session's frames come again at their pace"(page) {
    await page.goto(`${fixture.url}/admin#/sessions/ses-1`);
    await page.waitForSelector(".frame-row", WAIT);
    const seen = () => page.locator(".frame-row:visible").count();
    must(await seen() === 6, "an ended session is not shown whole");
    await page.selectOption(".player-bar select", "16");
    await page.click(".player-bar .primary");
    must(await seen() < 6, "it did not begin at the beginning");
    await page.waitForFunction(() => [...document.querySelectorAll(".frame-row")].every((one) => !one.hidden), undefined, WAIT);
    must(await page.textContent(".player-bar .primary") === "Play", "it did not stop at the end");
  },
  async "a token is shown once"(page) {
    await page.goto(`${fixture.url}/admin#/access`);
    await page.click("main button:has-text('New token')", WAIT);
    await page.fill("dialog [name=name]", "nightly");
    await page.click("dialog [type=submit]");
    await page.waitForSelector("dialog .secret", WAIT);
    must((await page.textContent("dialog .secret")).startsWith("emflow_"), "no token is shown");
    await page.keyboard.press("Escape");
    await page.waitForSelector("dialog", { state: "detached" });
    must(!(await page.content()).includes("emflow_0123456789"), "it is still on the page");
  },
  async "signed out elsewhere, the page says so; a wrong password is told; the right one comes in"(page) {
    await page.goto(`${fixture.url}/admin?again#/sessions`);
    await page.waitForSelector(".grid tbody tr", WAIT);
    await expecting(/status of 401/, async () => {
      world.signedIn = false;
      await page.waitForSelector(".login-card", WAIT);
      must((await page.textContent("#login-fault")).includes("ended"), "it does not say why");
      await accessible(page);
      await page.fill("#password", "wrong");
      await page.click(".login-card [type=submit]");
      await page.waitForFunction(() => document.querySelector("#login-fault").textContent.includes("wrong"), undefined, WAIT);
      await page.fill("#password", "correct horse battery");
      await page.keyboard.press("Enter");
      await page.waitForSelector("main[data-phase=live] .grid tbody tr", WAIT);
    });
  },
  ...observed({ open, world: () => world, calls, toast, WAIT }),
  async "no console error, no violation of the policy, no dialog, no request elsewhere"() {
    must(sins.length === 0, sins.slice(0, 5).join(" | "));
  },
});

await judge("admin-states", fixture.url, ONLY ? Object.fromEntries(Object.entries(CHECKS).filter(([name]) => name.includes(ONLY))) : CHECKS);
