"""Crowds: many who come at once, many who are cut off at once."""

from __future__ import annotations

import asyncio
import resource
import time

from client import Client, History, Visitor
from house import Arena, memory
from load import LOST
from network import through, with_backlog
from proxy import Proxy
from registry import Context, fault
from wire import RawSocket, Refused


def raise_limit():
    """As many descriptors as the system allows this process."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


@fault("F13", "a storm of connections with TLS", 1, 10, "5 000 (a commit: 300) answered or refused, none hangs; others served")
async def connection_storm(context: Context):
    raise_limit()
    crowd = 5000 if context.nightly else 300
    limits = {"EMFLOW_LIMITS__CONNECTIONS_PER_ADDRESS": str(crowd // 2)}
    async with Arena(context, visitors=4, **limits) as arena:
        target = arena.server.target
        visitors = [await Visitor.create(target) for _ in range(8)]
        while context.done < context.trials:
            opened: list[RawSocket] = []

            async def come(number: int):
                await asyncio.sleep(5.0 * number / crowd)
                began = time.monotonic()
                visitor = visitors[number % len(visitors)]
                try:
                    opened.append(await RawSocket.open(target, visitor.path(), visitor.bearer))
                    return "served"
                except Refused as refused:
                    return f"refused {refused.answer.status}"
                except LOST as lost:
                    took = time.monotonic() - began
                    return "hung" if isinstance(lost, TimeoutError) and took > 14 else "cut"
            outcomes = await asyncio.gather(*(come(number) for number in range(crowd)))
            for outcome in set(outcomes):
                context.count(outcome, outcomes.count(outcome))
            context.worst("memory MiB", memory(arena.server.process.pid) / (1 << 20))
            context.must("hung" not in outcomes, f"{outcomes.count('hung')} got no answer")
            context.must(any(o.startswith(("served", "refused")) for o in outcomes), "nobody was answered")
            for one in opened:
                one.cut()
            await asyncio.sleep(0.5)
            context.done += 1


@fault("F14", "everybody is cut off at once, each with frames pending", 1, 20, "all drained in 30 s")
async def reconnect_storm(context: Context):
    raise_limit()
    crowd = 500 if context.nightly else 40
    async with Arena(context, visitors=2, EMFLOW_CONNECTIONS__PER_USER="4") as arena:
        async with Proxy(arena.server.port, context.chance) as proxy:
            near = through(arena, proxy)
            while context.done < context.trials:
                visitors = [await with_backlog(arena.server.target, 2) for _ in range(crowd)]
                clients = [await Client.connect(near, v, ack="never", history=History()) for v in visitors]
                cut = proxy.reset()
                for client in clients:
                    client.cut()
                began = time.monotonic()
                lefts = await asyncio.gather(*(drain(near, v, context.chance.uniform(0, 2.0)) for v in visitors))
                took = time.monotonic() - began
                context.count("lines cut", cut)
                context.worst("all drained after s", took)
                context.must(not any(lefts), f"{sum(lefts)} frames still pending")
                context.must(took < 30 or not context.nightly, f"drained after {took:.0f} s")
                context.done += 1


async def drain(target, visitor: Visitor, pause: float) -> int:
    """Comes back with jitter and acknowledges all; what is left."""
    await asyncio.sleep(pause)
    while True:
        try:
            client = await Client.connect(target, visitor, ack="now", history=History())
            last = client.greeting.payload["last_sequence"]
            while client.mailbox.last < last:
                await client.next(20.0)
            await client.barrier()
            client.cut()
            again = await Client.connect(target, visitor, ack="never", history=History())
            facts = again.greeting.payload
            again.cut()
            return facts["last_sequence"] - facts["acknowledged_sequence"]
        except LOST:
            await asyncio.sleep(0.2)
