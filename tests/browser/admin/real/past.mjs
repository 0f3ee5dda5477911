// The log and the figures over time, as a running server has them.
import { must } from "../../kit.mjs";
import { WAIT, act, api, open, settled, until } from "../kit.mjs";

const BREAKER = "/example-messages/circuit-breaker";

export default {
  async "charts are drawn of what the server has kept, each with its table"(page) {
    const { series } = await api(page, "/admin/history?series=connections&range=1h");
    const highest = Math.max(...series.connections.map(([, , max]) => max));
    must(highest >= 1, "no connection was ever measured");
    await open(page, "overview?range=1h");
    await until("every chart is drawn", async () => await page.locator(".chart canvas:visible[aria-label]").count() === await page.locator(".chart").count());
    const chart = page.locator(".chart", { hasText: "Connections" }).first();
    await chart.locator("summary").click();
    await until("the highest value is in the table", async () => (await chart.locator("tbody").textContent()).includes(String(highest)));
  },
  async "the log shows what is done as it is done, and nothing else than was asked for"(page) {
    await open(page, "logs?target=emflow::supervisor");
    await act(page, "POST", `${BREAKER}/trip`, { name: "builtin", reason: "the log shows it" });
    await page.waitForSelector(".log-line:has-text('a breaker changed'):has-text('Tripped')", WAIT);
    await act(page, "POST", `${BREAKER}/reset`, { name: "builtin" });
    await page.waitForSelector(".log-line:has-text('Reset')", WAIT);
    await settled(page);
    const parts = await page.locator(".log-target").allTextContents();
    must(parts.every((part) => part.startsWith("emflow::supervisor")), `${new Set(parts)}`);
  },
};
