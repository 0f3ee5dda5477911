// The proof strip: a thin line of every frame of a run, and a verdict that is counted, not asserted.

import { h, svg, show } from "../h.js";
import { clock, duration } from "../format.js";
import { isLive } from "../runs.js";

const WIDTH = 1000;
const HEIGHT = 22;

export function proofStrip(app, run) {
  const verdict = h("p", { class: "proof-verdict" });
  const line = h("div", { class: "proof-line" });
  const body = h("tbody", {});
  const cut = h("button", { class: "ghost", type: "button", onclick: () => app.cut() }, "Cut this connection");
  const details = h("details", { class: "proof-details" }, h("summary", {}, "Every frame"),
    h("p", { class: "muted" }, "Stored is the server's clock, received and acknowledged are this browser's. A frame that came again was counted and not applied a second time."),
    h("div", { class: "table-box", tabindex: "0", role: "group", "aria-label": "Frames of this run" },
      h("table", {}, h("caption", { class: "quiet" }, "Frames of this run"),
        h("thead", {}, h("tr", {}, ["#", "Frame", "Stored", "Received", "Acknowledged", "Copies"].map((name) => h("th", { scope: "col" }, name)))), body)));
  const node = h("section", { class: "proof", "aria-label": "Proof of delivery" },
    h("div", { class: "proof-head" }, h("h2", {}, "Proof of delivery"), cut), line, verdict, details);
  details.addEventListener("toggle", update);

  function update() {
    const proof = run.sessionId ? app.ledger.of(run.sessionId) : { rows: [] };
    node.hidden = proof.rows.length === 0;
    cut.hidden = !isLive(run);
    if (node.hidden) return;
    show(line, drawing(proof.rows));
    show(verdict, words(proof));
    node.dataset.clean = String(proof.lost + proof.doubled + proof.outOfOrder === 0);
    Object.assign(verdict.dataset, { lost: proof.lost, doubled: proof.doubled, disorder: proof.outOfOrder, frames: proof.rows.length, acknowledged: proof.acknowledged,
      gap: proof.longestGapMs, restarts: proof.restarts });
    if (details.open) show(body, proof.rows.map(row));
  }
  return { node, update };
}

function words(proof) {
  const strong = (n, label) => h("span", { class: n === 0 ? "zero" : "fault" }, `${label} ${n}`);
  const parts = [
    h("strong", {}, `${proof.rows.length} frames stored and received, ${proof.acknowledged} acknowledged`),
    strong(proof.lost, "lost"), strong(proof.doubled, "doubled"), strong(proof.outOfOrder, "out of order"),
    `longest gap ${duration(proof.longestGapMs)}`,
  ];
  if (proof.cuts) parts.push(`${proof.cuts} cut${proof.cuts === 1 ? "" : "s"} of the connection survived`);
  if (proof.restarts) parts.push(`${proof.restarts} restart${proof.restarts === 1 ? "" : "s"} of the server survived`);
  if (proof.repeated) parts.push(`${proof.repeated} came twice on the wire, applied once`);
  if (proof.redrawn) parts.push(`${proof.redrawn} drawn again after a reload`);
  return parts.flatMap((part, n) => (n ? [" · ", part] : [part]));
}

/** Frames on a time line by when they were received: a gap is seen as a gap. */
function drawing(rows) {
  const begun = Math.min(...rows.map((r) => r.received));
  const span = Math.max(1, Math.max(...rows.map((r) => r.received)) - begun);
  const at = (row) => 4 + ((row.received - begun) / span) * (WIDTH - 8);
  return svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", "aria-label": `${rows.length} frames over ${duration(span)}` },
    svg("line", { x1: 0, x2: WIDTH, y1: HEIGHT / 2, y2: HEIGHT / 2, class: "proof-axis" }),
    rows.map((row) => svg("rect", { x: at(row) - 1.5, y: row.copies > 1 ? 1 : 4, width: 3, height: row.copies > 1 ? HEIGHT - 2 : HEIGHT - 8, rx: 1.5,
      class: `proof-tick ${row.acknowledged === null ? "open" : ""}` }, svg("title", {}, `${row.sequence} ${row.type}`))));
}

function row(r) {
  return h("tr", {}, h("td", {}, String(r.sequence)), h("td", {}, r.type.replaceAll("_", " ")), h("td", {}, clock(r.stored)),
    h("td", {}, clock(r.received), r.redrawn ? h("span", { class: "chip" }, "before the reload") : null),
    h("td", {}, r.acknowledged === null ? "not yet" : clock(r.acknowledged)), h("td", {}, String(r.copies)));
}
