// A series of pictures for somebody to look at, in both themes: node pictures.mjs https://HOST:PORT/ FOLDER
// EMFLOW_SMOKE_PASSWORD: the administrator's, for the presenter's page; without it there is no picture of that.
// It checks nothing: whether it is beautiful, no test says.
import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";
import { ask, status, url, WAIT_MS } from "./kit.mjs";

const [, , , folder] = process.argv;
const PASSWORD = process.env.EMFLOW_SMOKE_PASSWORD;
const DESK = { width: 1440, height: 900 };
const PHONE = { width: 390, height: 844 };
const TEXT = "We spend $18,000 a month on GPT-4o for 1.2M support chats, about 900 input and 250 output tokens each. How do we halve it?";

if (!url || !folder) {
  console.error("usage: node pictures.mjs https://HOST:PORT/ FOLDER");
  process.exit(1);
}
mkdirSync(folder, { recursive: true });

/** Charts are drawn when they come into sight. */
async function throughAll(page) {
  for (const box of await page.locator(".chart-box").all()) {
    await box.scrollIntoViewIfNeeded();
    await page.waitForTimeout(250);
  }
  await page.evaluate(() => window.scrollTo(0, 0));
}

async function visitor(context, shot) {
  const page = await context.newPage();
  await page.goto(url);
  await page.waitForSelector("#connection[data-phase=online]", { timeout: WAIT_MS });
  await page.waitForSelector(".card");
  await shot(page, "01-start", { fullPage: true });
  await page.fill("#content", TEXT);
  await page.waitForSelector(".reading[data-state=known]", { timeout: WAIT_MS });
  await shot(page, "02-understanding");
  await page.click(".composer [type=submit]");
  await page.waitForFunction(() => document.querySelectorAll(".timeline > .step").length >= 5, undefined, { timeout: WAIT_MS });
  await shot(page, "03-running");
  await status(page, "completed");
  await shot(page, "04-result");
  await throughAll(page);
  await shot(page, "05-result-whole", { fullPage: true });
  await page.locator(".headline .figure").first().click();
  await page.waitForSelector("dialog.arithmetic[open]");
  await shot(page, "06-arithmetic");
  await page.keyboard.press("Escape");
  await ask(page, 1, 3);
  await page.context().setOffline(true);
  await page.evaluate(() => document.querySelector(".proof-head button:not([hidden])")?.click());
  await page.waitForSelector("article.run[data-adrift]", { timeout: WAIT_MS });
  await page.waitForTimeout(1_500);
  await shot(page, "07-cut");
  await page.context().setOffline(false);
  await status(page, "completed");
  await page.locator(".proof-details summary").click();
  await page.locator(".proof").scrollIntoViewIfNeeded();
  await shot(page, "08-recovered");
  await page.evaluate(() => window.scrollTo(0, 0));
  await page.click("#share");
  await page.waitForSelector(".share-link input", { timeout: WAIT_MS });
  await shot(page, "09-share");
  const address = await page.inputValue(".share-link input");
  await page.keyboard.press("Escape");
  return { page, address };
}

async function report(context, page, shot) {
  const [download] = await Promise.all([page.waitForEvent("download"), page.click('.files a[href$="report.html"]')]);
  const file = resolve(folder, "report.html");
  await download.saveAs(file);
  const alone = await context.newPage();
  await alone.goto(pathToFileURL(file).href);
  await shot(alone, "10-report", { fullPage: true });
  await alone.pdf({ path: join(folder, "report.pdf"), format: "A4", printBackground: true });
  await alone.setViewportSize(PHONE);
  await shot(alone, "11-report-phone");
  await alone.close();
}

async function audience(browser, address, theme, shot) {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, viewport: { width: 1920, height: 1080 }, reducedMotion: "reduce", colorScheme: theme });
  const page = await context.newPage();
  await page.goto(address.replace("localhost", "127.0.0.1"));
  await status(page, "completed");
  await shot(page, "12-audience");
  await context.close();
}

async function presenter(context, shot) {
  const page = await context.newPage();
  await page.goto(new URL("/present", url).href);
  await page.fill("#presenter-password", PASSWORD);
  await page.click(".bar-login .primary");
  await page.waitForSelector(".bar-main", { timeout: WAIT_MS });
  await page.waitForSelector("#connection[data-phase=online]", { timeout: WAIT_MS });
  await page.keyboard.press("PageDown");
  await status(page, "completed");
  await page.keyboard.press("Alt+N");
  await shot(page, "13-presenter");
  await page.close();
}

async function phone(browser, theme, shot) {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, viewport: PHONE, deviceScaleFactor: 2, isMobile: true, hasTouch: true, reducedMotion: "reduce", colorScheme: theme });
  const page = await context.newPage();
  await page.goto(url);
  await page.waitForSelector("#connection[data-phase=online]", { timeout: WAIT_MS });
  await page.waitForSelector(".card");
  await shot(page, "14-phone-start");
  await ask(page, 0, 4);
  await shot(page, "15-phone-running");
  await status(page, "completed");
  await throughAll(page);
  await page.evaluate(() => document.querySelectorAll(".result details").forEach((d) => { d.open = true; }));
  await shot(page, "16-phone-result", { fullPage: true });
  await page.locator(".headline .figure").first().click();
  await page.waitForSelector("dialog.arithmetic[open]");
  await shot(page, "17-phone-arithmetic");
  await context.close();
}

const browser = await chromium.launch({ executablePath: process.env.EMFLOW_CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu"] });
for (const theme of ["light", "dark"]) {
  const shot = (page, name, more = {}) => page.screenshot({ path: join(folder, `${theme}-${name}.png`), ...more });
  const context = await browser.newContext({ ignoreHTTPSErrors: true, viewport: DESK, reducedMotion: "reduce", colorScheme: theme });
  const { page, address } = await visitor(context, shot);
  await report(context, page, shot);
  await audience(browser, address, theme, shot);
  if (PASSWORD) await presenter(context, shot);
  await context.close();
  await phone(browser, theme, shot);
  console.log(`${theme}: done`);
}
await browser.close();
