#!/usr/bin/env python3
"""Is the checker to be trusted? It must find eight planted bugs and raise no false alarm.

    qualify.py [--seeds N]             exit 0 qualified, 1 not

A small simulated server with a disk, and clients that crash and come back, write
histories in the checker's form. Each bug is what such servers really get wrong.
Then each rule must see one change made by hand in a clean history.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import sys
from collections import Counter
from dataclasses import dataclass, field

from checker import SECOND, judge

# Each with the rule that must find it: another rule's alarm may be luck.
BUGS = {
    # What was accepted or shown is written only later; a killed process loses it.
    "ack before flush": "forgotten",
    # What was written is in the page cache; a power cut loses it.
    "missing fdatasync": "forgotten",
    # A frame is dropped once it was sent.
    "delete before ack": "forgotten",
    # After a restart counting goes on at the last acknowledged.
    "sequence reuse after crash": "bytes",
    # What is due goes out newest first.
    "window sent backwards": "wire",
    # After a restart a message sent again starts a second session.
    "dedup not persisted": "dedup",
    # A full queue makes room by forgetting its oldest frame.
    "queue drops oldest": "forgotten",
    # The replaced socket still gets every frame.
    "takeover leaves old socket live": "takeover",
}
WINDOW, QUEUE, STEPS = 16, 12, 8
ACK_TIMEOUT = 5 * SECOND


@dataclass
class State:
    """What a server holds of one visitor."""

    frames: list = field(default_factory=list)
    dropped: set = field(default_factory=set)
    acked: int = 0
    session_of: dict = field(default_factory=dict)
    sessions: dict = field(default_factory=dict)  # id -> [mid, steps done, ended]

    def copy(self) -> "State":
        sessions = {session: list(facts) for session, facts in self.sessions.items()}
        return State(list(self.frames), set(self.dropped), self.acked, dict(self.session_of), sessions)


@dataclass
class Socket:
    name: str
    cursor: int
    sent_at: int = 0
    live: bool = True
    retried: int = 0


@dataclass
class Visitor:
    name: str
    memory: State = field(default_factory=State)
    written: State = field(default_factory=State)
    synced: State = field(default_factory=State)
    sockets: list = field(default_factory=list)
    last: int = 0
    open_mids: list = field(default_factory=list)
    known: bool = False


class Simulation:
    """Seeded; `bug` is one of BUGS or None."""

    def __init__(self, seed: int, bug: str | None):
        self.random, self.bug = random.Random(seed), bug
        self.now, self.number, self.events = 0, 0, []
        self.visitors = [Visitor(f"v{n}") for n in range(3)]

    def fresh(self, prefix: str) -> str:
        self.number += 1
        return f"{prefix}{self.number}"

    def add(self, ev: str, **facts):
        self.now += self.random.randint(1, SECOND // 500)
        self.events.append({"t": self.now, "ev": ev, **facts})

    # The disk.

    def commit(self, visitor: Visitor):
        if self.bug == "ack before flush" and self.random.random() < 0.9:
            return
        visitor.written = visitor.memory.copy()
        if self.bug == "missing fdatasync" and self.random.random() < 0.9:
            return
        visitor.synced = visitor.written.copy()

    def crash(self, kind: str):
        self.add("fault", kind=kind)
        for visitor in self.visitors:
            for socket in visitor.sockets:
                self.add("close", user=visitor.name, conn=socket.name, code=None)
            visitor.sockets = []
            visitor.memory = (visitor.written if kind == "kill" else visitor.synced).copy()
            state = visitor.memory
            if self.bug == "sequence reuse after crash":
                state.frames = state.frames[: state.acked]
            if self.bug == "dedup not persisted":
                state.session_of = {}
            visitor.written, visitor.synced = state.copy(), state.copy()
            for session in [s for s, (_, done, ended) in state.sessions.items() if done and not ended]:
                self.emit(visitor, session, "processing_started", resumed=True)

    # The server.

    def emit(self, visitor: Visitor, session: str, kind: str, resumed=False):
        state, mid = visitor.memory, visitor.memory.sessions[session][0]
        content = f"{session} {kind} {self.fresh('x')}"
        state.frames.append({"sha": hashlib.sha256(content.encode()).hexdigest(), "type": kind, "session": session,
                             "mid": mid if kind == "processing_started" else None, "resumed": resumed})
        if self.bug == "queue drops oldest":
            pending = [n for n in range(state.acked + 1, len(state.frames) + 1) if n not in state.dropped]
            if len(pending) > QUEUE:
                state.dropped.add(pending[0])
        self.commit(visitor)

    def work(self, visitor: Visitor):
        for session, facts in visitor.memory.sessions.items():
            if not facts[2] and self.random.random() < 0.5:
                kind = "processing_started" if facts[1] == 0 else "agent_thinking"
                facts[1] += 1
                facts[2] = facts[1] > STEPS
                self.emit(visitor, session, "agent_completed" if facts[2] else kind)

    def deliver(self, visitor: Visitor):
        state = visitor.memory
        for socket in visitor.sockets:
            low = state.acked
            if socket.cursor > low and self.now - socket.sent_at > ACK_TIMEOUT and socket.retried < 3:
                socket.cursor, socket.retried = low, socket.retried + 1
            due = [n for n in range(socket.cursor + 1, min(len(state.frames), max(low, socket.cursor - WINDOW) + WINDOW) + 1)
                   if n not in state.dropped]
            if not due:
                continue
            for n in reversed(due) if self.bug == "window sent backwards" else due:
                if socket.live or self.bug == "takeover leaves old socket live":
                    self.show(visitor, socket, n)
            socket.cursor, socket.sent_at = due[-1], self.now
            if self.bug == "delete before ack":
                state.dropped.update(due)

    # The clients.

    def show(self, visitor: Visitor, socket: Socket, n: int):
        facts = dict(user=visitor.name, conn=socket.name, epoch=1, seq=n)
        self.add("frame", **facts, **visitor.memory.frames[n - 1])
        if n == visitor.last + 1:
            self.add("apply", **facts)
            visitor.last = n

    def connect(self, visitor: Visitor):
        state, name = visitor.memory, self.fresh("c")
        asked = visitor.last if visitor.known else None
        visitor.known = True
        self.add("open", user=visitor.name, conn=name, asked=asked, epoch=1, recovered=True,
                 last_sequence=len(state.frames), acknowledged_sequence=state.acked, oldest_sequence=1)
        visitor.sockets.append(Socket(name, state.acked if asked is None else asked, self.now))
        live = [socket for socket in visitor.sockets if socket.live]
        if len(live) > 8:
            live[0].live = False
            self.now += 2 * SECOND
            if self.bug != "takeover leaves old socket live":
                self.disconnect(visitor, live[0], 4502)

    def disconnect(self, visitor: Visitor, socket: Socket, code=None):
        self.add("close", user=visitor.name, conn=socket.name, code=code)
        visitor.sockets.remove(socket)

    def submit(self, visitor: Visitor, mid: str):
        """An answer that is lost on the way leaves the client not knowing; it asks again later."""
        state, facts = visitor.memory, dict(user=visitor.name, conn=visitor.sockets[-1].name, mid=mid)
        self.add("invoke", **facts)
        if mid not in visitor.open_mids:
            visitor.open_mids.append(mid)
        duplicate = mid in state.session_of
        if not duplicate:
            session = self.fresh("s")
            state.session_of[mid] = session
            state.sessions[session] = [mid, 0, False]
            self.commit(visitor)
        if self.random.random() < 0.1:
            return self.add("unknown", **facts)
        self.add("ok", **facts, session=state.session_of[mid], duplicate=duplicate)
        if self.random.random() < 0.5:
            visitor.open_mids.remove(mid)

    def acknowledge(self, visitor: Visitor):
        if visitor.last > visitor.memory.acked:
            self.add("ack", user=visitor.name, conn="", epoch=1, seq=visitor.last)
            visitor.memory.acked = min(visitor.last, len(visitor.memory.frames))
            for socket in visitor.sockets:
                socket.retried, socket.sent_at = 0, self.now
            self.commit(visitor)

    def step(self, visitor: Visitor):
        if not visitor.sockets:
            self.connect(visitor)
        chance = self.random.random()
        if chance < 0.1:
            self.submit(visitor, self.fresh("m"))
        elif chance < 0.2 and visitor.open_mids:
            self.submit(visitor, self.random.choice(visitor.open_mids))
        elif chance < 0.4:
            self.connect(visitor)
        elif chance < 0.42:
            self.disconnect(visitor, self.random.choice(visitor.sockets))
        elif chance < 0.43:
            self.now += ACK_TIMEOUT + SECOND
        self.work(visitor)
        self.deliver(visitor)
        if self.random.random() < 0.3:
            self.acknowledge(visitor)

    def drain(self, visitor: Visitor):
        for socket in list(visitor.sockets):
            self.disconnect(visitor, socket)
        self.connect(visitor)
        for mid in list(visitor.open_mids):
            self.submit(visitor, mid)
        for _ in range(300):
            self.work(visitor)
            self.deliver(visitor)
            self.acknowledge(visitor)
        state = visitor.memory
        for n, frame in enumerate(state.frames, 1):
            if n not in state.dropped:
                self.add("replay", user=visitor.name, epoch=1, seq=n, sha=frame["sha"])
        self.add("audit", user=visitor.name, epoch=1, last=len(state.frames), acked=state.acked, oldest=1)

    def run(self) -> list[dict]:
        for turn in range(200):
            for visitor in self.visitors:
                self.step(visitor)
            if turn % 40 == 39:
                self.crash("kill" if turn % 80 == 39 else "power")
        for visitor in self.visitors:
            self.drain(visitor)
        return self.events


def first(events, ev: str, skip=20, **facts) -> int:
    """Where the event after the first `skip` of its kind stands."""
    found = [i for i, e in enumerate(events) if e["ev"] == ev and all(e.get(k) == v for k, v in facts.items())]
    return found[min(skip, len(found) - 1)]


def moved_before(events, i: int, j: int):
    """The event at `i` takes place before the one at `j`."""
    events.insert(j, {**events.pop(i), "t": events[j]["t"] - 1})


def early(events):
    """A frame of a message comes between its submit and the answer, on the socket that sent it."""
    for i, start in enumerate(events):
        if start["ev"] == "frame" and start["type"] == "processing_started" and start["seq"] > 1 and not start["resumed"]:
            answers = [j for j in range(i) if events[j]["ev"] == "ok" and events[j]["mid"] == start["mid"]]
            if answers and events[answers[0]]["conn"] == start["conn"]:
                return moved_before(events, i, answers[0])


def again(events, i: int, **changes):
    events.insert(i + 1, {**events[i], **changes, "t": events[i]["t"] + 1})


# One change in a clean history, and the rule that must see it.
TAMPERED = {
    "early": early,
    "isolation": lambda events: again(events, first(events, "frame"), user="v9"),
    "applied twice": lambda events: again(events, first(events, "apply")),
    "order": lambda events: events.pop(first(events, "apply")),
    "bytes": lambda events: again(events, first(events, "frame"), sha="0"),
    "epoch": lambda events: events[first(events, "open")].update(recovered=False),
    "acknowledged": lambda events: events[first(events, "open")].update(acknowledged_sequence=10**6),
    "pending": lambda events: events[first(events, "audit")].update(acked=0),
    "ends": lambda events: again(events, first(events, "frame", type="agent_completed"), seq=10**6),
    "phantom": lambda events: events[first(events, "frame", type="processing_started")].update(mid="none"),
    "lost": lambda events: events.pop(first(events, "apply", skip=10**6)),
    "forgotten": lambda events: events.pop(first(events, "replay")),
    "audit": lambda events: events.pop(first(events, "audit")),
}


def tampered(rule: str) -> bool:
    events = Simulation(1, None).run()
    TAMPERED[rule](events)
    return rule in {found for found, _ in judge(events).violations}


# Seconds after which a frame came again, a stall of the clients (its end, its length), and whether that is too early.
REPEATED = [(5.0, None, False), (3.5, None, True), (3.5, (0.1, 1.0), False), (3.5, (2.0, 1.0), True), (1.0, (0.1, 1.0), True)]


def judged_early(after: float, stall) -> bool:
    """A frame on a socket, and again: the clients' own stall at its first time excuses what it explains."""
    facts = {"user": "v1", "conn": "c1", "epoch": 1}
    frame = {"ev": "frame", **facts, "seq": 1, "sha": "a", "type": "agent_thinking", "session": "s1", "mid": None, "resumed": None}
    events = [{"t": 0, "ev": "open", **facts, "asked": None, "recovered": True, "last_sequence": 0, "acknowledged_sequence": 0,
               "oldest_sequence": 1}, {"t": SECOND // 10, **frame}, {"t": int((0.1 + after) * SECOND), **frame}]
    if stall:
        events.append({"t": int(stall[0] * SECOND), "ev": "stall", "lag": int(stall[1] * SECOND)})
    return "wire" in {rule for rule, _ in judge(events).violations}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=20, help="clean histories, and histories a bug (default 20)")
    args = parser.parse_args()
    alarms = {seed: found for seed in range(args.seeds)
              if (found := judge(Simulation(seed, None).run()).violations)}
    for seed, found in alarms.items():
        print(f"  seed {seed}: {found[0]}")
    print(f"{'FAIL' if alarms else 'ok'} clean histories: expected 0 false alarms in {args.seeds} got {len(alarms)}")
    failed = int(bool(alarms))
    for bug, rule_for in BUGS.items():
        rules, missed = Counter(), []
        for seed in range(args.seeds):
            found = {rule for rule, _ in judge(Simulation(seed, bug).run()).violations}
            rules.update(found)
            missed += [] if rule_for in found else [seed]
        failed += bool(missed)
        how = ", ".join(f"{rule} {count}" for rule, count in rules.most_common())
        print(f"{'FAIL' if missed else 'ok'} planted: {bug}: expected {args.seeds} caught got {args.seeds - len(missed)} ({how})")
    for rule in TAMPERED:
        seen = tampered(rule)
        failed += not seen
        print(f"{'ok' if seen else 'FAIL'} rule {rule}: expected seen got {'seen' if seen else 'not seen'}")
    for after, stall, wrong in REPEATED:
        found = judged_early(after, stall)
        failed += found != wrong
        print(f"{'ok' if found == wrong else 'FAIL'} again after {after:g} s, stall {stall}: expected {wrong} got {found}")
    print(f"{len(BUGS) + len(TAMPERED) + len(REPEATED) + 1 - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
