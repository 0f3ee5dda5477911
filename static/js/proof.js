// The ledger behind the proof strip: what this page really saw of each frame. Pure.
//
// It counts for itself and does not ask the link, so that a mistake there would show here.

const SEEN_MAX = 2_000;

export class Ledger {
  /** `seen`: `{epoch, at: {sequence: wallMs}}` of an earlier page of this tab, or null. */
  constructor(seen = null) {
    this.seen = seen ?? { epoch: null, at: {} };
    this.reset(this.seen.epoch);
  }

  /** A new history begins. */
  reset(epoch) {
    this.epoch = epoch;
    this.rows = new Map();
    this.order = [];
    this.wire = 0;
    this.cuts = [];
  }

  /** A frame was applied at `wall` (ms). */
  applied(frame, wall) {
    if (this.seen.epoch !== frame.epoch) this.seen = { epoch: frame.epoch, at: {} };
    const before = this.seen.at[frame.sequence];
    this.wire += 1;
    const row = this.rows.get(frame.sequence);
    this.order.push(frame.sequence);
    if (row) {
      row.appliedTimes += 1;
      return;
    }
    this.rows.set(frame.sequence, {
      sequence: frame.sequence, type: frame.type, sessionId: frame.session_id, epoch: frame.epoch,
      stored: Date.parse(frame.timestamp), received: before ?? wall, redrawn: before !== undefined,
      acknowledged: null, copies: 1, appliedTimes: 1,
    });
    if (before === undefined) this.#remember(frame.sequence, wall);
  }

  /** A frame came again and was not applied. */
  again(frame) {
    this.wire += 1;
    const row = this.rows.get(frame.sequence);
    if (row) row.copies += 1;
  }

  /** Everything up to `sequence` was acknowledged. */
  acked(sequence, wall) {
    for (let at = sequence; this.rows.get(at)?.acknowledged === null; at--) this.rows.get(at).acknowledged = wall;
  }

  /** The connection was lost. */
  cut(wall) {
    this.cuts.push(wall);
  }

  #remember(sequence, wall) {
    this.seen.at[sequence] = wall;
    const known = Object.keys(this.seen.at);
    if (known.length > SEEN_MAX) delete this.seen.at[known[0]];
  }

  /** The frames of one session and the verdict on them. */
  of(sessionId) {
    const rows = [...this.rows.values()].filter((row) => row.sessionId === sessionId).sort((a, b) => a.sequence - b.sequence);
    return { rows, ...verdict(rows, this) };
  }
}

/** Lost, doubled and out of order are counted between the first and the last frame of the session. */
function verdict(rows, ledger) {
  const first = rows[0]?.sequence ?? 1;
  const last = rows.at(-1)?.sequence ?? 0;
  let lost = 0;
  for (let at = first; at <= last; at++) lost += ledger.rows.has(at) ? 0 : 1;
  const order = ledger.order.filter((sequence) => sequence >= first && sequence <= last);
  const received = rows.map((row) => row.received).sort((a, b) => a - b);
  const gaps = received.slice(1).map((at, n) => at - received[n]);
  const begun = received[0];
  const ended = received.at(-1);
  return {
    lost,
    doubled: rows.filter((row) => row.appliedTimes > 1).length,
    outOfOrder: order.filter((sequence, n) => n > 0 && sequence < order[n - 1]).length,
    repeated: rows.reduce((sum, row) => sum + row.copies - 1, 0),
    redrawn: rows.filter((row) => row.redrawn).length,
    acknowledged: rows.filter((row) => row.acknowledged !== null).length,
    longestGapMs: gaps.length ? Math.round(Math.max(...gaps)) : 0,
    // Each attempt at a session begins with this frame: a second one tells of a restart of the server.
    restarts: Math.max(0, rows.filter((row) => row.type === "processing_started").length - 1),
    cuts: ledger.cuts.filter((at) => at >= begun && at <= ended).length,
  };
}
