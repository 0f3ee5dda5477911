// Coming in and going out, the password, tokens, and what is written of it.
import { accessible, expecting, must, url } from "../kit.mjs";
import { PASSWORD, WAIT, api, audited, open, row, settled, toast } from "./kit.mjs";

export default {
  async "a stranger is asked for the password and learns nothing"(page) {
    await expecting(/status of 401/, async () => {
      await page.goto(new URL("/admin/", url).href);
      await page.waitForSelector(".login-card", WAIT);
      await accessible(page);
      await page.fill("#password", "not the password");
      await page.keyboard.press("Enter");
      await page.waitForFunction(() => document.querySelector("#login-fault").textContent.length > 5, undefined, WAIT);
      must(await page.locator(".login-card").count() === 1, "a wrong password came in");
    });
  },
  async "a link of the command line comes in, once, and leaves nothing in the address"(page) {
    const link = process.env.EMFLOW_ADMIN_LINK;
    await page.goto("about:blank");
    await page.goto(link);
    await page.waitForSelector("nav.nav", WAIT);
    must(!page.url().includes(new URL(link).hash.slice("#link=".length)), "the secret stands in the address");
    await audited(page, "link.redeem");
    await page.context().clearCookies();
    await expecting(/status of 401/, async () => {
      await page.goto("about:blank");
      await page.goto(link);
      await page.waitForSelector(".login-card", WAIT);
      await page.waitForSelector(".toast:has-text('was used')", WAIT);
    });
  },
  async "the password comes in"(page) {
    await page.fill("#password", PASSWORD);
    await page.click(".login-card [type=submit]");
    await page.waitForSelector("nav.nav", WAIT);
    must(await page.textContent("h1") === "Overview", "not on the overview");
    const cookie = (await page.context().cookies()).find((one) => one.name === "__Host-emflow_admin");
    must(cookie?.httpOnly && cookie.secure && cookie.sameSite === "Strict", "the cookie is not as it must be");
    must(!(await page.evaluate(() => document.cookie + JSON.stringify(localStorage) + JSON.stringify(sessionStorage))).includes(cookie.value), "a script can read the session");
  },
  async "a configured password is not offered to be changed"(page) {
    await open(page, "access");
    must((await page.textContent("main")).includes("set by the configuration"), "it does not say where the password is set");
    must(!(await page.isVisible("main [name=current]")), "a form is offered that cannot work");
  },
  async "a name of markup is refused as a token's name"(page) {
    await expecting(/status of 400/, async () => {
      await page.click("main button:has-text('New token')");
      await page.fill("dialog [name=name]", "<img src=x onerror=alert(1)>");
      await page.click("dialog [type=submit]");
      await page.waitForSelector("dialog .secret, .toast", WAIT);
      must(await page.locator("dialog .secret").count() === 0, "it is accepted");
    });
  },
  async "a token is made, shown once, works, and is revoked"(page) {
    await page.click("main button:has-text('New token')");
    await page.fill("dialog [name=name]", "nightly report");
    await page.selectOption("dialog [name=scope]", "read");
    await page.click("dialog [type=submit]");
    await page.waitForSelector("dialog .secret", WAIT);
    const token = await page.textContent("dialog .secret");
    await page.click("dialog footer button");
    const asked = () => page.context().request.fetch(new URL("/api/v1/admin/tokens", url).href, { headers: { authorization: `Bearer ${token}`, cookie: "" } });
    must((await asked()).status() === 200, "the token does not work");
    await settled(page);
    await row(page, "nightly report").locator("button:has-text('Revoke')").click();
    await page.click("dialog [type=submit]:enabled");
    await toast(page, "revoked");
    must((await api(page, "/admin/tokens")).items.every((one) => one.name !== "nightly report"), "it is still listed");
    must((await audited(page, "token.revoke")).outcome === "done", "not written down");
  },
  async "the audit shows who came in, and who was refused"(page) {
    await open(page, "audit");
    await page.selectOption(".filter select", "refused");
    await page.waitForFunction(() => document.querySelectorAll(".grid tbody tr").length > 0 && [...document.querySelectorAll(".grid tbody tr")].every((one) => one.textContent.includes("Refused")), undefined, WAIT);
    const { items } = await api(page, "/admin/audit?outcome=refused&limit=50");
    must(await page.locator(".grid tbody tr").count() === items.length, "another number of entries than the API's");
  },
};
