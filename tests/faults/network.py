"""Faults of the network: slow and silent readers, dead lines, torn frames, lost acknowledgements."""

from __future__ import annotations

import asyncio
import time

from client import Client, History, Visitor
from house import Arena, memory, until
from proxy import Proxy
from registry import Context, fault
from wire import Target

MEGABYTE = 1 << 20


def through(arena: Arena, proxy: Proxy) -> Target:
    return Target(f"https://127.0.0.1:{proxy.port}", arena.log + ".ca.pem")


async def with_backlog(target: Target, answers: int) -> Visitor:
    """A visitor whose frames all wait."""
    visitor = await Visitor.create(target)
    client = await Client.connect(target, visitor, ack="never", history=History())
    for _ in range(answers):
        session = await client.accepted()
        await client.ending(session)
    client.cut()
    return visitor


@fault("F10", "a reader that stops, or takes a byte at a time", 4, 50,
       "closed in 30 s; under 512 KiB a connection; others go on")
async def slow_reader(context: Context):
    limits = {"EMFLOW_CONNECTIONS__WRITE_TIMEOUT": "2s", "EMFLOW_DELIVERY__WINDOW": "1024",
              "EMFLOW_DELIVERY__ACK_TIMEOUT": "60s"}
    async with Arena(context, visitors=3, ack_timeout=60.0, **limits) as arena:
        server = arena.server
        async with Proxy(server.port, context.chance, receive_buffer=4096) as proxy:
            visitors = [await with_backlog(server.target, 40) for _ in range(min(context.trials, 8))]
            while context.done < context.trials:
                stops = context.done % 2 == 0
                before = memory(server.process.pid)
                client = await Client.connect(through(arena, proxy), visitors[context.done % len(visitors)],
                                              ack="never", last=0, history=History())
                proxy.manners.black_hole, proxy.manners.rate = stops, 0 if stops else 50
                began = time.monotonic()
                files = server.open_files()
                gone = await until(lambda: server.open_files() < files, 40.0)
                took = time.monotonic() - began
                context.worst("closed after s", took)
                context.worst("memory a slow reader MiB", (memory(server.process.pid) - before) / MEGABYTE)
                context.must(gone, f"a reader that {'stops' if stops else 'crawls'} is still connected after {took:.0f} s")
                context.must(took < 30 or not context.nightly, f"closed after {took:.0f} s only")
                proxy.manners.black_hole = False
                client.cut()
                proxy.reset()
                context.done += 1


@fault("F11", "a line that goes dead without a word", 4, 50, "dead in ping + timeout; redelivered elsewhere")
async def half_open(context: Context):
    idle = 4.0
    limits = {"EMFLOW_CONNECTIONS__IDLE_TIMEOUT": f"{idle:g}s", "EMFLOW_CONNECTIONS__HEARTBEAT_INTERVAL": "1s"}
    async with Arena(context, visitors=3, **limits) as arena:
        server = arena.server
        while context.done < context.trials:
            async with Proxy(server.port, context.chance) as proxy:
                visitor = await Visitor.create(server.target)
                dead = await Client.connect(through(arena, proxy), visitor, ack="never", history=arena.crowd.history)
                await dead.accepted()
                proxy.manners.black_hole = True
                files, began = server.open_files(), time.monotonic()
                # Another socket of the visitor gets everything meanwhile.
                alive = await Client.connect(server.target, visitor, last=0, history=History())
                session = None
                while session is None or alive.mailbox.ending(session) is None:
                    frame = await alive.next()
                    session = session or frame.session_id
                alive.cut()
                gone = await until(lambda: server.open_files() <= files, idle * 4)
                took = time.monotonic() - began
                context.worst("dead line closed after s", took)
                context.must(gone, f"a dead line is still open after {took:.0f} s")
                arena.crowd.history.events = [e for e in arena.crowd.history.events if e.get("user") != visitor.user_id]
                dead.cut()
                context.done += 1


@fault("F12", "delay, one byte at a time, resets in the middle of a frame, half-closed lines", 5, 200, "0 lost; C1 to C7")
async def bad_lines(context: Context):
    async with Arena(context, visitors=0) as arena, Proxy(arena.server.port, context.chance) as proxy:
        arena.watcher.cancel()
        arena.visitors = 6
        await arena.enter(through(arena, proxy))
        for load in arena.crowd.loads:
            load.audit_target = arena.server.target
        while context.done < context.trials:
            kind = context.done % 5
            proxy.manners.delay = (0.0, 0.5) if kind == 0 else (0.0, 0.0)
            proxy.manners.chunk = 1 if kind == 1 else 0
            if kind == 2:
                context.count("lines reset", proxy.reset(0.7))
            if kind == 3:
                proxy.half_close(0.5)
            proxy.manners.rate = 20_000 if kind == 4 else 0
            arena.fault("cut")
            await asyncio.sleep(context.chance.uniform(0.5, 1.5))
            context.done += 1
        proxy.manners.delay, proxy.manners.chunk, proxy.manners.rate = (0.0, 0.0), 0, 0
        await finish(arena)


async def finish(arena: Arena):
    """Drains and judges while the proxy still stands; the arena then finds nothing left to do."""
    from house import QUIET
    await arena.crowd.leave(QUIET)
    arena.verdict()
    arena.crowd.leave = done
    arena.verdict = lambda: None


async def done(_patience) -> float:
    return 0.0


@fault("F15", "acknowledgements lost or late", 5, 200, "repeated on the wire, applied once")
async def lost_acks(context: Context):
    # Faster than the default, so that a trial sees the whole ladder of retries.
    async with Arena(context, visitors=6, ack_timeout=0.3, EMFLOW_DELIVERY__ACK_TIMEOUT="300ms") as arena:
        for number, load in enumerate(arena.crowd.loads):
            load.ack = ("lossy", context.chance.uniform(0.3, 0.95)) if number % 2 else ("delay", context.chance.uniform(0.5, 3.0))
        while context.done < context.trials:
            await asyncio.sleep(1.0)
            for load in arena.crowd.loads:
                if load.ack[0] == "delay":
                    load.ack = ("delay", context.chance.uniform(0.3, 60.0 if context.nightly else 4.0))
            context.done += 1
        for load in arena.crowd.loads:
            load.ack = "now"
    context.must(context.figures.get("wire duplicates", 0) > 0, "nothing was sent again: the run says nothing")


