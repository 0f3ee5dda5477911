// A backend that really fails: its breaker opens, is seen, is reset and tripped by hand, and all of it is written down.
import { must, url } from "../../kit.mjs";
import { WAIT, act, api, audited, confirm, open, toast, until } from "../kit.mjs";
import { EVIL } from "../../corpus.mjs";
import { world } from "./world.mjs";

const card = (name) => `[aria-label='Breaker ${name}']`;
const is = (page, name, state) => page.waitForSelector(`${card(name)}[data-state=${state}]`, WAIT);
const known = async (page, name) => (await api(page, "/example-messages/circuit-breaker")).items.find((one) => one.name === name);
const told = async (page, name, figure) => Number((await page.locator(`${card(name)} .facts > div`, { has: page.locator(`dt:text-is("${figure}")`) }).locator("dd").textContent()).replaceAll(",", ""));

export default {
  async "a failing backend opens its breaker, and the page says so by itself, with the runs behind it"(page) {
    await open(page, "breakers");
    await is(page, "builtin", "closed");
    await act(page, "POST", "/presenter/fail", { failing: true });
    await is(page, "builtin", "open");
    await page.waitForSelector("nav.nav a[data-page=breakers] .nav-count:visible", WAIT);
    const one = await known(page, "builtin");
    must(one.state === "open" && one.history[0].cause === "failures", JSON.stringify(one.history[0]));
    must((await page.textContent(card("builtin"))).includes("Too many failures in a row"), "it does not say why");
    for (const [figure, field] of [["Failed", "failures"], ["Changes", "transitions"]]) {
      await until(figure, async () => {
        const [seen, now] = [await told(page, "builtin", figure), (await known(page, "builtin"))[field]];
        return seen === now ? true : `${seen} on the page, ${now} by the API`;
      });
    }
    await page.locator(`${card("builtin")} tbody tr a`).first().click();
    await page.waitForSelector(".frame-row", WAIT);
    await until("the session says who answered instead", async () => (await page.textContent("main .facts")).includes("builtin-standby"));
  },
  async "the sessions go on meanwhile by the standby"(page) {
    const { routing: { fallbacks: before } } = await api(page, "/example-messages/stats");
    const [visitor] = world.visitors;
    const session = await visitor.ask(20);
    must(await visitor.ended(session) === "agent_completed", "no result");
    const { routing: { fallbacks: after } } = await api(page, "/example-messages/stats");
    must(JSON.stringify(before) !== JSON.stringify(after), "no fallback was counted");
    world.answered.push({ session, visitor, title: EVIL[20 % EVIL.length] });
  },
  async "reset, it is closed, and the audit says by whom"(page) {
    await act(page, "POST", "/presenter/fail", { failing: false });
    await open(page, "breakers");
    await page.locator(`${card("builtin")} button:has-text('Reset')`).click();
    await confirm(page);
    await toast(page, "calls flow");
    await is(page, "builtin", "closed");
    must((await known(page, "builtin")).state === "closed", "only the page says so");
    const entry = await audited(page, "breaker.reset");
    must(entry.who === "admin" && entry.outcome === "done" && JSON.stringify(entry.target).includes("builtin"), JSON.stringify(entry));
    await page.waitForSelector("nav.nav a[data-page=breakers] .nav-count", { state: "hidden", ...WAIT });
  },
  async "tripped by hand with hostile words, it is open, they are text, and undoing closes it"(page) {
    await open(page, "breakers");
    await page.locator(`${card("builtin-standby")} button:has-text('Trip')`).click();
    await confirm(page, { reason: EVIL[0] });
    await is(page, "builtin-standby", "open");
    await until("the reason is shown", async () => (await page.textContent(card("builtin-standby"))).includes(EVIL[0]));
    const entry = await audited(page, "breaker.trip");
    must(entry.reason === EVIL[0] || JSON.stringify(entry).includes("onerror"), JSON.stringify(entry));
    await page.click(".toast:has-text('turned away') button:has-text('Undo')");
    await is(page, "builtin-standby", "closed");
    await page.goto(new URL("/admin#/audit?action=breaker.trip", url).href);
    await page.waitForSelector(".grid tbody tr", WAIT);
    await page.locator(".grid tbody tr button:has-text('Details')").first().click();
    must((await page.textContent("dialog")).includes(EVIL[0]), "the reason is not in the audit");
    await page.keyboard.press("Escape");
    await page.waitForSelector("dialog", { state: "detached" });
  },
};
