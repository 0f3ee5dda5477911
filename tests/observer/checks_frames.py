"""What the server says on a socket, and what it answers to frames it must refuse."""

from __future__ import annotations

import json
import re
from datetime import datetime, timezone

from client import COST, ENDINGS, chat_message, new_id
from harness import World, check, equal, must, one_of
from wire import BINARY, CONTINUATION, TEXT, RawSocket

GREETING = ("connection_id", "user_id", "epoch", "recovered", "last_sequence", "acknowledged_sequence",
            "oldest_sequence", "retention_ms", "heartbeat_interval_ms", "server_version", "limits")
ENVELOPE = {"type", "sequence", "epoch", "session_id", "timestamp", "payload"}
TIMESTAMP = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
FIELDS = {
    "processing_started": ("example_message_id", "category", "complexity", "estimated_time", "resumed"),
    "agent_started": ("agent_name", "backend"),
    "agent_thinking": ("message",),
    "tool_executing": ("tool_name", "message", "progress"),
    "partial_result": ("message",),
    "agent_completed": ("result", "processing_time_ms", "real_agent_execution", "fallback_reason"),
}
RESULT = ("agent_name", "optimization_type", "summary", "quantities", "findings", "recommendations", "tables",
          "charts", "business_impact", "implementation_guidance", "success_metrics", "business_insights",
          "provenance", "execution")


@check("greeting: first frame, with every field")
async def greeting(world: World):
    visitor = await world.visitor()
    client = await world.connect(visitor)
    first = client.wire[0]
    equal("type", "connection_established", first.type)
    must(first.sequence is None, "no sequence on a control frame", first.sequence)
    for name in GREETING:
        must(name in first.payload, f"{name} in the greeting", sorted(first.payload))
    equal("user_id", visitor.user_id, first.payload["user_id"])
    equal("recovered", True, first.payload["recovered"])
    equal("acknowledged_sequence", 0, first.payload["acknowledged_sequence"])
    equal("last_sequence", 0, first.payload["last_sequence"])
    await client.close()


@check("greeting: connection ids differ, the epoch does not")
async def greeting_ids(world: World):
    visitor = await world.visitor()
    one, two = await world.connect(visitor), await world.connect(visitor)
    must(one.greeting.payload["connection_id"] != two.greeting.payload["connection_id"], "different connection ids", "equal ones")
    equal("epoch", one.greeting.payload["epoch"], two.greeting.payload["epoch"])


@check("session: frames in order, from processing_started to agent_completed")
async def session_order(world: World):
    client = await world.connect()
    message_id = new_id()
    session = await client.accepted(message_id=message_id)
    await client.ending(session)
    frames = client.mailbox.of(session)
    types = [frame.type for frame in frames]
    equal("first types", ["processing_started", "agent_started"], types[:2])
    equal("last type", "agent_completed", types[-1])
    equal("number of endings", 1, sum(kind in ENDINGS for kind in types))
    for kind in types[2:-1]:
        one_of("type between", ("agent_thinking", "tool_executing", "partial_result"), kind)
    for kind in ("agent_thinking", "tool_executing"):
        must(kind in types, f"a frame {kind}", types)
    equal("example_message_id", message_id, frames[0].payload["example_message_id"])
    equal("category", "cost-optimization", frames[0].payload["category"])
    equal("complexity", "basic", frames[0].payload["complexity"])
    equal("resumed", False, frames[0].payload["resumed"])


@check("session: payload fields of every type")
async def payload_fields(world: World):
    client = await world.connect()
    session = await client.accepted()
    await client.ending(session)
    for frame in client.mailbox.of(session):
        for name in FIELDS[frame.type]:
            must(name in frame.payload, f"{name} in {frame.type}", sorted(frame.payload))
        if frame.type == "tool_executing":
            must(0 <= frame.payload["progress"] <= 1, "progress within 0..1", frame.payload["progress"])


@check("session: the result has every section")
async def result_sections(world: World):
    client = await world.connect()
    done = await client.ending(await client.accepted())
    equal("type", "agent_completed", done.type)
    for name in RESULT:
        must(name in done.payload["result"], f"{name} in the result", sorted(done.payload["result"]))
    for quantity in done.payload["result"]["quantities"]:
        for name in ("name", "value", "unit", "source"):
            must(name in quantity, f"{name} in a quantity", quantity)
        one_of("source", ("message", "assumption", "catalog"), quantity["source"])


@check("envelope: exactly the fields, RFC 3339 UTC with milliseconds, UTF-8 JSON")
async def envelope(world: World):
    client = await world.connect()
    session = await client.accepted()
    await client.ending(session)
    for frame in client.mailbox.of(session):
        equal("fields", ENVELOPE, set(frame.body))
        must(TIMESTAMP.match(frame.body["timestamp"]), "a timestamp like 2026-01-31T12:00:00.000Z", frame.body["timestamp"])
        when = datetime.fromisoformat(frame.body["timestamp"].replace("Z", "+00:00"))
        must(abs((datetime.now(timezone.utc) - when).total_seconds()) < 300, "the present", frame.body["timestamp"])
        frame.raw.decode("utf-8")


@check("sequence: from 1 without a gap, per visitor")
async def sequences(world: World):
    for client in (await world.connect(), await world.connect()):
        for _ in range(2):
            await client.ending(await client.accepted())
        numbers = [frame.sequence for frame in client.wire if frame.sequence is not None]
        equal("sequences", list(range(1, len(numbers) + 1)), numbers)
        equal("faults at the client", [], client.mailbox.faults)


@check("message_accepted comes before the session's first frame")
async def accepted_first(world: World):
    client = await world.connect()
    session = await client.accepted()
    await client.ending(session)
    order = [f.type for f in client.wire if f.type == "message_accepted" or f.session_id == session]
    equal("first", "message_accepted", order[0])


@check("ping: pong with the same nonce; without a nonce too")
async def pings(world: World):
    client = await world.connect()
    await client.barrier()
    await client.send("ping", {})
    await client.control("pong")


@check("track: a known event is taken, an unknown one refused")
async def tracks(world: World):
    client = await world.connect()
    for event in ("example_opened", "result_viewed", "report_exported", "call_to_action", "upgrade_clicked"):
        await client.send("track", {"event": event, "properties": {"place": "observer"}})
    await client.barrier()
    equal("control errors", [], [f.body for f in client.wire if f.type == "error"])
    await client.send("track", {"event": "no_such_event"})
    error(await client.control("error", "pong"))


def error(frame) -> dict:
    """A control error, in form."""
    equal("type", "error", frame.type)
    must(frame.sequence is None, "a control frame", frame.body)
    for name in ("code", "message", "temporary"):
        must(name in frame.payload, f"{name} in the control error", frame.payload)
    must(isinstance(frame.payload["temporary"], bool), "temporary is a boolean", frame.payload)
    return frame.payload


# Each must be answered by a control error and leave the socket alive.
BAD_TEXTS = {
    "bad JSON": b"{",
    "not an object": b"[]",
    "a number": b"17",
    "unknown type": b'{"type":"no_such_type","payload":{}}',
    "no type": b'{"payload":{}}',
    "no payload": b'{"type":"ack"}',
    "payload of the wrong kind": b'{"type":"ack","payload":[]}',
    "missing field": b'{"type":"ack","payload":{}}',
    "NaN": b'{"type":"ack","payload":{"sequence":NaN}}',
    "lone surrogate": b'{"type":"ping","payload":{"nonce":"\\ud800"}}',
    "depth 10000": b'{"type":"ping","payload":{"nonce":' + b"[" * 10000 + b"]" * 10000 + b"}}",
    "long number": b'{"type":"ack","payload":{"sequence":' + b"9" * 60000 + b"}}",
    "duplicate keys": b'{"type":"ack","payload":{"sequence":0,"sequence":0}}',
    "type twice": b'{"type":"ack","type":"ping","payload":{"sequence":0}}',
    "server's own type": b'{"type":"message_accepted","payload":{}}',
    "type in capitals": b'{"type":"PING","payload":{}}',
    "empty": b"",
    "trailing garbage": b'{"type":"ping","payload":{}} x',
    "byte order mark": b'\xef\xbb\xbf{"type":"ping","payload":{}}',
}


def bad_text(name: str, data: bytes):
    @check(f"refused with a control error: {name}")
    async def run(world: World):
        visitor = await world.visitor()
        socket = await RawSocket.open(world.target, visitor.path(), visitor.bearer)
        await socket.read_json("connection_established")
        await socket.send(TEXT, data)
        frame = await socket.read_json()
        equal("type", "error", frame["type"])
        for field in ("code", "message", "temporary"):
            must(field in frame["payload"], f"{field} in the error", frame["payload"])
        await socket.send_json("ping", {"nonce": "alive"})
        equal("after it", "pong", (await socket.read_json())["type"])
        socket.cut()


for _name, _data in BAD_TEXTS.items():
    bad_text(_name, _data)


@check("refused with a control error: binary frame")
async def binary(world: World):
    visitor = await world.visitor()
    socket = await RawSocket.open(world.target, visitor.path(), visitor.bearer)
    await socket.read_json("connection_established")
    await socket.send(BINARY, b'{"type":"ping","payload":{}}')
    equal("type", "error", (await socket.read_json())["type"])
    await socket.send_json("ping", {"nonce": "alive"})
    equal("after it", "pong", (await socket.read_json())["type"])


@check("the control error names the field")
async def names_field(world: World):
    client = await world.connect()
    await client.send("ack", {})
    payload = error(await client.control("error", "pong"))
    must("sequence" in json.dumps(payload), "the field named", payload)


@check("the tenth bad frame closes with 4500, the ninth does not")
async def tenth(world: World):
    client = await world.connect()
    for number in range(9):
        await client.send("no_such_type", {})
        error(await client.control("error"))
    await client.barrier()
    await client.send("no_such_type", {})
    equal("close code", 4500, await client.closing())


@check("the tenth binary frame closes with 4500 or 1003")
async def tenth_binary(world: World):
    visitor = await world.visitor()
    socket = await RawSocket.open(world.target, visitor.path(), visitor.bearer)
    for _ in range(10):
        await socket.send(BINARY, b"\x00")
    one_of("close code", (4500, 1003), await socket.closing())


@check("validation: all faults at once, by field, and the connection stays")
async def all_faults(world: World):
    client = await world.connect()
    payload = chat_message("someone-else", "short", "bad id!", title="", category="none",
                           complexity="hard", businessValue="fun", estimatedTime="x" * 41)
    await client.send("chat_message", payload)
    fields = json.dumps(error(await client.control("error")).get("fields"))
    for name in ("content", "example_message_id", "title", "category", "complexity", "usiness", "stimated", "user_id"):
        must(name in fields, f"{name} among the fields", fields)
    await client.barrier()
    await client.ending(await client.accepted())


CONTENTS = {
    "10 characters": ("x" * 9 + "y", True), "9 characters": ("x" * 9, False),
    "2000 characters": ("é" * 2000, True), "2001 characters": ("é" * 2001, False),
    "10 scalar values beyond the basic plane": ("\U0001f600" * 10, True),
    "9 scalar values beyond the basic plane": ("\U0001f600" * 9, False),
    "9 characters and blanks around": ("   " + "x" * 9 + " \n\t ", False),
    "2000 characters and blanks around": ("  " + "x" * 2000 + "  ", True),
    "only blanks": (" " * 40, False),
}


@check("validation: the length of content, in scalar values after trimming")
async def content_length(world: World):
    for name, (content, valid) in CONTENTS.items():
        client = await world.connect()
        answer = await client.submit(content)
        equal(f"answer to {name}", "message_accepted" if valid else "error", answer.type)
        await client.close()


CHANGES = {
    "title 200": ({"title": "t" * 200}, True), "title 201": ({"title": "t" * 201}, False),
    "id 128": ({"message_id": "i" * 128}, True), "id 129": ({"message_id": "i" * 129}, False),
    "id empty": ({"message_id": ""}, None), "id A-Za-z0-9._:-": ({"message_id": "aZ0._:-"}, True),
    "id with a slash": ({"message_id": "a/b"}, False), "id with a line end": ({"message_id": "a\n"}, False),
    "estimatedTime 40": ({"estimatedTime": "e" * 40}, True), "estimatedTime 41": ({"estimatedTime": "e" * 41}, False),
    "user_id of another": ({"user_id": "someone"}, False), "content a number": ({"content": 17}, False),
    "timestamp text": ({"timestamp": "now"}, False), "unknown field": ({"no_such_field": {"a": 1}}, True),
    "metadata absent": ({"example_message_metadata": None}, False),
    "category in capitals": ({"category": "Scaling"}, False),
}


@check("validation: the other fields, at and beyond their limits")
async def field_limits(world: World):
    for name, (change, valid) in CHANGES.items():
        client = await world.connect()
        change = dict(change)
        message_id = change.pop("message_id", new_id())
        payload = chat_message(client.visitor.user_id, COST, message_id, **change)
        await client.send("chat_message", payload)
        answer = await client.control("message_accepted", "error")
        equal(f"answer to {name}", "message_accepted" if valid else "error", answer.type)
        await client.close()


@check("validation: business_value and estimated_time are aliases")
async def aliases(world: World):
    client = await world.connect()
    payload = chat_message(client.visitor.user_id, COST, new_id())
    metadata = payload["example_message_metadata"]
    metadata["business_value"] = metadata.pop("businessValue")
    metadata["estimated_time"] = metadata.pop("estimatedTime")
    await client.send("chat_message", payload)
    equal("answer", "message_accepted", (await client.control("message_accepted", "error")).type)


@check("a message split into fragments, and within a code point, is one message")
async def fragments(world: World):
    visitor = await world.visitor()
    socket = await RawSocket.open(world.target, visitor.path(), visitor.bearer)
    await socket.read_json("connection_established")
    data = json.dumps({"type": "ping", "payload": {"nonce": "gr\u00fc\u00df"}}, ensure_ascii=False).encode()
    cut = data.index("ü".encode()) + 1
    await socket.send(TEXT, data[:cut], fin=False)
    await socket.send(CONTINUATION, data[cut:])
    equal("nonce", "gr\u00fc\u00df", (await socket.read_json("pong"))["payload"]["nonce"])
