// The figures of the pages against those of the API: under load where they stand still, all of them when it is over.
import { must, url } from "../../kit.mjs";
import { WAIT, api, cell, keyed, open, settled, until, whole } from "../kit.mjs";
import { world } from "./world.mjs";

const tile = (page, name) => page.locator(".tile", { has: page.locator(`.tile-name:text-is("${name}")`) });
const value = async (page, name) => (await tile(page, name).locator(".tile-value").textContent()).trim();
const number = (text) => Number(text.replaceAll(",", "").split(" ")[0]);
/** Compares cells of a row with what they must say, until all of them do. */
const says = (line, wanted) => until("the row says", async () => {
  if (await line.count() !== 1) return `there are ${await line.count()} of it`;
  for (const [column, text] of Object.entries(wanted)) {
    const seen = (await cell(line, column).textContent()).trim();
    if (!(text instanceof RegExp ? text.test(seen) : seen === String(text))) return `${column} is "${seen}", not "${text}"`;
  }
  return true;
});
const BYTES = /^[\d.]+ (B|KiB|MiB)$/;

export default {
  async "under load the overview says what the statistics say, and goes on by itself"(page) {
    await open(page, "overview");
    await page.waitForSelector(".tile", WAIT);
    const between = (name, of) => until(`${name} on the page`, async () => {
      const [before, seen, after] = [of(await api(page, "/example-messages/stats")), number(await value(page, name)), of(await api(page, "/example-messages/stats"))];
      // A snapshot is a second old at most; what changes meanwhile lies between.
      return Math.min(before, after) <= seen && seen <= Math.max(before, after) ? true : `${seen}, not ${before} to ${after}`;
    });
    await between("Connections", (stats) => stats.connections.live);
    await between("Processing", (stats) => stats.sessions.processing);
    await until("frames are sent", async () => number(await value(page, "Frames sent")) > 0);
    await page.locator(".chart", { hasText: "Frames a second" }).locator("summary").click();
    const rows = () => page.locator(".chart[open] tbody tr, .chart details[open] tbody tr").count();
    const first = await rows();
    await until("the chart goes on", async () => await rows() > first);
  },
  async "under load every ended session stands there as the API has it"(page) {
    await open(page, "sessions");
    for (const { session, visitor, title } of world.answered) {
      const known = await api(page, `/example-messages/sessions/${session}`);
      must(known.state === "completed", JSON.stringify(known).slice(0, 200));
      await page.fill(".filter:has-text('Visitor') input", visitor.id);
      const { items } = await api(page, `/admin/sessions?visitor=${visitor.id}`);
      const one = items.find((row) => row.session_id === session);
      await says(keyed(page, session), { Question: new RegExp(`^${title.replace(/[^\w]/g, "\\$&")}`), State: "Completed", Attempts: one.attempts, "Last frame": `#${whole(one.last_sequence)}` });
      await until("as many rows as the API has", async () => await page.locator(".grid tbody tr").count() === items.length);
    }
  },
  async "a session's own page has its question and every frame the API holds"(page) {
    const { session, visitor } = world.answered[0];
    await page.goto(new URL(`/admin#/sessions/${session}`, url).href);
    await page.waitForSelector(".frame-row", WAIT);
    const { items } = await api(page, `/admin/sessions/${session}/frames?limit=200`);
    must(await page.locator(".frame-row").count() === items.length, "another number of frames than the API's");
    const numbers = await page.locator(".frame-row .frame-sequence").allTextContents();
    must(numbers.join() === items.map((frame) => `#${frame.sequence}`).join(), `${numbers}`);
    must((await page.textContent(".question")) === (await api(page, `/admin/sessions?visitor=${visitor.id}`)).items.find((row) => row.session_id === session).content, "the question is not as it was asked");
  },
  async "under load sockets, visitors and what they are owed are as the API has them"(page) {
    for (const visitor of world.visitors) {
      const { connections: [socket], pending_count: owed, pending_messages: frames } = await api(page, `/example-messages/pending-messages/${visitor.id}?limit=200`);
      await open(page, `connections?visitor=${visitor.id}`);
      await says(keyed(page, socket.connection_id), { State: "Open", "In flight": whole(socket.in_flight), Errors: socket.errors, From: new RegExp(`^${socket.address.replaceAll(".", "\\.")}`) });
      must(socket.errors === 1, "the nonsense was not counted");
      const known = (await api(page, `/admin/visitors?text=${visitor.id}`)).items[0];
      await open(page, `visitors?text=${visitor.id}`);
      await says(keyed(page, visitor.id), { State: "here", Sessions: whole(known.sessions), Pending: whole(owed), Sockets: known.connections, Expired: known.expired_frames });
      must(known.pending_count === owed && owed === frames.length && owed > 10, `${known.pending_count} and ${owed} are owed, ${frames.length} listed`);
      await open(page, `messages/${visitor.id}`);
      await says(page.locator(`.grid tbody tr[data-key="${frames.at(-1).sequence}"]`), { Sequence: whole(frames.at(-1).sequence), Type: "Agent completed", Size: BYTES, Attempts: /^\d+$/ });
      must(await page.locator(".grid tbody tr").count() === Math.min(50, owed), "another number of frames than the API's");
      await open(page, "messages");
      await says(keyed(page, visitor.id), { Pending: whole(owed), "Visitor is": "connected" });
    }
  },
  async "a red number opens the events behind it"(page) {
    const [visitor] = world.visitors;
    await open(page, `connections?visitor=${visitor.id}`);
    await page.click(".grid a.red");
    await page.waitForSelector("main h1:text-is('Events')", WAIT);
    await settled(page);
    const { items } = await api(page, `/admin/events?kind=refused&visitor=${visitor.id}`);
    must(items.length === 1 && items[0].code === "unknown_type", JSON.stringify(items));
    await until("the event is shown alone", async () => await page.locator(".grid tbody tr").count() === 1 && (await page.textContent(".grid tbody tr")).includes("unknown_type"));
    await open(page, "overview");
    await page.waitForSelector(".tile", WAIT);
    for (const one of await page.locator(".tile[data-tone], .trouble .page-acts a").all()) must((await one.getAttribute("href"))?.startsWith("#/"), `${await one.textContent()} opens nothing`);
  },
  async "when the load is over, nothing was lost, and every figure stands still and is the API's"(page) {
    const results = await world.load.stop();
    await until("the sockets of the load are gone", async () => (await api(page, "/admin/connections")).items.length === world.visitors.length);
    const stats = await api(page, "/example-messages/stats");
    must(stats.sessions.ended.completed >= results, `${stats.sessions.ended.completed} results are counted, ${results} were received by the load alone`);
    await open(page, "overview");
    for (const [name, wanted] of [["Connections", world.visitors.length], ["Pending", stats.sequencing.pending], ["Processing", 0]]) {
      await until(`${name} stands still`, async () => (number(await value(page, name)) === wanted ? true : `${await value(page, name)}, not ${wanted}`));
    }
    await open(page, "business");
    const { business } = await api(page, "/example-messages/stats");
    const shown = (await page.locator(".funnel-count").allTextContents()).map(number);
    must(shown.join() === business.funnel.map((step) => step.count).join(), `the funnel shows ${shown}`);
    must((await value(page, "Completion")).startsWith(String(Number((business.completion * 100).toPrecision(3)))), `completion is ${business.completion}, shown ${await value(page, "Completion")}`);
    const asked = business.by.filter((one) => Object.values(one.counts).some((n) => n > 0));
    await until("every kind of question has its row", async () => await page.locator(".grid tbody tr").count() === asked.length);
    for (const one of asked) await says(keyed(page, `${one.category} ${one.business_value}`), { Asked: whole(one.counts.message), Results: whole(one.counts.result) });
  },
};
