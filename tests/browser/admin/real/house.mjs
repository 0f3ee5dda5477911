// What visitors see and how the appliance is kept: gallery, look, settings, backups, certificate, alerts.
import { readFile } from "node:fs/promises";
import { expecting, must, url } from "../../kit.mjs";
import { WAIT, act, api, audited, confirm, keyed, open, settled, toast, until } from "../kit.mjs";
import { EVIL } from "../../corpus.mjs";

const seen = async (page) => (await (await page.request.get(new URL("/api/v1/example-messages/examples", url).href)).json()).examples;
const setting = async (page, key) => (await api(page, "/admin/settings")).items.find((one) => one.key === key);
const undo = (page, text) => page.click(`.toast:has-text("${text}") button:has-text('Undo')`);
const titles = (page) => page.locator(".example .sample h2").allTextContents();
/** What is downloaded by a click. */
async function taken(page, selector) {
  const [download] = await Promise.all([page.waitForEvent("download"), page.click(selector)]);
  return { name: download.suggestedFilename(), content: await readFile(await download.path()) };
}
const named = (message) => (fault) => fault.message.includes(message);

export default {
  async "an example with hostile words is checked, added, moved, seen by visitors, and undone"(page) {
    const before = await seen(page);
    await open(page, "examples");
    must((await titles(page)).join() === before.map((one) => one.title).join(), "the page shows another gallery than visitors see");
    await page.click("main button:has-text('New example')");
    await page.fill("dialog [name=title]", EVIL[0]);
    await page.fill("dialog [name=content]", "short");
    await page.fill("dialog [name=id]", before[0].id);
    await page.click("dialog [type=submit]");
    must(await page.getAttribute("dialog [name=content]", "aria-invalid") === "true" && await page.getAttribute("dialog [name=id]", "aria-invalid") === "true", "the faults do not stand at their fields");
    await page.fill("dialog [name=content]", EVIL.join(" "));
    await page.fill("dialog [name=id]", "hostile");
    must((await page.textContent("dialog .sample")).includes(EVIL[1]), "no preview");
    await page.click("dialog [type=submit]");
    await toast(page, "The example is added");
    must((await seen(page)).at(-1).title === EVIL[0], "visitors do not see it");
    await page.click(`main [aria-label="Move up: ${EVIL[0]}"]`);
    await toast(page, "The order is changed");
    must((await seen(page)).at(-2).id === "hostile", "it was not moved");
    must((await audited(page, "examples.change")).outcome === "done", "not in the audit");
    await undo(page, "The order is changed");
    await until("the order is as it was", async () => (await seen(page)).at(-1).id === "hostile");
  },
  async "the gallery is exported, removed from, imported, and goes back to the configured one"(page) {
    const before = await seen(page);
    await page.click("main button:has-text('Export')");
    await page.selectOption("dialog [name=format]", "json");
    const file = await taken(page, "dialog [type=submit]");
    const exported = JSON.parse(file.content);
    must((exported.items ?? exported).length === before.length, "not everything is exported");
    await page.click(`main [aria-label="Remove: ${EVIL[0]}"]`);
    await toast(page, "Removed");
    must((await seen(page)).length === before.length - 1, "it was not removed");
    await page.click("main button:has-text('Import')");
    await page.setInputFiles("dialog [name=file]", { name: file.name, mimeType: "application/json", buffer: file.content });
    await page.click("dialog [type=submit]");
    await toast(page, "Imported");
    must(JSON.stringify(await seen(page)) === JSON.stringify(before), "the import is not what was exported");
    await page.click("main button:has-text('Go back to the configured ones')");
    await confirm(page);
    await toast(page, "configured examples are back");
    must((await seen(page)).every((one) => one.id !== "hostile"), "the edited ones are still there");
    await undo(page, "configured examples are back");
    await until("undone", async () => (await seen(page)).some((one) => one.id === "hostile"));
  },
  async "the look is edited with a hostile title, exported and imported, a colour that cannot be read is refused, and the configured one comes back"(page) {
    const look = async () => (await page.request.get(new URL("/api/v1/appearance", url).href)).json();
    const before = await look();
    await open(page, "appearance");
    await page.fill("main [name=title]", EVIL[1]);
    await page.fill("main [name=accent]", "#fefefe");
    must((await page.textContent("main .pill[data-tone=bad]")).includes("to 1 on light"), "the bad contrast is not told");
    await expecting(/status of 4/, async () => {
      await page.click("main button:has-text('Save')");
      await page.waitForSelector(".toast[data-tone=bad]", WAIT);
    });
    must((await look()).title === before.title, "it was taken all the same");
    await page.click(".toast [aria-label=Close]");
    await page.fill("main [name=accent]", "#0b3d91");
    await page.click("main button:has-text('Save')");
    await toast(page, "Saved");
    const now = await look();
    must(now.title === EVIL[1] && now.colours.accent === "#0b3d91", JSON.stringify(now));
    must((await audited(page, "appearance.change")).outcome === "done", "not in the audit");
    const file = await taken(page, "main button:has-text('Export')");
    must(JSON.parse(file.content).title === EVIL[1], "not what stands there is exported");
    await undo(page, "Saved");
    await until("undone", async () => ((await look()).title === before.title ? true : (await look()).title));
    await page.click("main button:has-text('Back to the configured look')");
    await confirm(page);
    await until("the configured look", async () => (await look()).title === before.title);
    await page.click("main button:has-text('Import')");
    await page.setInputFiles("dialog [name=file]", { name: file.name, mimeType: "application/json", buffer: file.content });
    await page.click("dialog [type=submit]");
    await toast(page, "Imported");
    must((await look()).title === EVIL[1], "the import is not what was exported");
    await undo(page, "Imported");
    await until("the import is undone", async () => (await look()).title === before.title);
  },
  async "every setting stands there with its value and where it came from"(page) {
    await open(page, "settings");
    const { items } = await api(page, "/admin/settings");
    const shown = await page.locator(".setting").evaluateAll((rows) => rows.map((row) => [row.querySelector(".setting-name code").textContent, row.querySelector(".setting-value code").textContent, row.querySelector(".setting-value .sub").textContent]));
    must(shown.length === items.length, `${shown.length} are shown of ${items.length}`);
    for (const one of items) {
      const [, value, origin] = shown.find(([key]) => key === one.key) ?? [];
      must(value === one.value && origin.startsWith(`from ${one.source}`), `${one.key}: "${value}" ${origin}, not "${one.value}" from ${one.source}`);
    }
    must(items.some((one) => one.source.includes("EMFLOW_ADMIN__PASSWORD")) && !(await page.textContent("main")).includes(process.env.EMFLOW_ADMIN_PASSWORD), "a secret is shown");
    await page.selectOption(".filter:has-text('Part') select", "backup");
    await until("one part alone", async () => (await page.locator(".setting").count()) === items.filter((one) => one.section === "backup").length);
  },
  async "a live setting is changed, refused where it cannot be, undone and unset"(page) {
    const KEY = "limits.drafts_per_minute";
    const before = await setting(page, KEY);
    await open(page, `settings?q=${KEY}`);
    const change = async (value) => {
      await page.click(`[aria-label="Change ${KEY}"]`);
      await confirm(page, { value });
    };
    await expecting(/status of 4/, async () => {
      await change("\"many\"");
      await page.waitForSelector(".toast[data-tone=bad]", WAIT);
    });
    await change("77");
    await toast(page, `${KEY} is 77 now`);
    must((await setting(page, KEY)).value === "77" && (await setting(page, KEY)).source === "admin", JSON.stringify(await setting(page, KEY)));
    must(JSON.stringify(await audited(page, "settings.change")).includes("77"), "not in the audit");
    await undo(page, "is 77 now");
    await until("undone", async () => (await setting(page, KEY)).value === before.value);
    await change("88");
    await page.click(`[aria-label="Unset ${KEY}"]`);
    await confirm(page);
    await until("unset", async () => (await setting(page, KEY)).source === before.source);
    await page.click("main button:has-text('Read the configuration again')");
    await confirm(page);
    await toast(page, "Nothing had changed");
  },
  async "a backup is made, downloaded, read back and deleted, and the plan is shown"(page) {
    await open(page, "backups");
    const { schedule } = await api(page, "/example-messages/backups");
    must((await page.textContent("main .facts")).includes(schedule.directory), "where they are is not told");
    await page.click("main button:has-text('Make a backup now')");
    await page.waitForSelector(".toast:has-text('is made')", { timeout: 60_000 });
    const mine = async () => (await api(page, "/example-messages/backups")).items.find((one) => one.name.startsWith("emflow-"));
    const one = await mine();
    await keyed(page, one.name).waitFor(WAIT);
    const file = await taken(page, `a[download="${one.name}"]`);
    must(file.name === one.name && file.content.length === one.bytes, `${file.content.length} bytes came, not ${one.bytes}`);
    await page.click(`[aria-label="Read back: ${one.name}"]`);
    await page.waitForSelector(".toast:has-text('is complete')", { timeout: 60_000 });
    must((await mine()).ok === true, "the API does not know that it is proven");
    await until("proven", async () => (await keyed(page, one.name).textContent()).includes("proven"));
    for (const action of ["backup.create", "backup.download", "backup.verify"]) must((await audited(page, action)).target === one.name, `${action} is not in the audit`);
    await page.click(`[aria-label="Delete: ${one.name}"]`);
    await page.waitForSelector("dialog .facts", WAIT);
    must((await page.textContent("dialog")).includes(one.name), "it does not say which");
    await confirm(page);
    await toast(page, "is deleted");
    await until("the row is gone", async () => await keyed(page, one.name).count() === 0);
    must(!(await mine()) && (await audited(page, "backup.delete")).target === one.name, "only the page says so");
  },
  async "the certificate is the one that is served, and the authority is handed out"(page) {
    await open(page, "certificates");
    const { fingerprint_sha256: own, authority } = await api(page, "/admin/certificate");
    const shown = await page.locator(".fingerprint").allTextContents();
    must(shown.join() === [own, authority.fingerprint_sha256].join(), `${shown}`);
    const file = await taken(page, "a[download='emflow-authority.pem']");
    must(file.content.toString() === (await readFile(process.env.EMFLOW_CA)).toString(), "it is another authority");
  },
  async "an alert that fires is told on top, counted, acknowledged, and sent nowhere without a webhook"(page) {
    await open(page, "overview");
    const { items, webhook } = await api(page, "/admin/alerts");
    await page.click("main a:has-text('All checks')");
    await page.waitForSelector("nav.nav a[data-page=alerts][aria-current=page]", WAIT);
    await until("every check is listed", async () => await page.locator(".grid tbody tr").count() === items.length);
    await open(page, "overview");
    const firing = items.find((one) => one.id === "processing_time");
    must(firing.state === "firing" && !webhook.enabled, JSON.stringify(firing));
    const row = page.locator(".trouble", { hasText: firing.title });
    await row.locator("button:has-text('Acknowledge')").click();
    await confirm(page, { note: EVIL[2] });
    await toast(page, "Acknowledged");
    await until("the note is shown", async () => (await row.textContent()).includes(EVIL[2]));
    const now = (await api(page, "/admin/alerts")).items.find((one) => one.id === firing.id);
    must(now.state === "acknowledged" && now.acknowledged.note === EVIL[2], JSON.stringify(now));
  },
};
