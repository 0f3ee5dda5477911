"""Visitors who keep working through faults, and the audit of what they are left with."""

from __future__ import annotations

import asyncio
import random
import ssl
import time
from collections import Counter

from websockets.exceptions import InvalidHandshake, InvalidMessage, WebSocketException

from client import COST, Client, History, Mailbox, Visitor, new_id
from wire import Refused

LOST = (OSError, EOFError, ssl.SSLError, WebSocketException, InvalidHandshake, InvalidMessage, Refused,
        asyncio.TimeoutError, asyncio.IncompleteReadError, ValueError)
# What one visitor has in the works at once.
OUTSTANDING = 3
# How often the clients look whether they are kept from running, and from when on it is written down (s).
LAG_LOOK, LAG_TOLD = 0.05, 0.1


class Load:
    """One visitor. Submits, reads, acknowledges by its own policy, and comes back after every fault."""

    def __init__(self, target, visitor: Visitor, history: History, ack, seed: str):
        self.target, self.visitor, self.history, self.ack = target, visitor, history, ack
        self.random = random.Random(seed)
        self.mailbox = Mailbox()
        self.unanswered: dict[str, str] = {}
        self.running: set[str] = set()
        self.ended: set[str] = set()
        self.stopping = False
        self.idle = False
        self.messages = 0
        self.client: Client | None = None
        self.connections = 0
        self.refusals: Counter[str] = Counter()

    def acknowledge_by(self, policy):
        """From now on, on the socket of the moment too."""
        self.ack = policy
        if self.client:
            self.client.ack_policy = policy

    def settled(self) -> bool:
        return not self.unanswered and not self.running

    async def run(self):
        """Until `stopping` and everything accepted has ended and is acknowledged."""
        while not (self.stopping and self.idle):
            client = None
            try:
                # Some come back without saying what they have: then pending frames come again.
                tells = self.mailbox.epoch is not None and self.random.random() < 0.6
                asked = self.mailbox.last if tells else None
                client = await Client.connect(self.target, self.visitor, last=asked,
                                              epoch=self.mailbox.epoch if tells else None,
                                              ack=self.ack, mailbox=self.mailbox, history=self.history)
                self.client = client
                self.connections += 1
                await self.use(client)
            except LOST:
                await asyncio.sleep(self.random.uniform(0.01, 0.1))
            finally:
                if client:
                    client.cut()

    async def use(self, client: Client):
        while True:
            # What had no answer before, and what was refused for now.
            for message, content in list(self.unanswered.items()):
                await self.submit(client, message, content)
            self.note_endings()
            if self.settled() and self.stopping:
                await client.ack(self.mailbox.last)
                await client.barrier()
                self.idle = True
                return
            if not self.stopping and len(self.running) < OUTSTANDING:
                millions = self.random.randint(1, 40)
                await self.submit(client, new_id("load"), COST.replace("1M", f"{millions}M"))
            else:
                await client.next(20.0)

    async def submit(self, client: Client, message: str, content: str):
        self.unanswered[message] = content
        answer = await client.submit(content, message)
        if answer.type == "message_accepted":
            del self.unanswered[message]
            self.messages += 1
            if answer.payload["session_id"] not in self.ended:
                self.running.add(answer.payload["session_id"])
        elif answer.payload.get("temporary"):
            self.refusals[answer.payload.get("code", "?")] += 1
            await asyncio.sleep(self.random.uniform(0.05, 0.2))
        else:
            del self.unanswered[message]

    def note_endings(self):
        for frame in reversed(self.mailbox.applied):
            if frame.session_id in self.ended and frame.ends:
                break
            if frame.ends:
                self.ended.add(frame.session_id)
        self.running -= self.ended

    async def audit(self):
        """Everything the server still holds, from the oldest on, into the history."""
        client = await Client.connect(self.target, self.visitor, last=0, ack="never", history=History())
        facts = client.greeting.payload
        user, last = self.visitor.user_id, facts["last_sequence"]
        seen = facts["oldest_sequence"] - 1
        while seen < last:
            frame = await client.next(20.0)
            if frame.sequence is None:
                continue
            seen = max(seen, frame.sequence)
            self.history.add("replay", user=user, epoch=frame.epoch, seq=frame.sequence, sha=frame.digest)
        self.history.add("audit", user=user, epoch=facts["epoch"], last=last,
                         acked=facts["acknowledged_sequence"], oldest=facts["oldest_sequence"])
        await client.close()


POLICIES = ("now", ("batch", 8), ("delay", 0.2), "now", ("batch", 3), ("delay", 1.0))


class Crowd:
    """Several visitors at once, and their common history."""

    def __init__(self, target, path: str | None, seed: int):
        self.target, self.seed, self.history = target, seed, History(path)
        self.loads: list[Load] = []
        self.tasks: list[asyncio.Task] = []
        self.lag: asyncio.Task | None = None

    async def write_stalls(self):
        """On a busy machine the clients read late, which is no fault of the server."""
        while True:
            slept = time.monotonic_ns()
            await asyncio.sleep(LAG_LOOK)
            lag = time.monotonic_ns() - slept - int(LAG_LOOK * 1e9)
            if lag > LAG_TOLD * 1e9:
                self.history.add("stall", lag=lag)

    async def enter(self, visitors: int):
        self.lag = self.lag or asyncio.create_task(self.write_stalls())
        for number in range(visitors):
            visitor = await Visitor.create(self.target)
            load = Load(self.target, visitor, self.history, POLICIES[number % len(POLICIES)], f"{self.seed}/{number}")
            self.loads.append(load)
            self.tasks.append(asyncio.create_task(load.run()))

    async def leave(self, patience: float) -> float:
        """Stops submitting and waits until everything is drained; the seconds it took."""
        began = time.monotonic()
        for load in self.loads:
            load.stopping = True
        _, late = await asyncio.wait(self.tasks, timeout=patience)
        for task in late:
            task.cancel()
        if not late:
            for load in self.loads:
                await load.audit()
        return time.monotonic() - began

    async def abandon(self):
        """Ends all visitors at once, where the server does not come back."""
        if self.lag:
            self.lag.cancel()
        alive = set(self.tasks)
        while alive:
            # Again and again: in Python 3.11 `wait_for` can swallow a cancellation that comes at
            # the moment its inner call ends, and the visitor would dial a dead server for ever.
            for task in alive:
                task.cancel()
            _, alive = await asyncio.wait(alive, timeout=1.0)
        await asyncio.gather(*self.tasks, return_exceptions=True)

    def counts(self) -> str:
        messages = sum(load.messages for load in self.loads)
        frames = sum(len(load.mailbox.applied) for load in self.loads)
        duplicates = sum(load.mailbox.duplicates for load in self.loads)
        return f"{messages} messages, {frames} frames applied, {duplicates} duplicates dropped"
