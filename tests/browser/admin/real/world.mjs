// What the checks against a real server share: its load, its hostile visitors, and coming in.
import { once } from "node:events";
import { connect } from "node:net";
import { expecting, must, url } from "../../kit.mjs";
import { PASSWORD, WAIT, remember } from "../kit.mjs";
import { Load } from "../load.mjs";
import { EVIL } from "../../corpus.mjs";
import { visitor } from "../visitors.mjs";

/** `visitors`: acknowledge nothing, so that what they are owed stays as it is. `answered`: their sessions that have ended. */
export const world = { load: null, visitors: [], answered: [], down };

/** Kills the server, and answers what starts it again on the same data; both by the port on which who runs this listens. */
async function down() {
  const line = connect(Number(process.env.EMFLOW_CONTROL), "127.0.0.1");
  const order = async (word) => {
    line.write(`${word}\n`);
    await once(line, "data");
  };
  await order("down");
  return async () => {
    await order("up");
    line.end();
  };
}

export default {
  async "the administrator comes in, and visitors with hostile words beside a load"(page) {
    await remember(page);
    await expecting(/status of 401/, async () => {
      await page.goto(new URL("/admin/", url).href);
      await page.fill("#password", PASSWORD);
    });
    await page.click(".login-card [type=submit]");
    await page.waitForSelector("nav.nav", WAIT);
    world.load = new Load({ binary: process.env.EMFLOW_BINARY, authority: process.env.EMFLOW_CA });
    for (const n of [0, 1, 2]) {
      const one = await visitor(page.context().browser(), n);
      world.visitors.push(one);
      for (const at of [n, n + 4]) {
        const session = await one.ask(at);
        world.answered.push({ session, visitor: one, title: EVIL[at % EVIL.length] });
      }
      await one.nonsense();
    }
    for (const { session, visitor: one } of world.answered) must(await one.ended(session) === "agent_completed", `${session} has no result`);
  },
};
