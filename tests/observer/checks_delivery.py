"""Delivery: acknowledgements, coming again, resuming, the window, and several sockets."""

from __future__ import annotations

import asyncio
import time

from client import COST, Client, Mailbox, new_id
from harness import CannotTell, World, check, equal, must, one_of
from wire import RawSocket

WINDOW = 64


async def finished(world: World, ack="now", **options) -> tuple[Client, str]:
    """A client whose one session has ended."""
    client = await world.connect(ack=ack, **options)
    session = await client.accepted()
    await client.ending(session)
    return client, session


async def acknowledged(world: World, client: Client) -> int:
    """What the server holds for acknowledged, asked by a new socket."""
    await client.barrier()
    other = await world.connect(client.visitor, ack="never")
    await other.close()
    return other.greeting.payload["acknowledged_sequence"]


@check("ack: cumulative")
async def ack_cumulative(world: World):
    client, _ = await finished(world, ack="never")
    await client.ack(3)
    equal("acknowledged_sequence", 3, await acknowledged(world, client))
    await client.ack(client.mailbox.last)
    equal("acknowledged_sequence", client.mailbox.last, await acknowledged(world, client))


@check("ack: idempotent, and never backwards")
async def ack_idempotent(world: World):
    client, _ = await finished(world, ack="never")
    for sequence in (4, 4, 2, 0):
        await client.ack(sequence)
    equal("acknowledged_sequence", 4, await acknowledged(world, client))
    equal("errors", [], [f.body for f in client.wire if f.type == "error" and f.sequence is None])


@check("ack: above the highest ever sent is an error and changes nothing")
async def ack_future(world: World):
    client, _ = await finished(world, ack="never")
    for sequence in (client.mailbox.last + 1, 10**6, 2**53 - 1):
        await client.ack(sequence)
        answer = await client.control("error", "pong")
        equal(f"answer to ack {sequence}", "error", answer.type)
    equal("acknowledged_sequence", 0, await acknowledged(world, client))


@check("ack: before anything was sent, 1 is an error")
async def ack_nothing(world: World):
    client = await world.connect()
    await client.ack(1)
    equal("answer", "error", (await client.control("error")).type)
    equal("acknowledged_sequence", 0, await acknowledged(world, client))
    client.ack_policy = "never"
    session = await client.accepted()
    await client.ending(session)
    equal("acknowledged_sequence", 0, await acknowledged(world, client))


@check("ack: a stale epoch changes nothing, the present one counts")
async def ack_epoch(world: World):
    client, _ = await finished(world, ack="never")
    epoch = client.mailbox.epoch
    await client.ack(3, epoch=another(epoch))
    equal("acknowledged_sequence", 0, await acknowledged(world, client))
    await client.ack(3, epoch=epoch)
    equal("acknowledged_sequence", 3, await acknowledged(world, client))


def another(epoch):
    """An epoch of the same form that the server does not have."""
    return epoch + 1 if isinstance(epoch, int) else ("0" if str(epoch)[0] != "0" else "1") + str(epoch)[1:]


@check("ack: negative, fraction, beyond 2^53, u64 overflow, text, null are control errors")
async def ack_malformed(world: World):
    client, _ = await finished(world, ack="never")
    for value in (-1, 1.5, 2**53 + 1, 2**64, 2**64 + 1, "3", None, [3], True):
        await client.send("ack", {"sequence": value})
        equal(f"answer to {value!r}", "error", (await client.control("error", "pong")).type)
    equal("acknowledged_sequence", 0, await acknowledged(world, client))


@check("again: unacknowledged frames come byte-equal on a new socket")
async def again_equal(world: World):
    client, session = await finished(world, ack="never")
    await client.ack(2)
    await client.barrier()
    first = {f.sequence: f.raw for f in client.mailbox.of(session)}
    client.cut()
    other = await world.connect(client.visitor, ack="never")
    equal("recovered", True, other.greeting.payload["recovered"])
    await other.ending(session)
    second = {f.sequence: f.raw for f in other.mailbox.of(session)}
    equal("sequences", sorted(first)[2:], sorted(second))
    for sequence, raw in second.items():
        equal(f"bytes of {sequence}", first[sequence], raw)


@check("again: after everything was acknowledged, nothing comes")
async def again_nothing(world: World):
    client, _ = await finished(world)
    await client.barrier()
    other = await world.connect(client.visitor)
    await other.barrier()
    equal("sequenced frames", [], [f.sequence for f in other.wire if f.sequence is not None])


@check("resume: last_sequence=0 brings everything held, byte-equal, after it was acknowledged")
async def resume_zero(world: World):
    client, session = await finished(world)
    await client.barrier()
    await client.close()
    other = await world.connect(client.visitor, last=0, epoch=client.mailbox.epoch)
    equal("recovered", True, other.greeting.payload["recovered"])
    equal("oldest_sequence", 1, other.greeting.payload["oldest_sequence"])
    await other.ending(session)
    equal("frames", [f.raw for f in client.mailbox.of(session)], [f.raw for f in other.mailbox.of(session)])


@check("resume: last_sequence=0 without an epoch works too")
async def resume_zero_bare(world: World):
    client, session = await finished(world)
    await client.barrier()
    other = await world.connect(client.visitor, last=0)
    equal("recovered", True, other.greeting.payload["recovered"])
    await other.ending(session)
    equal("first", 1, other.mailbox.applied[0].sequence)


@check("resume: last_sequence=N sends from N+1")
async def resume_n(world: World):
    client, session = await finished(world)
    await client.barrier()
    middle = client.mailbox.last // 2
    mailbox = Mailbox(epoch=client.mailbox.epoch, last=middle)
    other = await world.connect(client.visitor, last=middle, epoch=client.mailbox.epoch, mailbox=mailbox)
    equal("recovered", True, other.greeting.payload["recovered"])
    await other.ending(session)
    equal("sequences", list(range(middle + 1, client.mailbox.last + 1)), [f.sequence for f in mailbox.applied])


@check("resume: last_sequence is the last one: nothing comes")
async def resume_last(world: World):
    client, _ = await finished(world)
    await client.barrier()
    other = await world.connect(client.visitor, last=client.mailbox.last, epoch=client.mailbox.epoch)
    await other.barrier()
    equal("recovered", True, other.greeting.payload["recovered"])
    equal("sequenced frames", [], [f.sequence for f in other.wire if f.sequence is not None])


@check("resume: another epoch gives recovered false with a reason, then everything held")
async def resume_epoch(world: World):
    client, session = await finished(world)
    await client.barrier()
    other = await world.connect(client.visitor, last=3, epoch=another(client.mailbox.epoch))
    equal("recovered", False, other.greeting.payload["recovered"])
    must(other.greeting.payload.get("reason"), "a reason", other.greeting.payload)
    await other.ending(session)
    equal("first", other.greeting.payload["oldest_sequence"], other.mailbox.applied[0].sequence)


@check("resume: beyond what was ever sent is not silently taken")
async def resume_beyond(world: World):
    client, session = await finished(world)
    await client.barrier()
    beyond = client.mailbox.last + 1000
    try:
        other = await world.connect(client.visitor, last=beyond, epoch=client.mailbox.epoch)
    except Exception as error:  # a refusal before the upgrade tells as well
        return one_of("status", (400,), getattr(getattr(error, "answer", None), "status", error))
    equal("recovered", False, other.greeting.payload["recovered"])
    await other.ending(session)


@check("resume: a greeting's last_sequence is the highest of the visitor")
async def greeting_last(world: World):
    client, _ = await finished(world)
    await client.barrier()
    other = await world.connect(client.visitor)
    equal("last_sequence", client.mailbox.last, other.greeting.payload["last_sequence"])
    equal("acknowledged_sequence", client.mailbox.last, other.greeting.payload["acknowledged_sequence"])


@check("window: at most 64 unacknowledged on one socket, the rest after the ack")
async def window(world: World):
    client = await world.connect(ack="never")
    sessions, started = [], time.monotonic()
    while client.mailbox.last < WINDOW and time.monotonic() - started < 30 and len(sessions) < 30:
        sessions.append(await client.accepted())
        await client.quiet(0.3)
        equal("unacknowledged at most 64", True, client.mailbox.last <= WINDOW)
    sessions.append(await client.accepted())
    await client.quiet(1.0)
    equal("frames before an acknowledgement", WINDOW, client.mailbox.last)
    client.ack_policy = "now"
    await client.ack(client.mailbox.last)
    for session in sessions:
        await client.ending(session)
    must(client.mailbox.last > WINDOW, "more than 64 frames in all", client.mailbox.last)
    equal("faults at the client", [], client.mailbox.faults)


@check("window: an acknowledgement of k opens it for k more")
async def window_slides(world: World):
    client = await world.connect(ack="never")
    sessions = []
    for _ in range(30):
        sessions.append(await client.accepted())
        await client.quiet(0.2)
        if client.mailbox.last >= WINDOW:
            break
    for _ in range(3):
        sessions.append(await client.accepted())
    await client.quiet(0.5)
    if client.mailbox.last != WINDOW:
        raise CannotTell(f"the window is not full: {client.mailbox.last}")
    await client.ack(10)
    await client.quiet(1.0)
    equal("highest sequence", WINDOW + 10, client.mailbox.last)


@check("batches: acknowledging every 16th and the rest late delivers everything once")
async def batches(world: World):
    for policy in (("batch", 16), ("delay", 0.3)):
        client = await world.connect(ack=policy)
        for session in [await client.accepted() for _ in range(4)]:
            await client.ending(session)
        equal("faults at the client", [], client.mailbox.faults)
        equal("applied", list(range(1, client.mailbox.last + 1)), [f.sequence for f in client.mailbox.applied])


@check("a network that fails in the middle: 100 frames and more, applied once, in order")
async def failing_network(world: World):
    visitor = await world.visitor()
    mailbox = Mailbox()
    client = await world.connect(visitor, mailbox=mailbox, ack="never")
    sessions = [await client.accepted() for _ in range(10)]
    cut_at = 0
    for _ in range(200):
        await client.until(lambda f: f.sequence is not None)
        if mailbox.last >= cut_at + 13:
            await client.ack(mailbox.last - 4)
            cut_at = mailbox.last
            client.cut()
            client = await world.connect(visitor, mailbox=mailbox, ack="never", last=mailbox.last, epoch=mailbox.epoch)
        if all(mailbox.ending(session) for session in sessions):
            break
    client.ack_policy = "now"
    for session in sessions:
        await client.ending(session)
    must(mailbox.last >= 100, "at least 100 frames", mailbox.last)
    equal("applied", list(range(1, mailbox.last + 1)), [f.sequence for f in mailbox.applied])
    equal("faults at the client", [], mailbox.faults)


@check("two sockets of a visitor both get every frame; one acknowledgement advances both")
async def two_sockets(world: World):
    visitor = await world.visitor()
    one, two = await world.connect(visitor, ack="now"), await world.connect(visitor, ack="never")
    # Several: an acknowledgement from the one may overtake the sending to the other.
    for _ in range(6):
        session = await one.accepted()
        await one.ending(session)
    await one.barrier()
    # A pong may overtake a frame that is still to be sent; what was skipped never comes.
    await two.ending(session)
    numbers = [f.sequence for f in two.wire if f.sequence is not None]
    missing = sorted({f.sequence for f in one.mailbox.applied} - set(numbers))
    equal("sequences the second socket did not get", [], missing)
    equal("frames of the second", [f.raw for f in one.mailbox.applied], [f.raw for f in two.mailbox.applied])
    equal("acknowledged_sequence", one.mailbox.last, await acknowledged(world, one))


@check("the ninth socket closes the oldest with 4502")
async def ninth(world: World):
    visitor = await world.visitor()
    sockets = [await world.connect(visitor) for _ in range(9)]
    equal("close code of the oldest", 4502, await sockets[0].closing())
    for client in sockets[1:]:
        await client.barrier()
    session = await sockets[8].accepted()
    for client in sockets[1:]:
        await client.ending(session)
        await client.close()


@check("submit: the same id again answers duplicate with the same session and starts nothing")
async def submit_twice(world: World):
    client = await world.connect()
    message_id = new_id()
    first = await client.submit(message_id=message_id)
    equal("duplicate", False, first.payload["duplicate"])
    for _ in range(2):
        again = await client.submit(message_id=message_id)
        equal("duplicate", True, again.payload["duplicate"])
        equal("session_id", first.payload["session_id"], again.payload["session_id"])
        await client.ending(first.payload["session_id"])
    await client.barrier()
    equal("sessions seen", {first.payload["session_id"]}, {f.session_id for f in client.mailbox.applied})
    equal("endings", 1, sum(f.ends for f in client.mailbox.applied))


@check("submit: 20 at once from four sockets give one session")
async def submit_parallel(world: World):
    visitor = await world.visitor()
    message_id = new_id()
    clients = [await world.connect(visitor) for _ in range(4)]

    async def several(client):
        return [await client.submit(message_id=message_id) for _ in range(5)]

    answers = [one for some in await asyncio.gather(*map(several, clients)) for one in some]
    equal("types", {"message_accepted"}, {a.type for a in answers})
    equal("sessions", 1, len({a.payload["session_id"] for a in answers}))
    equal("answers that are not duplicates", 1, sum(not a.payload["duplicate"] for a in answers))


@check("submit: the same id of two visitors is two sessions")
async def submit_two_visitors(world: World):
    one, two, message_id = await world.connect(), await world.connect(), new_id()
    sessions = {await one.accepted(message_id=message_id), await two.accepted(message_id=message_id)}
    equal("sessions", 2, len(sessions))


@check("submit: the same id with other content is refused with conflict, and nothing changes")
async def submit_conflict(world: World):
    client = await world.connect()
    message_id = new_id()
    session = await client.accepted(message_id=message_id)
    answer = await client.submit(COST + " And faster.", message_id)
    equal("type", "error", answer.type)
    equal("code", "conflict", answer.payload["code"])
    await client.ending(session)
    again = await client.submit(message_id=message_id)
    equal("duplicate", True, again.payload["duplicate"])
    equal("session_id", session, again.payload["session_id"])


@check("retry: after the acknowledgement timeout on the same socket, thrice, then 4100; the frame stays pending", slow=True)
async def retries(world: World):
    visitor = await world.visitor()
    client = await world.connect(visitor, ack="never")
    session = await client.accepted()
    await client.ending(session)
    code = await client.closing(60)
    equal("close code", 4100, code)
    firsts = [f for f in client.wire if f.sequence == 1]
    equal("times the oldest frame was sent", 4, len(firsts))
    equal("different bytes among them", 1, len({f.raw for f in firsts}))
    gaps = [(b.at - a.at) / 1e9 for a, b in zip(firsts, firsts[1:])]
    must(gaps[0] >= 4.0, "the first retry not before about 5 s", gaps)
    equal("faults at the client", [], client.mailbox.faults)
    other = await world.connect(visitor, ack="now")
    await other.ending(session)
    equal("first frame on the next socket", 1, other.mailbox.applied[0].sequence)


@check("a client that does not read harms no other", slow=True)
async def not_reading(world: World):
    visitor = await world.visitor()
    slow = await RawSocket.open(world.target, visitor.path(), visitor.bearer)
    slow.writer.transport.pause_reading()
    busy = await world.connect(visitor)
    for _ in range(10):
        session = await busy.accepted()
        await busy.ending(session)
    other = await world.connect()
    await other.ending(await other.accepted())
    slow.cut()
