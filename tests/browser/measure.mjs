// Figures of the page on loopback, for a report: node measure.mjs https://HOST:PORT/ [ROUNDS]. It judges nothing.
//   from the click on an example to its first step, its first partial result and its three numbers on the screen;
//   slider: from the input event to the new numbers on the screen, the hand not held.
import { chromium } from "playwright-core";
import { home, status, url, WAIT_MS } from "./kit.mjs";

const rounds = Number(process.argv[3] ?? 10);
const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];
const told = (name, list) => console.log(`${name}: median ${Math.round(median(list))} ms, ${Math.round(Math.min(...list))} to ${Math.round(Math.max(...list))}, n=${list.length}`);

/** Inside the page, by its own clock: until the next paint after `selector` fits. */
const clicked = (page, at) => page.evaluate((n) => new Promise((done) => {
  const begun = performance.now();
  const took = {};
  const look = () => {
    if (document.querySelector(".timeline > .step")) took.first ??= performance.now() - begun;
    if (document.querySelector(".step[data-type=partial_result], .draft:not(:empty)")) took.part ??= performance.now() - begun;
    if (!document.querySelector(".headline .figure-value")) return requestAnimationFrame(look);
    return requestAnimationFrame(() => done({ ...took, result: performance.now() - begun }));
  };
  document.querySelectorAll(".card .ask")[n].click();
  requestAnimationFrame(look);
}), at);

const slid = (page) => page.evaluate(() => new Promise((done) => {
  const slider = document.querySelector(".quantity input[type=range]:not([hidden])");
  const text = () => [...document.querySelectorAll(".headline .figure-value")].map((f) => f.textContent).join();
  const before = text();
  const begun = performance.now();
  const look = () => (text() === before ? requestAnimationFrame(look) : requestAnimationFrame(() => done(performance.now() - begun)));
  slider.value = String((Number(slider.value) + 17) % Number(slider.max));
  slider.dispatchEvent(new Event("input", { bubbles: true }));
  slider.dispatchEvent(new Event("change", { bubbles: true }));
  requestAnimationFrame(look);
}));

const browser = await chromium.launch({ executablePath: process.env.EMFLOW_CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu"] });
const page = await (await browser.newContext({ ignoreHTTPSErrors: true, viewport: { width: 1440, height: 900 } })).newPage();
await page.goto(url);
await page.waitForSelector("#connection[data-phase=online]", { timeout: WAIT_MS });
await page.waitForSelector(".card");
const [first, part, result, slider] = [[], [], [], []];
const examples = await page.locator(".card").count();
for (let n = 0; n < rounds; n++) {
  await home(page);
  const took = await clicked(page, n % examples);
  first.push(took.first);
  part.push(took.part);
  result.push(took.result);
  await status(page, "completed");
}
for (let n = 0; n < rounds; n++) {
  slider.push(await slid(page));
  await page.waitForTimeout(1_200);
}
told("first step after the click", first);
told("first partial result after the click", part);
told("three numbers after the click", result);
told("slider to new numbers", slider);
await browser.close();
