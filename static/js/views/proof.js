// The proof strip: a thin line of every frame of a run, and a verdict that is counted, not asserted.

import { h, svg, show } from "../h.js";
import { clock, duration } from "../format.js";
import { isLive } from "../runs.js";
import { t } from "../words.js";

const WIDTH = 1000;
const HEIGHT = 22;

/** `of()` is the run that is shown. */
export function proofStrip(app, of) {
  const verdict = h("p", { class: "proof-verdict" });
  const line = h("div", { class: "proof-line" });
  const body = h("tbody", {});
  const cut = h("button", { class: "ghost", type: "button", onclick: () => app.cut() }, t("proof.cut"));
  const details = h("details", { class: "proof-details" }, h("summary", {}, t("proof.frames")),
    h("p", { class: "muted" }, t("proof.about")),
    h("div", { class: "table-box", tabindex: "0", role: "group", "aria-label": t("proof.table") },
      h("table", {}, h("caption", { class: "quiet" }, t("proof.table")),
        h("thead", {}, h("tr", {}, ["number", "frame", "stored", "received", "acknowledged", "copies"].map((name) => h("th", { scope: "col" }, t(`proof.${name}`))))), body)));
  const node = h("section", { class: "proof", "aria-label": t("proof.title") },
    h("div", { class: "proof-head" }, h("h2", {}, t("proof.title")), cut), line, verdict, details);
  details.addEventListener("toggle", update);

  function update() {
    const run = of();
    const proof = run.sessionId ? app.ledger.of(run.sessionId) : { rows: [] };
    node.hidden = proof.rows.length === 0;
    cut.hidden = !isLive(run) || !app.control();
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
  const strong = (n, name) => h("span", { class: n === 0 ? "zero" : "fault" }, t(name, { n }));
  const parts = [
    h("strong", {}, t("proof.counted", { n: proof.rows.length, acknowledged: proof.acknowledged })),
    strong(proof.lost, "proof.lost"), strong(proof.doubled, "proof.doubled"), strong(proof.outOfOrder, "proof.disorder"),
    t("proof.gap", { time: duration(proof.longestGapMs) }),
  ];
  if (proof.cuts) parts.push(t("proof.cuts", { n: proof.cuts }));
  if (proof.restarts) parts.push(t("proof.restarts", { n: proof.restarts }));
  if (proof.repeated) parts.push(t("proof.repeated", { n: proof.repeated }));
  if (proof.redrawn) parts.push(t("proof.redrawn", { n: proof.redrawn }));
  return parts.flatMap((part, n) => (n ? [" · ", part] : [part]));
}

/** Frames on a time line by when they were received: a gap is seen as a gap. */
function drawing(rows) {
  const begun = Math.min(...rows.map((r) => r.received));
  const span = Math.max(1, Math.max(...rows.map((r) => r.received)) - begun);
  const at = (row) => 4 + ((row.received - begun) / span) * (WIDTH - 8);
  return svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", "aria-label": t("proof.drawing", { n: rows.length, time: duration(span) }) },
    svg("line", { x1: 0, x2: WIDTH, y1: HEIGHT / 2, y2: HEIGHT / 2, class: "proof-axis" }),
    rows.map((row) => svg("rect", { x: at(row) - 1.5, y: row.copies > 1 ? 1 : 4, width: 3, height: row.copies > 1 ? HEIGHT - 2 : HEIGHT - 8, rx: 1.5,
      class: `proof-tick ${row.acknowledged === null ? "open" : ""}` }, svg("title", {}, `${row.sequence} ${row.type}`))));
}

function row(r) {
  return h("tr", {}, h("td", {}, String(r.sequence)), h("td", {}, r.type.replaceAll("_", " ")), h("td", {}, clock(r.stored)),
    h("td", {}, clock(r.received), r.redrawn ? h("span", { class: "chip" }, t("proof.before_reload")) : null),
    h("td", {}, r.acknowledged === null ? t("proof.not_yet") : clock(r.acknowledged)), h("td", {}, String(r.copies)));
}
