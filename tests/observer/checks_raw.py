"""Malformed WebSocket frames: the closing code, and that others are not disturbed."""

from __future__ import annotations

import asyncio
import struct

from harness import CannotTell, World, check, equal, must, one_of
from wire import CLOSE, CONTINUATION, PING, PONG, TEXT, RawSocket, encode_frame

MAX_FRAME = 64 * 1024

# name: (bytes on the wire, the closing code)
MALFORMED = {
    "unmasked frame": (encode_frame(TEXT, b"{}", mask=False), 1002),
    "RSV1": (encode_frame(TEXT, b"{}", rsv=4), 1002),
    "RSV2": (encode_frame(TEXT, b"{}", rsv=2), 1002),
    "RSV3": (encode_frame(TEXT, b"{}", rsv=1), 1002),
    "reserved opcode 3": (encode_frame(0x3, b"x"), 1002),
    "reserved opcode 11": (encode_frame(0xB, b"x"), 1002),
    "control frame of 126 bytes": (encode_frame(PING, b"x" * 126), 1002),
    "fragmented control frame": (encode_frame(PING, b"x", fin=False), 1002),
    "continuation of nothing": (encode_frame(CONTINUATION, b"x"), 1002),
    "text within a fragmented text": (encode_frame(TEXT, b"a", fin=False) + encode_frame(TEXT, b"b"), 1002),
    "close code 1005": (encode_frame(CLOSE, struct.pack("!H", 1005)), 1002),
    "close code 999": (encode_frame(CLOSE, struct.pack("!H", 999)), 1002),
    "close of one byte": (encode_frame(CLOSE, b"\x03"), 1002),
    "invalid UTF-8": (encode_frame(TEXT, b'{"type":"ping","payload":{"nonce":"\xff"}}'), 1007),
    "overlong UTF-8": (encode_frame(TEXT, b'"\xc0\xaf"'), 1007),
    "surrogate in UTF-8": (encode_frame(TEXT, b'"\xed\xa0\x80"'), 1007),
    "UTF-8 that stops within a code point": (encode_frame(TEXT, b'"\xc3'), 1007),
    "close reason not UTF-8": (encode_frame(CLOSE, struct.pack("!H", 1000) + b"\xff"), 1007),
    "64 KiB + 1": (encode_frame(TEXT, b"x" * (MAX_FRAME + 1)), 1009),
    "header that claims 2^40": (encode_frame(TEXT, b"", claim=1 << 40), 1009),
    "header that claims 2^63": (encode_frame(TEXT, b"", claim=1 << 63), (1002, 1009)),
    "fragments beyond 64 KiB": (
        encode_frame(TEXT, b"x" * 40000, fin=False) + encode_frame(CONTINUATION, b"x" * 40000, fin=False), 1009),
}


async def upgraded(world: World) -> RawSocket:
    visitor = await world.visitor()
    socket = await RawSocket.open(world.target, visitor.path(), visitor.bearer)
    await socket.read_json("connection_established")
    return socket


async def write_all(socket: RawSocket, data: bytes):
    """The server may close while we still write: the code is then in what it sent before."""
    try:
        await socket.write(data)
    except ConnectionError:
        pass


def malformed(name: str, data: bytes, codes):
    codes = codes if isinstance(codes, tuple) else (codes,)

    @check(f"closes with {' or '.join(map(str, codes))}: {name}")
    async def run(world: World):
        socket = await upgraded(world)
        await write_all(socket, data)
        one_of("close code", codes, await socket.closing())


for _name, (_data, _codes) in MALFORMED.items():
    malformed(_name, _data, _codes)


@check("closes with 1009: one-byte fragments without an end")
async def endless_fragments(world: World):
    socket = await upgraded(world)
    await write_all(socket, encode_frame(TEXT, b"x", fin=False))
    piece = encode_frame(CONTINUATION, b"x", fin=False)
    reading = asyncio.create_task(socket.closing())
    for _ in range(MAX_FRAME // 1024 + 1):
        await write_all(socket, piece * 1024)
    one_of("close code", (1009, 1008), await reading)


@check("closes: 10000 empty continuations")
async def empty_continuations(world: World):
    socket = await upgraded(world)
    await write_all(socket, encode_frame(TEXT, b"", fin=False))
    await write_all(socket, encode_frame(CONTINUATION, b"", fin=False) * 10_000)
    one_of("close code", (1008, 1009, 4103), await socket.closing())


@check("a message of exactly 64 KiB is within the limit")
async def largest(world: World):
    socket = await upgraded(world)
    head, tail = b'{"type":"ping","payload":{"nonce":"n"},"pad":"', b'"}'
    await socket.send(TEXT, head + b"x" * (MAX_FRAME - len(head) - len(tail)) + tail)
    frame = await socket.read_json()
    one_of("type", ("pong", "error"), frame["type"])
    await socket.send_json("ping", {"nonce": "alive"})
    equal("after it", "pong", (await socket.read_json("pong"))["type"])


@check("a protocol ping is answered with its payload")
async def protocol_ping(world: World):
    socket = await upgraded(world)
    await socket.send(PING, b"beat")
    while True:
        opcode, payload = await socket.read()
        if opcode == PONG:
            return equal("payload", b"beat", payload)


@check("a close is answered with a close")
async def close_echo(world: World):
    socket = await upgraded(world)
    await socket.send(CLOSE, struct.pack("!H", 1000) + b"done")
    equal("close code", 1000, await socket.closing())


@check("half a frame disturbs nobody")
async def half_frame(world: World):
    socket = await upgraded(world)
    await socket.write(encode_frame(TEXT, b"x" * 1000)[:300])
    other = await world.connect()
    await other.barrier()
    socket.cut()
    await other.barrier()


@check("closes with 4103: ping flood")
async def ping_flood(world: World):
    socket = await upgraded(world)
    reading = asyncio.create_task(socket.closing(30))
    for _ in range(400):
        await write_all(socket, encode_frame(PING, b"x") * 50)
        await asyncio.sleep(0.005)
        if reading.done():
            break
    equal("close code", 4103, await reading)


@check("memory stays flat under 32 headers that claim 2^40", slow=True)
async def claimed_memory(world: World):
    if world.server_pid is None:
        raise CannotTell("no --server-pid")
    before = resident_kib(world.server_pid)
    for _ in range(4):
        sockets = [await upgraded(world) for _ in range(8)]
        for socket in sockets:
            await write_all(socket, encode_frame(TEXT, b"", claim=1 << 40))
        for socket in sockets:
            await socket.closing()
            socket.cut()
    grown = resident_kib(world.server_pid) - before
    must(grown < 8 * 1024, "growth under 8 MiB", f"{grown} KiB")


def resident_kib(pid: int) -> int:
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


@check("closes with 4101: neither a frame nor a pong", slow=True)
async def idle(world: World):
    socket = await upgraded(world)
    equal("close code", 4101, await socket.closing(200))
