"""Faults of the network: slow and silent readers, dead lines, torn frames, lost acknowledgements."""

from __future__ import annotations

import asyncio
import time

from client import Client, History, Visitor
from house import Arena, memory, until
from proxy import Proxy
from registry import Context, fault
from wire import Target


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


READERS = 5


@fault("F10", "readers that stop, or take 50 bytes a second", 2, 50,
       "closed within 40 s of connecting; under 512 KiB a connection; others go on")
async def slow_reader(context: Context):
    async with Arena(context, visitors=0, watch=False, EMFLOW_DELIVERY__WINDOW="1024") as arena:
        server = arena.server
        visitors = await asyncio.gather(*(with_backlog(server.target, 8) for _ in range(READERS)))
        for visitor in visitors:
            # Once by somebody who reads: what is cached is not what a slow one costs.
            await read_all(server.target, visitor)
        # Nobody else is there yet: what grows is theirs.
        await slow_pair(context, arena, visitors, "memory a slow reader KiB")
        arena.visitors, arena.watch = 3, True
        await arena.enter(server.target)
        while context.done < context.trials:
            await slow_pair(context, arena, visitors, None)
            context.done += 2
        context.must(not context.nightly or context.figures["memory a slow reader KiB"] < 512, "more than 512 KiB a slow reader")


async def slow_pair(context: Context, arena: Arena, visitors: list[Visitor], grown: str | None):
    """Both kinds at once, until the server has let go of all; `grown` names the figure of their memory."""
    pid, began = arena.server.process.pid, time.monotonic()
    before = memory(pid)
    both = asyncio.gather(*(slow_group(context, arena, visitors, stops) for stops in (True, False)))
    while not both.done():
        await asyncio.sleep(0.25)
        if grown:
            context.worst(grown, (memory(pid) - before) / 2 / READERS / 1024)
    gone, took = both.result(), time.monotonic() - began
    context.worst("closed after s", took)
    context.must(all(gone), f"slow readers are still connected after {took:.0f} s")
    context.must(took < 40 or not context.nightly, f"closed after {took:.0f} s only")


async def read_all(target: Target, visitor: Visitor):
    client = await Client.connect(target, visitor, ack="never", last=0, history=History())
    while client.mailbox.last < client.greeting.payload["last_sequence"]:
        await client.next()
    client.cut()


async def slow_group(context: Context, arena: Arena, visitors: list[Visitor], stops: bool) -> bool:
    """Whether the server has let go of all of them, as the far ends of the proxy see it."""
    async with Proxy(arena.server.port, context.chance, receive_buffer=4096) as proxy:
        clients = [await Client.connect(through(arena, proxy), visitor, ack="never", last=0, history=History())
                   for visitor in visitors]
        proxy.manners.black_hole, proxy.manners.rate = stops, 0 if stops else 50
        gone = await until(lambda: established(arena.server.port, proxy.far_ports) == 0, 60.0)
        for client in clients:
            client.cut()
        return gone


def established(port: int, peers: set[int]) -> int:
    """Connections of the server to those ports that the kernel holds as open on the server's side."""
    count = 0
    with open("/proc/net/tcp", encoding="ascii") as table:
        for line in list(table)[1:]:
            fields = line.split()
            local, remote = (int(fields[k].split(":")[1], 16) for k in (1, 2))
            count += local == port and remote in peers and fields[3] == "01"
    return count


@fault("F11", "a line that goes dead without a word", 4, 50, "dead in ping + timeout; redelivered elsewhere")
async def half_open(context: Context):
    idle = 4.0
    limits = {"EMFLOW_CONNECTIONS__IDLE_TIMEOUT": f"{idle:g}s", "EMFLOW_CONNECTIONS__HEARTBEAT_INTERVAL": "1s"}
    async with Arena(context, visitors=3, **limits) as arena:
        while context.done < context.trials:
            await asyncio.gather(*(dead_line(context, arena, idle) for _ in range(min(4, context.trials - context.done))))


async def dead_line(context: Context, arena: Arena, idle: float):
    server = arena.server
    async with Proxy(server.port, context.chance) as proxy:
        visitor = await Visitor.create(server.target)
        dead = await Client.connect(through(arena, proxy), visitor, ack="never", history=History())
        session = await dead.accepted()
        proxy.manners.black_hole = True
        began = time.monotonic()
        # Another socket of the visitor gets everything meanwhile.
        alive = await Client.connect(server.target, visitor, last=0, history=History())
        await alive.ending(session)
        alive.cut()
        gone = await until(lambda: established(server.port, proxy.far_ports) == 0, idle * 5)
        took = time.monotonic() - began
        context.worst("dead line closed after s", took)
        context.must(gone, f"a dead line is still open after {took:.0f} s")
        dead.cut()
        context.done += 1


@fault("F12", "delay, one byte at a time, resets in the middle of a frame, half-closed lines", 5, 200, "0 lost; C1 to C7")
async def bad_lines(context: Context):
    async with Arena(context, visitors=0) as arena, Proxy(arena.server.port, context.chance) as proxy:
        await arena.stop_watching()
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
    # Faster than the default, so that a trial sees the whole ladder of retries. A client that reads late
    # on a busy machine sees a repetition at once: when it may come is the simulator's to judge.
    async with Arena(context, visitors=6, ack_timeout=0.0, EMFLOW_DELIVERY__ACK_TIMEOUT="300ms") as arena:
        for number, load in enumerate(arena.crowd.loads):
            late = ("delay", context.chance.uniform(0.5, 3.0))
            load.acknowledge_by(("lossy", context.chance.uniform(0.3, 0.95)) if number % 2 else late)
        while context.done < context.trials:
            await asyncio.sleep(1.0)
            for load in arena.crowd.loads:
                if load.ack[0] == "delay":
                    load.acknowledge_by(("delay", context.chance.uniform(0.3, 60.0 if context.nightly else 4.0)))
            context.done += 1
        for load in arena.crowd.loads:
            load.acknowledge_by("now")
    context.must(context.figures.get("wire duplicates", 0) > 0, "nothing was sent again: the run says nothing")


