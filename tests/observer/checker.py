#!/usr/bin/env python3
"""Judges a whole history of what clients saw: what was promised, was it kept?

    checker.py HISTORY.jsonl...        exit 0 no violation, 1 violations, 2 cannot run

One pass, O(n). The lines of all parties are merged by their CLOCK_MONOTONIC, so
they must come from one machine. Events, all with `t` (ns), `ev` and `user`:

  invoke/ok/fail/unknown  mid, conn; ok: session, duplicate      the producer's side of a submit
  open                    conn, asked, epoch, recovered, last_sequence, acknowledged_sequence, oldest_sequence
  frame                   conn, epoch, seq, sha, type, session, mid (of processing_started), resumed
  apply                   epoch, seq                             the application took it
  ack                     epoch, seq                             the client acknowledged up to it
  close                   conn, code
  fault                   kind (no user)                         kill, power, cut
  stall                   lag (ns; no user)                      the clients were kept from reading for so long
  gap                     epoch, from, to                        an administrator purged, or frames expired
  cleanup                                                        an administrator cleaned the visitor up
  replay                  epoch, seq, sha                        what a last_sequence=0 brought at the end
  audit                   epoch, last, acked, oldest             after the quiet phase
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from dataclasses import dataclass, field

ENDINGS = {"agent_completed", "error", "session_cancelled", "session_expired"}
SECOND = 1_000_000_000
SOCKETS_PER_VISITOR = 8
RETRIES = 3
# A frame may already be on its way to a socket that is being replaced.
REPLACED_GRACE = 1 * SECOND
# A stall is written down when it is over, about when what came meanwhile is read.
STALL_NEAR = 1 * SECOND


@dataclass
class Conn:
    name: str
    start: int
    opened: int
    last: int | None = None
    acked: int = 0
    replaced_at: int | None = None
    first_sent: dict = field(default_factory=dict)
    stepped_back: Counter = field(default_factory=Counter)


@dataclass
class Session:
    mid: str | None = None
    last: int = 0
    started: int = 0
    ended_at: int | None = None
    delivered_end: bool = False


@dataclass
class User:
    epoch: object = None
    app_last: dict = field(default_factory=dict)
    highest: dict = field(default_factory=dict)
    acked: dict = field(default_factory=dict)
    told_acked: dict = field(default_factory=dict)
    digests: dict = field(default_factory=dict)
    replayed: set = field(default_factory=set)
    conns: dict = field(default_factory=dict)
    order: list = field(default_factory=list)
    invoked: set = field(default_factory=set)
    waiting: dict = field(default_factory=dict)
    session_of: dict = field(default_factory=dict)
    fresh: Counter = field(default_factory=Counter)
    sessions: dict = field(default_factory=dict)
    gaps: list = field(default_factory=list)
    ends: dict = field(default_factory=dict)
    cleaned: bool = False
    audit: dict | None = None


class Checker:
    """Feed it events in the order of time, then `finish`; `violations` is the verdict."""

    def __init__(self, ack_timeout=5.0, keeps_all=True):
        # False where acknowledged frames may be forgotten: the run is longer than their retention.
        self.keeps_all = keeps_all
        # The first repetition on a socket may come a little early, never much.
        self.patience = int(ack_timeout * 0.8 * SECOND)
        self.users: dict[str, User] = {}
        self.owner: dict[str, str] = {}
        self.violations: list[tuple[str, str]] = []
        self.counts: Counter = Counter()
        self.stalls: list[tuple[int, int]] = []

    def blame(self, rule: str, text: str):
        self.violations.append((rule, text))

    def feed(self, event: dict):
        self.counts[event["ev"]] += 1
        if event["ev"] == "stall":
            self.stalls.append((event["t"], event["lag"]))
        if "user" in event:
            user = self.users.setdefault(event["user"], User())
            getattr(self, "on_" + event["ev"])(event["user"], user, event)

    # The producer's side.

    def on_invoke(self, _name, user: User, event):
        if event["mid"] not in user.invoked:
            user.waiting[event["mid"]] = event["conn"]
        user.invoked.add(event["mid"])

    def on_ok(self, name, user: User, event):
        mid, session = event["mid"], event["session"]
        user.waiting.pop(mid, None)
        known = user.session_of.setdefault(mid, session)
        if known != session:
            self.blame("dedup", f"{name}: {mid} has the sessions {known} and {session}")
        if not event["duplicate"]:
            user.fresh[mid] += 1
            if user.fresh[mid] > 1:
                self.blame("dedup", f"{name}: {mid} was accepted as new twice")
        self.session(name, user, session).mid = mid

    def on_fail(self, _name, user: User, event):
        user.waiting.pop(event["mid"], None)

    on_unknown = on_fail

    def session(self, name, user: User, session) -> Session:
        owner = self.owner.setdefault(session, name)
        if owner != name:
            self.blame("isolation", f"session {session} of {owner} was seen by {name}")
        return user.sessions.setdefault(session, Session())

    # The wire.

    def on_open(self, name, user: User, event):
        epoch, oldest = event["epoch"], event["oldest_sequence"]
        acked, last = event["acknowledged_sequence"], event["last_sequence"]
        if user.epoch is not None and (epoch != user.epoch or not event["recovered"]) and not user.cleaned:
            self.blame("epoch", f"{name}: recovered={event['recovered']}, {user.epoch} became {epoch}, and nobody cleaned up")
        user.epoch, user.cleaned = epoch, False
        self.check_memory(name, user, epoch, last, acked, oldest)
        start = acked + 1 if event["asked"] is None else event["asked"] + 1
        if event["asked"] == 0 or not event["recovered"]:
            start = oldest
        if start > user.app_last.setdefault(epoch, start - 1) + 1 and event["asked"] is not None:
            self.blame("order", f"{name}: asked for {start} after applying {user.app_last[epoch]}")
        user.conns[event["conn"]] = Conn(event["conn"], start, event["t"])
        user.order.append(event["conn"])
        if len(user.order) > SOCKETS_PER_VISITOR:
            user.conns[user.order.pop(0)].replaced_at = event["t"]

    def check_memory(self, name, user: User, epoch, last, acked, oldest):
        """What the server says of itself against what clients saw and sent before."""
        seen = user.highest.get(epoch, 0)
        if last < seen:
            self.blame("forgotten", f"{name}: {seen} was seen, the server knows {last} only")
        if acked > user.acked.get(epoch, 0):
            self.blame("acknowledged", f"{name}: {acked} counts as acknowledged, {user.acked.get(epoch, 0)} was sent")
        if acked < user.told_acked.get(epoch, 0):
            self.blame("acknowledged", f"{name}: acknowledged went back from {user.told_acked[epoch]} to {acked}")
        user.told_acked[epoch] = max(acked, user.told_acked.get(epoch, 0))
        first = 1 if self.keeps_all else user.acked.get(epoch, 0) + 1
        for missing in range(first, min(oldest, first + 1000)):
            if not self.excused(user, epoch, missing):
                self.blame("forgotten", f"{name}: {missing} is no longer held, oldest is {oldest}")
                break

    @staticmethod
    def excused(user: User, epoch, sequence) -> bool:
        return any(e == epoch and low <= sequence <= high for e, low, high in user.gaps)

    def on_frame(self, name, user: User, event):
        key, seq = (event["epoch"], event["seq"]), event["seq"]
        self.check_bytes(name, user, key, event["sha"])
        user.highest[event["epoch"]] = max(seq, user.highest.get(event["epoch"], 0))
        session = self.session(name, user, event["session"])
        conn = user.conns.get(event["conn"])
        if conn is None:
            return self.blame("wire", f"{name}: a frame on the closed socket {event['conn']}")
        if conn.replaced_at is not None and event["t"] > conn.replaced_at + REPLACED_GRACE:
            self.blame("takeover", f"{name}: {seq} on {conn.name}, which was replaced")
        self.check_wire_order(name, user, conn, event)
        self.check_session(name, user, conn, session, event)

    def check_bytes(self, name, user: User, key, sha):
        if user.digests.setdefault(key, sha) != sha:
            self.blame("bytes", f"{name}: {key} has two contents")

    def check_wire_order(self, name, user: User, conn: Conn, event):
        """Rising by one, or a step back to the oldest unacknowledged after the timeout."""
        seq, now = event["seq"], event["t"]
        if conn.last is None:
            if seq != conn.start and not (seq <= user.acked.get(event["epoch"], 0) + 1):
                self.blame("wire", f"{name}: {conn.name} starts with {seq}, not {conn.start}")
        elif seq <= conn.last:
            conn.stepped_back[seq] += 1
            # What the client said it has was never sent here; its waiting began with the socket.
            first = conn.first_sent.get(seq, conn.opened)
            waited = now - first + self.read_late(first)
            if waited < self.patience or conn.stepped_back[seq] > RETRIES:
                self.blame("wire", f"{name}: {seq} after {conn.last} on {conn.name}, {waited / SECOND:.1f} s after "
                                   f"its first time, step {conn.stepped_back[seq]} back to it")
            self.counts["wire duplicates"] += 1
        # What was acknowledged on this very socket need not be sent on it any more.
        elif seq > max(conn.last, conn.acked) + 1:
            self.blame("wire", f"{name}: {seq} after {conn.last} on {conn.name}")
        conn.last = seq
        conn.first_sent.setdefault(seq, now)

    def read_late(self, at: int) -> int:
        """How long a frame read at that time may have lain unread: the server counts from when it was sent."""
        return max((lag for end, lag in self.stalls if abs(end - at) < STALL_NEAR), default=0)

    def check_session(self, name, user: User, conn: Conn, session: Session, event):
        seq = event["seq"]
        if event["type"] == "processing_started":
            mid = event["mid"]
            session.mid = session.mid or mid
            known = user.session_of.setdefault(mid, event["session"])
            if mid not in user.invoked:
                self.blame("phantom", f"{name}: {mid} was never sent")
            if known != event["session"]:
                self.blame("dedup", f"{name}: {mid} has the sessions {known} and {event['session']}")
            if seq > session.last and session.started and not event["resumed"]:
                self.blame("dedup", f"{name}: {event['session']} started twice and not as resumed")
            session.started += 1
        elif session.mid is None and seq > 1 and not session.started:
            self.blame("phantom", f"{name}: {event['session']} is of no message")
        if session.mid and user.waiting.get(session.mid) == conn.name:
            self.blame("early", f"{name}: {seq} of {session.mid} came before it was accepted")
        session.last = max(session.last, seq)
        self.check_ending(name, session, event)

    def check_ending(self, name, session: Session, event):
        seq = event["seq"]
        if session.ended_at is not None and seq > session.ended_at:
            self.blame("ends", f"{name}: {event['type']} {seq} after the end of {event['session']} at {session.ended_at}")
        if event["type"] in ENDINGS and session.ended_at is None:
            session.ended_at = seq
        user = self.users[name]
        user.ends[(event["epoch"], seq)] = event["session"] if event["type"] in ENDINGS else None

    def on_apply(self, name, user: User, event):
        epoch, seq = event["epoch"], event["seq"]
        last = user.app_last.setdefault(epoch, 0)
        if seq <= last:
            self.blame("applied twice", f"{name}: {seq} again after {last}")
        elif seq != last + 1 and not all(self.excused(user, epoch, n) for n in range(last + 1, seq)):
            self.blame("order", f"{name}: applied {seq} after {last}")
        user.app_last[epoch] = max(seq, last)
        ended = user.ends.get((epoch, seq))
        if ended:
            user.sessions[ended].delivered_end = True

    def on_ack(self, _name, user: User, event):
        if event["conn"] in user.conns:
            conn = user.conns[event["conn"]]
            conn.acked = max(event["seq"], conn.acked)
        user.acked[event["epoch"]] = max(event["seq"], user.acked.get(event["epoch"], 0))

    def on_close(self, _name, user: User, event):
        user.conns.pop(event["conn"], None)
        if event["conn"] in user.order:
            user.order.remove(event["conn"])

    # The administrator's side, and the end.

    def on_gap(self, _name, user: User, event):
        user.gaps.append((event["epoch"], event["from"], event["to"]))

    def on_cleanup(self, _name, user: User, _event):
        user.cleaned = True

    def on_replay(self, name, user: User, event):
        self.check_bytes(name, user, (event["epoch"], event["seq"]), event["sha"])
        user.replayed.add((event["epoch"], event["seq"]))

    def on_audit(self, name, user: User, event):
        user.audit = event
        self.check_memory(name, user, event["epoch"], event["last"], event["acked"], event["oldest"])

    def finish(self):
        for name, user in self.users.items():
            self.finish_messages(name, user)
            if user.audit is None:
                self.blame("audit", f"{name}: no audit in the history")
                continue
            epoch, last = user.audit["epoch"], user.audit["last"]
            if user.app_last.get(epoch, 0) != last:
                self.blame("lost", f"{name}: applied up to {user.app_last.get(epoch, 0)} of {last}")
            if user.audit["acked"] != last:
                self.blame("pending", f"{name}: {last - user.audit['acked']} pending after the quiet phase")
            missing = [n for n in range(user.audit["oldest"], last + 1) if (epoch, n) not in user.replayed]
            if missing:
                self.blame("forgotten", f"{name}: {len(missing)} frames do not come again, first {missing[0]}")

    def finish_messages(self, name, user: User):
        for mid, session in user.session_of.items():
            if not user.sessions[session].delivered_end:
                self.blame("lost", f"{name}: {mid} was accepted and never ended")


def judge(events: list[dict], ack_timeout=5.0, keeps_all=True) -> Checker:
    checker = Checker(ack_timeout, keeps_all)
    for event in sorted(events, key=lambda e: e["t"]):
        checker.feed(event)
    checker.finish()
    return checker


def verdict(checker: Checker) -> int:
    """Prints the counts and up to three examples a rule; the exit code."""
    rules = Counter(rule for rule, _ in checker.violations)
    print("events: " + ", ".join(f"{n} {ev}" for ev, n in sorted(checker.counts.items())))
    for rule, count in rules.items():
        print(f"VIOLATION {rule}: {count}")
        for text in [text for one, text in checker.violations if one == rule][:3]:
            print(f"  {text}")
    print(f"{sum(rules.values())} violations")
    return 1 if rules else 0


def main(paths: list[str]) -> int:
    if not paths:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        events = [json.loads(line) for path in paths for line in open(path, encoding="utf-8")]
    except (OSError, ValueError) as reason:
        print(f"cannot run: {reason}", file=sys.stderr)
        return 2
    return verdict(judge(events))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
