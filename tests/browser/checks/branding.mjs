// The operator's name, logo, colours and offer on every page and in the report; following the offer is counted.
import { accessible, ask, expecting, fits, must, Skipped, status, url, WAIT_MS, watch } from "../kit.mjs";

const PASSWORD = process.env.EMFLOW_SMOKE_PASSWORD;
const OFFER = "https://offer.example/talk";
const LOGO = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 80 28"><rect width="80" height="28" rx="6" fill="#7a1fa2"/></svg>';
const LOOK = {
  title: "Nordlicht Rechner & Söhne", logo: { media_type: "image/svg+xml", data_base64: Buffer.from(LOGO).toString("base64") },
  colours: { accent: "#7a1fa2", accent_dark: "#d7a6f0" }, call_to_action: { text: "Talk to an engineer", url: OFFER },
};
const PAGES = ["/", "/follow", "/present", "/verify"];

/** The administrator's calls, from a browser of its own: the visitor's is not to be logged in. */
async function administrator(page) {
  const { request } = await page.context().browser().newContext({ ignoreHTTPSErrors: true });
  const call = async (method, path, data, headers = {}) => {
    const answer = await request.fetch(new URL(`/api/v1${path}`, url).href, { method, data, headers: { origin: new URL(url).origin, ...headers } });
    must(answer.ok(), `${path}: ${answer.status()} ${await answer.text()}`);
    return answer.json();
  };
  const { csrf_token: csrf } = await call("POST", "/admin/login", { password: PASSWORD });
  return (method, path, data) => call(method, path, data, { "x-csrf-token": csrf });
}

const followed = async (admin) => (await admin("GET", "/example-messages/stats")).business.funnel.find((step) => step.step === "call_to_action").count;

async function dressed(page) {
  for (const path of PAGES) {
    await expecting(/401/, async () => {
      await page.goto(new URL(path, url).href);
      await page.waitForSelector("html[lang]");
      must(await page.textContent(".brand-name") === LOOK.title, `${path}: ${await page.textContent(".brand-name")}`);
      must((await page.title()).includes(LOOK.title), `${path}: the title is ${await page.title()}`);
      must(await page.locator(".brand-logo").evaluate((logo) => logo.complete && logo.naturalWidth > 0), `${path}: the logo is not drawn`);
      await accessible(page);
    });
  }
  const accent = (theme) => page.evaluate((name) => {
    document.documentElement.dataset.theme = name;
    const found = getComputedStyle(document.documentElement).getPropertyValue("--accent").trim();
    delete document.documentElement.dataset.theme;
    return found;
  }, theme);
  must(await accent("light") === LOOK.colours.accent && await accent("dark") === LOOK.colours.accent_dark, "other colours");
}

async function offered(page, admin) {
  const before = await followed(admin);
  await ask(page, 0);
  await status(page, "completed");
  await accessible(page);
  await page.setViewportSize({ width: 390, height: 844 });
  await fits(page, "branded result on a phone");
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.context().route(`${OFFER}**`, (route) => route.fulfill({ body: "there", contentType: "text/plain" }));
  await expecting(/request elsewhere: https:\/\/offer\.example/, async () => {
    for (let n = 0; n < 2; n++) {
      const [opened] = await Promise.all([page.waitForEvent("popup"), page.click(".call-to-action a")]);
      await opened.waitForURL(OFFER);
      must(await opened.evaluate(() => window.opener === null && document.referrer === ""), "the page is known to the one it opened");
      await opened.close();
    }
  });
  const until = Date.now() + WAIT_MS;
  while (await followed(admin) === before && Date.now() < until) await page.waitForTimeout(100);
  must(await followed(admin) === before + 1, `counted ${await followed(admin) - before} times`);
  const report = await page.evaluate(async () => (await fetch(document.querySelector('.files a[href$="report.html"]').href)).text());
  for (const part of ["Nordlicht Rechner &amp; Söhne", "data:image/svg+xml;base64,", "#7a1fa2", OFFER]) must(report.includes(part), `not in the report: ${part}`);
}

export default {
  async "the operator's look is on every page and in the report, and the offer is counted once"(page) {
    if (!PASSWORD) throw new Skipped("EMFLOW_SMOKE_PASSWORD is not set");
    const admin = await administrator(page);
    await admin("PUT", "/admin/appearance", LOOK);
    const own = await page.context().browser().newContext({ ignoreHTTPSErrors: true, viewport: { width: 1440, height: 900 }, reducedMotion: "reduce" });
    try {
      const other = await own.newPage();
      await watch(own, other);
      await dressed(other);
      await other.goto(url);
      await other.waitForSelector("#connection[data-phase=online]", { timeout: WAIT_MS });
      await offered(other, admin);
    } finally {
      await own.close();
      await admin("POST", "/admin/appearance/reset", {});
    }
  },
};
