"""A server under load that something is done to, and the judgement of what its visitors saw."""

from __future__ import annotations

import asyncio
import os
import time

from checker import judge
from load import Crowd
from registry import Context
from server import Server

# The time that everything accepted may take to come to its end after the last fault.
QUIET = 60.0


class Arena:
    """`async with` starts a server and visitors; leaving it drains, audits and judges.

    `ack_timeout` is the server's where it is not the default. What is wrong becomes a breach of the
    context. `target` may be replaced by a proxy's before the visitors enter.
    """

    def __init__(self, context: Context, visitors=6, name="arena", ack_timeout=5.0, watch=True, **environment: str):
        self.context, self.visitors, self.ack_timeout, self.watch = context, visitors, ack_timeout, watch
        folder = os.path.join(context.folder, f"{name}-{time.monotonic_ns():x}")
        os.makedirs(folder)
        self.log = os.path.join(folder, "server.log")
        self.server = Server(context.binary, os.path.join(folder, "data"), self.log, **environment)
        self.crowd: Crowd | None = None
        self.watcher: asyncio.Task | None = None
        self.expect_down = False

    async def __aenter__(self) -> "Arena":
        await self.server.start()
        try:
            await self.enter(self.server.target)
        except BaseException:
            self.server.kill()
            raise
        return self

    async def enter(self, target):
        self.crowd = Crowd(target, None, self.context.chance.randrange(1 << 30))
        await self.crowd.enter(self.visitors)
        if self.watch:
            self.watcher = asyncio.create_task(self.watch_health())

    async def watch_health(self):
        """How long an answer to `/healthz` takes, all the while."""
        while True:
            began = time.monotonic()
            try:
                answer = await self.server.target.request("GET", "/healthz")
                if answer.status == 200:
                    self.context.worst("slowest health answer s", time.monotonic() - began)
            except (OSError, asyncio.TimeoutError, asyncio.IncompleteReadError, ValueError):
                pass
            await asyncio.sleep(0.2)

    async def stop_watching(self):
        """Again and again: in Python 3.11 `wait_for` can swallow a cancellation."""
        while self.watcher and not self.watcher.done():
            self.watcher.cancel()
            await asyncio.wait({self.watcher}, timeout=1.0)

    def fault(self, kind: str):
        self.crowd.history.add("fault", kind=kind)

    async def restart(self) -> float:
        took = await self.server.start()
        self.context.worst("ready again s", took)
        return took

    async def __aexit__(self, kind, error, _trace):
        try:
            await self.stop_watching()
            if error is None:
                await self.crowd.leave(QUIET)
                self.verdict()
        finally:
            if self.crowd:
                await self.crowd.abandon()
            code = self.server.process.poll()
            self.server.kill()
            if code is not None and error is None:
                self.context.breach(f"the server had ended with {code}")
        panics = [line for line in open(self.log, encoding="utf-8", errors="replace") if "panicked" in line]
        if panics:
            self.context.breach(f"{len(panics)} panics in the log: {panics[0].strip()[:200]}")

    def verdict(self):
        """C1 to C7, by the checker that knows nothing of the product."""
        # A long run goes beyond what is retained of a visitor: what was acknowledged may be gone then.
        found = judge(self.crowd.history.events, self.ack_timeout, keeps_all=not self.context.nightly)
        for rule, text in found.violations[:5]:
            self.context.breach(f"{rule}: {text}")
        for load in self.crowd.loads:
            for fault in load.mailbox.faults[:2]:
                self.context.breach(f"client: {fault}")
        messages = sum(load.messages for load in self.crowd.loads)
        self.context.must(messages > 0, "nothing was accepted: the run says nothing")
        self.context.count("messages", messages)
        self.context.count("frames applied", sum(len(load.mailbox.applied) for load in self.crowd.loads))
        self.context.count("wire duplicates", sum(load.mailbox.duplicates for load in self.crowd.loads))


def memory(pid: int) -> int:
    """Resident bytes of a process."""
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        line = next(line for line in status if line.startswith("VmRSS"))
    return int(line.split()[1]) * 1024


def cpu_seconds(pid: int) -> float:
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def until(condition, patience: float) -> bool:
    """Whether it came true in time."""
    began = time.monotonic()
    while not condition():
        if time.monotonic() - began > patience:
            return False
        await asyncio.sleep(0.02)
    return True
