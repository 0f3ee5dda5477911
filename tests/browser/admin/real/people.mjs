// What an administrator does to visitors: each shows first what goes, happens once, is written down, and is taken back where it can be.
import { must } from "../../kit.mjs";
import { WAIT, api, audited, cell, confirm, keyed, open, toast, until, whole } from "../kit.mjs";
import { visitor as come } from "../visitors.mjs";
import { world } from "./world.mjs";

const fact = async (page, name) => (await page.locator("dialog .facts > div", { has: page.locator(`dt:text-is("${name}")`) }).locator("dd").textContent()).trim();
const button = (page, key, text) => keyed(page, key).locator(`button:has-text('${text}')`).first().click();
const owed = (page, id) => api(page, `/example-messages/pending-messages/${id}?limit=200`);

export default {
  async "clean-up previews what the API says, happens, and is undone"(page) {
    const [visitor] = world.visitors;
    const before = await api(page, `/admin/sessions?visitor=${visitor.id}`);
    await open(page, `visitors?text=${visitor.id}`);
    await button(page, visitor.id, "Clean up");
    await page.waitForSelector("dialog .facts", WAIT);
    const { would_remove: goes, connections } = await api(page, `/example-messages/cleanup/${visitor.id}`);
    for (const [name, n] of [["Sessions", goes.sessions], ["Frames", goes.frames], ["Of them not acknowledged", goes.pending_frames], ["Sockets that close", connections]]) must(await fact(page, name) === whole(n), `${name}: ${await fact(page, name)}, not ${n}`);
    must(goes.sessions === before.items.length && goes.frames > 0, JSON.stringify(goes));
    await page.keyboard.press("Escape");
    await page.waitForSelector("dialog", { state: "detached" });
    must((await api(page, `/admin/sessions?visitor=${visitor.id}`)).items.length === before.items.length, "given up, it happened all the same");
    await button(page, visitor.id, "Clean up");
    await confirm(page, { reason: "asked to be forgotten" });
    await toast(page, "It can be undone until");
    must(await visitor.closed() >= 4000, "the socket was not closed by the server");
    must((await api(page, `/admin/sessions?visitor=${visitor.id}`)).items.length === 0, "sessions are left");
    const entry = await audited(page, "visitor.cleanup");
    must(entry.target === visitor.id && entry.after.reason === "asked to be forgotten", JSON.stringify(entry));
    await page.click(".toast:has-text('Cleaned up') button:has-text('Undo')");
    await toast(page, "Undone");
    const after = await api(page, `/admin/sessions?visitor=${visitor.id}`);
    must(after.items.map((one) => one.session_id).sort().join() === before.items.map((one) => one.session_id).sort().join(), "not every session is back");
    await until("the row has its sessions again", async () => (await cell(keyed(page, visitor.id), "Sessions").textContent()).trim().startsWith(whole(before.items.length)));
  },
  async "frames are dropped up to one, with a reason, and nothing else goes"(page) {
    const visitor = world.visitors[1];
    const { pending_messages: frames } = await owed(page, visitor.id);
    await open(page, `messages/${visitor.id}`);
    await page.click("main button:has-text('Send again now')");
    await toast(page, "sent again");
    const through = frames[4].sequence;
    await button(page, String(through), "Drop up to here");
    await page.waitForSelector("dialog .facts", WAIT);
    must((await fact(page, "These go")).startsWith("5 frames") && await fact(page, "These stay") === whole(frames.length - 5), `${await fact(page, "These go")}, ${await fact(page, "These stay")}`);
    await confirm(page, { reason: "the visitor asked us to" });
    await toast(page, "5 frames dropped");
    const { pending_messages: left } = await owed(page, visitor.id);
    must(left.length === frames.length - 5 && left[0].sequence === through + 1, `${left.length} are left, from ${left[0]?.sequence}`);
    must((await audited(page, "messages.drop")).target === visitor.id, "not in the audit");
  },
  async "a running session is cancelled, a socket closed, a credential revoked"(page) {
    const visitor = await come(page.context().browser(), 3);
    const session = await visitor.ask(7);
    await open(page, `sessions?visitor=${visitor.id}`);
    await button(page, session, "Cancel");
    await confirm(page);
    must(await visitor.ended(session) === "session_cancelled", "it went on");
    must((await audited(page, "session.cancel")).target === session, "not in the audit");
    await until("the row says so", async () => (await cell(keyed(page, session), "State").textContent()).includes("Cancelled"));
    await open(page, `connections?visitor=${visitor.id}`);
    const { items: [socket] } = await api(page, `/admin/connections?visitor=${visitor.id}`);
    await button(page, socket.connection_id, "Close");
    await confirm(page);
    must(await visitor.closed() >= 4000, "the socket is open");
    await until("the row is gone", async () => await keyed(page, socket.connection_id).count() === 0);
    await open(page, `visitors?text=${visitor.id}`);
    await button(page, visitor.id, "Revoke");
    await confirm(page);
    await toast(page, "Revoked");
    await until("it says revoked", async () => (await cell(keyed(page, visitor.id), "State").textContent()).includes("revoked"));
    must((await audited(page, "visitor.revoke")).target === visitor.id, "not in the audit");
    await visitor.leave();
  },
};
