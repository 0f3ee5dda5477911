"""What visitors do that they should not: the same message many times, wild acknowledgements, too many sockets."""

from __future__ import annotations

import asyncio
import json

from websockets.exceptions import ConnectionClosed

from client import COST, Client, History, Visitor, new_id
from house import Arena
from load import LOST
from registry import Context, fault


@fault("F16", "the same message 2 to 50 times, in parallel, over a crash", 10, 500, "one session, one beginning, one end")
async def same_message(context: Context):
    async with Arena(context, visitors=2) as arena:
        visitor = await Visitor.create(arena.server.target)
        while context.done < context.trials:
            message, times = new_id("dup"), context.chance.randint(2, 50)
            crash = context.done % 5 == 4
            sessions = await gather_sessions(context, arena, visitor, message, times, crash)
            context.must(len(set(sessions)) == 1, f"{message} sent {times} times has the sessions {set(sessions)}")
            reader = await Client.connect(arena.server.target, visitor, last=0, history=History())
            await reader.ending(sessions[0])
            begun = [f for f in reader.mailbox.of(sessions[0]) if f.type == "processing_started"]
            fresh = sum(not f.payload["resumed"] for f in begun)
            context.must(fresh == 1 and (crash or len(begun) == 1), f"{message} began {len(begun)} times, {fresh} of them anew")
            await reader.close()
            context.count("repetitions", times)
            context.done += 1


async def gather_sessions(context: Context, arena: Arena, visitor: Visitor, message: str, times: int, crash: bool) -> list[str]:
    async def submit(share: int) -> list[str]:
        found = []
        while len(found) < share:
            try:
                client = await Client.connect(arena.server.target, visitor, ack="never", history=History())
                while len(found) < share:
                    found.append(await client.accepted(COST, message))
                client.cut()
            except LOST:
                await asyncio.sleep(0.05)
        return found

    sockets = [asyncio.create_task(submit(max(1, times // 4))) for _ in range(4)]
    if crash:
        await asyncio.sleep(context.chance.uniform(0.0, 0.05))
        arena.fault("kill")
        arena.server.kill()
        await arena.restart()
    return [session for part in await asyncio.gather(*sockets) for session in part]


# As JSON text: some are no numbers that Python would write.
WILD = ("0", "-1", "1.5", "1e3", "9007199254740993", "18446744073709551615", "18446744073709551616",
        "340282366920938463463374607431768211456", '"7"', "null", "[1]", "{}", "NaN", "true")


@fault("F17", "acknowledgements that are stale, ahead, negative, beyond 2^53 and 2^64, or no numbers", 20, 200,
       "nothing moves; the socket lives until the tenth")
async def wild_acks(context: Context):
    async with Arena(context, visitors=1) as arena:
        target = arena.server.target
        visitor = await Visitor.create(target)
        first = await Client.connect(target, visitor, ack="never", history=History())
        session = await first.accepted()
        await first.ending(session)
        last = first.mailbox.last
        await first.ack(3)
        await first.close()
        while context.done < context.trials:
            client = await Client.connect(target, visitor, ack="never", history=History())
            facts = client.greeting.payload
            context.must(facts["acknowledged_sequence"] == 3, f"{facts['acknowledged_sequence']} counts as acknowledged, 3 was")
            text = WILD[context.done % len(WILD)]
            epoch = "" if context.done % 3 else f', "epoch": "{int(facts["epoch"]) - 1}"'
            await client.ws.send(f'{{"type": "ack", "payload": {{"sequence": {text}{epoch}}}}}')
            await client.ws.send(json.dumps({"type": "ack", "payload": {"sequence": context.chance.randint(0, 3)}}))
            await client.ws.send(json.dumps({"type": "ack", "payload": {"sequence": last + context.chance.randint(1, 1 << 40)}}))
            await client.barrier()
            refused = [f for f in client.wire if f.type == "error" and f.sequence is None]
            context.must(refused, f"{text}: nothing was refused")
            context.count("refused", len(refused))
            await client.close()
            context.done += 1


@fault("F18", "2 to 10 sockets of one visitor at once", 20, 500, "at most the limit live; the oldest told 4502; each gets every frame")
async def takeover(context: Context):
    limit = 3
    async with Arena(context, visitors=2, EMFLOW_CONNECTIONS__PER_USER=str(limit)) as arena:
        target = arena.server.target
        while context.done < context.trials:
            visitor = await Visitor.create(target)
            count = context.chance.randint(2, 10)
            clients = await asyncio.gather(*(Client.connect(target, visitor, ack="never", history=History()) for _ in range(count)))
            codes = await asyncio.gather(*(alive_or_code(client) for client in clients))
            live = [client for client, code in zip(clients, codes) if code is None]
            context.must(len(live) == min(limit, count), f"{len(live)} of {count} sockets live, {limit} may")
            context.must(all(code in (None, 4502) for code in codes), f"closed with {codes}")
            if live:
                session = await live[0].accepted()
                for client in live:
                    await client.ending(session)
                    context.must(not client.mailbox.faults, f"{client.mailbox.faults[:1]}")
            context.count("replaced", count - len(live))
            for client in live:
                client.cut()
            context.done += 1


async def alive_or_code(client: Client) -> int | None:
    """None where the socket answers a ping that comes after everybody has connected."""
    try:
        await client.barrier()
        await asyncio.sleep(0.05)
        await client.barrier()
        return None
    except ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd else 0
