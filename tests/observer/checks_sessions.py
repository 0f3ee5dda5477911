"""Sessions: cancelling, isolation of visitors, and what an answer contains."""

from __future__ import annotations

import asyncio
import json
import math

from client import COST, Client, new_id
from harness import World, check, equal, must, one_of
from wire import API

LONG = ("We run 1.2M chats a month on GPT-4o with 900 input and 250 output tokens. p95 under 2 s, "
        "40 requests a second at peak, budget 5000 USD a month. Plan a roadmap that trades cost, latency and quality.")


async def running(world: World, **options) -> tuple[Client, str]:
    """A session that has started and has not ended."""
    client = await world.connect(**options)
    session = await client.accepted(LONG, category="advanced", complexity="advanced")
    return client, session


@check("cancel: ends with session_cancelled exactly once")
async def cancel(world: World):
    client, session = await running(world)
    await client.send("cancel", {"session_id": session})
    ending = await client.ending(session)
    equal("ending", "session_cancelled", ending.type)
    must(ending.payload.get("reason"), "a reason", ending.payload)
    await client.send("cancel", {"session_id": session})
    await client.control("error")
    await client.quiet(1.0)
    frames = client.mailbox.of(session)
    equal("endings", 1, sum(f.ends for f in frames))
    equal("last frame", "session_cancelled", frames[-1].type)


@check("cancel: of an ended session is an error and changes nothing")
async def cancel_ended(world: World):
    client = await world.connect()
    session = await client.accepted()
    await client.ending(session)
    count = len(client.mailbox.applied)
    await client.send("cancel", {"session_id": session})
    equal("answer", "error", (await client.control("error", "pong")).type)
    await client.barrier()
    equal("frames", count, len(client.mailbox.applied))


@check("cancel: of another visitor's session is an error and the session goes on")
async def cancel_other(world: World):
    client, session = await running(world)
    intruder = await world.connect()
    await intruder.send("cancel", {"session_id": session})
    foreign = await intruder.control("error", "pong")
    equal("answer", "error", foreign.type)
    absent = session[:-4] + ("0000" if session[-4:] != "0000" else "1111")
    await intruder.send("cancel", {"session_id": absent})
    unknown = await intruder.control("error", "pong")
    equal("code, as for a session that does not exist", unknown.payload["code"], foreign.payload["code"])
    equal("ending", "agent_completed", (await client.ending(session)).type)


@check("cancel: without a session_id, or with a malformed one, is an error")
async def cancel_malformed(world: World):
    client = await world.connect()
    for payload in ({}, {"session_id": 17}, {"session_id": ""}, {"session_id": "../x"}, {"session_id": "x" * 5000}):
        await client.send("cancel", payload)
        equal(f"answer to {payload}"[:80], "error", (await client.control("error", "pong")).type)


@check("a cancelled message sent again is a duplicate of the cancelled session")
async def cancelled_duplicate(world: World):
    client = await world.connect()
    message_id = new_id()
    session = await client.accepted(LONG, message_id, category="advanced")
    await client.send("cancel", {"session_id": session})
    await client.ending(session)
    again = await client.submit(LONG, message_id, category="advanced")
    equal("duplicate", True, again.payload.get("duplicate"))
    equal("session_id", session, again.payload.get("session_id"))


@check("isolation: no frame of one visitor reaches another")
async def isolation(world: World):
    one, two = await world.connect(), await world.connect()
    first, second = await one.accepted(), await two.accepted(COST.replace("1M", "2M"))
    await one.ending(first)
    await two.ending(second)
    equal("sessions of the first", {first}, {f.session_id for f in one.mailbox.applied})
    equal("sessions of the second", {second}, {f.session_id for f in two.mailbox.applied})


@check("isolation: an acknowledgement of one does not move another")
async def isolation_ack(world: World):
    one, two = await world.connect(ack="never"), await world.connect(ack="never")
    for client in (one, two):
        await client.ending(await client.accepted())
    await one.ack(one.mailbox.last)
    await one.barrier()
    fresh = await world.connect(two.visitor, ack="never")
    equal("acknowledged_sequence of the other", 0, fresh.greeting.payload["acknowledged_sequence"])


@check("sessions: 16 visitors and 10 messages of one at the same moment, and every one ends")
async def all_at_once(world: World):
    async def one(client: Client):
        session = await client.accepted()
        return (await client.ending(session, 20.0)).type

    clients = [await world.connect() for _ in range(16)]
    endings = await asyncio.gather(*map(one, clients), return_exceptions=True)
    stuck = sum(ending != "agent_completed" for ending in endings)
    equal("visitors whose accepted message did not end", 0, stuck)
    busy = await world.connect()
    sessions = [await busy.accepted() for _ in range(10)]
    for session in sessions:
        equal("ending", "agent_completed", (await busy.ending(session, 20.0)).type)


@check("sessions: GET by its visitor 200 with the result, another 403 or 404, nobody 401")
async def session_get(world: World):
    client = await world.connect()
    session = await client.accepted()
    done = await client.ending(session)
    other = await world.visitor()
    for suffix in ("", "/report.json", "/report.md", "/report.html"):
        path = f"{API}/sessions/{session}{suffix}"
        own = await world.target.request("GET", path, client.visitor.bearer)
        equal(f"status of {suffix or 'the session'}", 200, own.status)
        foreign = await world.target.request("GET", path, other.bearer)
        one_of("status for another visitor", (403, 404), foreign.status)
        must(session not in foreign.body.decode() or suffix == "", "no content", foreign.body[:200])
        equal("status for nobody", 401, (await world.target.request("GET", path)).status)
    answer = await world.target.request("GET", f"{API}/sessions/{session}", client.visitor.bearer)
    must(done.payload["result"]["summary"] in find_strings(answer.json()), "the result's summary", answer.body[:300])


@check("sessions: an unknown or malformed id is 404 or 400")
async def session_unknown(world: World):
    visitor = await world.visitor()
    for name in ("0" * 32, "nope", "..%2f..", "%00", "x" * 300):
        answer = await world.target.request("GET", f"{API}/sessions/{name}", visitor.bearer)
        one_of(f"status of {name[:20]}", (400, 404), answer.status)


@check("sessions: ids are unguessable (128 bits and different)")
async def session_ids(world: World):
    client = await world.connect()
    ids = [await client.accepted() for _ in range(4)]
    equal("different ids", 4, len(set(ids)))
    for one in ids:
        must(len(one) >= 20, "at least 20 characters", one)
    shared = len(shared_prefix(ids))
    must(len(ids[0]) - shared >= 16, "16 characters and more beyond a shared beginning", ids)


def shared_prefix(words: list[str]) -> str:
    first, last = min(words), max(words)
    same = next((i for i, (a, b) in enumerate(zip(first, last)) if a != b), len(first))
    return first[:same]


def find_strings(value) -> list[str]:
    """Every text anywhere in a JSON value."""
    match value:
        case str():
            return [value]
        case list():
            return [text for item in value for text in find_strings(item)]
        case dict():
            return [text for item in value.values() for text in find_strings(item)]
    return []


def find_numbers(value) -> list[float]:
    """Every number anywhere in a JSON value; texts are not searched."""
    match value:
        case bool():
            return []
        case int() | float():
            return [value]
        case list():
            return [number for item in value for number in find_numbers(item)]
        case dict():
            return [number for item in value.values() for number in find_numbers(item)]
    return []


def content_check(millions: int, monthly: float):
    """1000 tokens in at 2.50 and 200 out at 10 USD a million: 0.0045 USD a request."""
    @check(f"content: {millions}M requests a month on gpt-4o cost {monthly:g} USD a month now")
    async def run(world: World):
        client = await world.connect()
        done = await client.ending(await client.accepted(COST.replace("1M", f"{millions}M")))
        equal("ending", "agent_completed", done.type)
        result = done.payload["result"]
        for place in ("quantities", "provenance"):
            must(result.get(place), f"something in {place}", result.get(place))
        looked_at = {key: result.get(key) for key in ("quantities", "headline", "provenance", "business_impact")}
        numbers = find_numbers(looked_at)
        must(any(math.isclose(number, monthly, rel_tol=1e-6) for number in numbers),
             f"{monthly:g} in quantities, headline, provenance or impact", sorted(set(numbers))[-30:])
        volumes = [q for q in result["quantities"] if math.isclose(number_of(q["value"]), millions * 1e6)]
        must(any(q["source"] == "message" for q in volumes), f"{millions}M requests taken from the message", volumes)


def number_of(value) -> float:
    return float(value) if isinstance(value, (int, float)) else math.nan


content_check(1, 4500.0)
content_check(2, 9000.0)


@check("content: every category answers with its own optimization_type")
async def categories(world: World):
    client = await world.connect()
    kinds = {}
    for category in ("cost-optimization", "latency-optimization", "model-selection", "scaling", "advanced"):
        done = await client.ending(await client.accepted(LONG, category=category, complexity="advanced"))
        equal(f"ending of {category}", "agent_completed", done.type)
        kinds[category] = done.payload["result"]["optimization_type"]
    equal("different types", 5, len(set(kinds.values())))


@check("content: text that looks like a script or a template comes back as text only")
async def hostile_text(world: World):
    client = await world.connect()
    content = COST + " <script>alert(1)</script> {{7*7}} ${jndi:ldap://x} ' OR 1=1 -- \u202e"
    done = await client.ending(await client.accepted(content))
    equal("ending", "agent_completed", done.type)
    report = await world.target.request("GET", f"{API}/sessions/{done.session_id}/report.html", client.visitor.bearer)
    must(b"<script>alert" not in report.body, "no script in the report", "a script")


@check("a frame to a client stays under 256 KiB")
async def frame_size(world: World):
    client = await world.connect()
    await client.ending(await client.accepted(LONG + " " + "word " * 300, category="advanced", complexity="advanced"))
    must(max(len(f.raw) for f in client.wire) < 256 * 1024, "under 256 KiB", max(len(f.raw) for f in client.wire))


@check("no credential of the visitor comes back in any frame")
async def no_secret(world: World):
    client = await world.connect()
    await client.ending(await client.accepted())
    everything = json.dumps([f.body for f in client.wire])
    must(client.visitor.token not in everything, "no token", "the token")
