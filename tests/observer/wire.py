"""Bytes on a TLS socket: HTTP/1.1 and WebSocket frames written by hand.

A client library refuses to send what a hostile peer would send, so everything
malformed is written here, on `asyncio` streams, with nothing but the standard
library. Only what the published protocol says is assumed of the server.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import ssl
import struct
from dataclasses import dataclass, field
from urllib.parse import urlsplit

API = "/api/v1/example-messages"
SUBPROTOCOL = "emflow.v1"

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA

# Longer than any limit the protocol names for an answer; shorter than a person's patience.
PATIENCE = 15.0


class Refused(Exception):
    """The server answered an upgrade with something other than 101."""

    def __init__(self, answer: "Answer"):
        super().__init__(f"{answer.status} {answer.body[:200]!r}")
        self.answer = answer


@dataclass
class Answer:
    """One HTTP answer; header names in lower case, repeated ones kept."""

    status: int
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key == name.lower()), None)

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key == name.lower()]

    def json(self):
        return json.loads(self.body)


class Target:
    """Where the server is, and whom to trust for it."""

    def __init__(self, url: str, ca: str):
        parts = urlsplit(url)
        if parts.scheme != "https" or not parts.hostname:
            raise ValueError(f"not an https address: {url}")
        self.host, self.port = parts.hostname, parts.port or 443
        self.context = ssl.create_default_context(cafile=ca)
        self.context.set_alpn_protocols(["http/1.1"])

    @property
    def authority(self) -> str:
        return f"{self.host}:{self.port}"

    @property
    def origin(self) -> str:
        return f"https://{self.authority}"

    async def open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        opening = asyncio.open_connection(self.host, self.port, ssl=self.context, limit=1 << 20)
        return await asyncio.wait_for(opening, PATIENCE)

    async def request(self, method: str, path: str, headers=(), body: bytes = b"") -> Answer:
        """One exchange on a connection of its own."""
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self.authority}", "Connection: close"]
        lines += [f"{name}: {value}" for name, value in headers]
        if body or method in ("POST", "PUT", "PATCH"):
            lines.append(f"Content-Length: {len(body)}")
        answers = await self.exchange("\r\n".join(lines).encode() + b"\r\n\r\n" + body, method=method)
        if not answers:
            raise ConnectionError(f"{method} {path}: closed without an answer")
        return answers[0]

    async def post_json(self, path: str, value, headers=()) -> Answer:
        headers = [("Content-Type", "application/json"), *headers]
        return await self.request("POST", path, headers, json.dumps(value).encode())

    async def exchange(self, data: bytes, method="GET", patience=PATIENCE) -> list[Answer]:
        """Writes `data` as it is and reads answers until the server closes.

        An open connection after `patience` seconds ends the reading too; the
        caller that cares whether it was closed uses `exchange_closed`.
        """
        return (await self.exchange_closed(data, method, patience))[0]

    async def exchange_closed(self, data: bytes, method="GET", patience=PATIENCE):
        """Like `exchange`; also says whether the server closed the connection."""
        reader, writer = await self.open()
        answers: list[Answer] = []
        try:
            writer.write(data)
            await writer.drain()
            while True:
                answer = await asyncio.wait_for(read_answer(reader, method), patience)
                if answer is None:
                    return answers, True
                answers.append(answer)
        except (ConnectionError, ssl.SSLError, asyncio.IncompleteReadError):
            return answers, True
        except asyncio.TimeoutError:
            return answers, False
        finally:
            writer.close()


async def read_answer(reader: asyncio.StreamReader, method="GET") -> Answer | None:
    """The next answer, or None where the peer closed before its first byte."""
    head = await reader.readline()
    if not head:
        return None
    parts = head.decode("latin-1").split(" ", 2)
    if not parts[0].startswith("HTTP/1."):
        raise ConnectionError(f"not HTTP: {head[:80]!r}")
    answer = Answer(int(parts[1]))
    while (line := (await reader.readline()).decode("latin-1").strip()):
        name, _, value = line.partition(":")
        answer.headers.append((name.strip().lower(), value.strip()))
    if answer.status in (101, 204, 304) or method == "HEAD":
        return answer
    answer.body = await read_body(reader, answer)
    return answer


async def read_body(reader: asyncio.StreamReader, answer: Answer) -> bytes:
    if "chunked" in (answer.header("transfer-encoding") or ""):
        body = b""
        while (size := int((await reader.readline()).split(b";")[0], 16)):
            body += (await reader.readexactly(size + 2))[:-2]
        await reader.readline()
        return body
    length = answer.header("content-length")
    return await (reader.readexactly(int(length)) if length else reader.read())


def upgrade_request(target: Target, path: str, headers=(), subprotocol: str | None = SUBPROTOCOL) -> bytes:
    key = base64.b64encode(os.urandom(16)).decode()
    lines = [
        f"GET {path} HTTP/1.1", f"Host: {target.authority}", "Connection: Upgrade",
        "Upgrade: websocket", "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {key}",
    ]
    if subprotocol is not None:
        lines.append(f"Sec-WebSocket-Protocol: {subprotocol}")
    lines += [f"{name}: {value}" for name, value in headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


def encode_frame(opcode: int, payload: bytes = b"", *, fin=True, rsv=0, mask=True, claim: int | None = None) -> bytes:
    """A WebSocket frame; `claim` is the length the header states where it is not the true one."""
    size = len(payload) if claim is None else claim
    first = (0x80 if fin else 0) | (rsv << 4) | opcode
    flag = 0x80 if mask else 0
    if size < 126:
        head = struct.pack("!BB", first, flag | size)
    elif size < 1 << 16:
        head = struct.pack("!BBH", first, flag | 126, size)
    else:
        head = struct.pack("!BBQ", first, flag | 127, size)
    if not mask:
        return head + payload
    key = os.urandom(4)
    repeated = (key * (len(payload) // 4 + 1))[: len(payload)]
    masked = int.from_bytes(payload, "big") ^ int.from_bytes(repeated, "big")
    return head + key + masked.to_bytes(len(payload), "big")


class RawSocket:
    """An upgraded connection on which any bytes may be written."""

    def __init__(self, reader, writer, answer: Answer):
        self.reader, self.writer, self.answer = reader, writer, answer

    @classmethod
    async def open(cls, target: Target, path: str, headers=(), subprotocol: str | None = SUBPROTOCOL) -> "RawSocket":
        reader, writer = await target.open()
        writer.write(upgrade_request(target, path, headers, subprotocol))
        answer = await asyncio.wait_for(read_answer(reader), PATIENCE)
        if answer is None:
            raise ConnectionError("closed during the upgrade")
        if answer.status != 101:
            writer.close()
            raise Refused(answer)
        return cls(reader, writer, answer)

    async def send(self, opcode: int, payload: bytes = b"", **shape):
        await self.write(encode_frame(opcode, payload, **shape))

    async def write(self, data: bytes):
        self.writer.write(data)
        await self.writer.drain()

    async def send_json(self, kind: str, payload):
        await self.send(TEXT, json.dumps({"type": kind, "payload": payload}).encode())

    async def read(self, patience=PATIENCE) -> tuple[int, bytes]:
        """The next frame as (opcode, payload); servers do not fragment or mask here."""
        async def one():
            first, second = await self.reader.readexactly(2)
            size = second & 0x7F
            if size == 126:
                (size,) = struct.unpack("!H", await self.reader.readexactly(2))
            elif size == 127:
                (size,) = struct.unpack("!Q", await self.reader.readexactly(8))
            return first & 0x0F, await self.reader.readexactly(size)

        return await asyncio.wait_for(one(), patience)

    async def read_json(self, kind: str | None = None) -> dict:
        """The next JSON frame of that type; others on the way are skipped."""
        while True:
            opcode, payload = await self.read()
            if opcode == CLOSE:
                raise ConnectionError(f"closed with {close_code(payload)}")
            if opcode == TEXT:
                frame = json.loads(payload)
                if kind in (None, frame["type"]):
                    return frame

    async def closing(self, patience=PATIENCE) -> int | str:
        """The code with which the server closes, or what happened instead."""
        try:
            while True:
                opcode, payload = await self.read(patience)
                if opcode == CLOSE:
                    return close_code(payload)
        except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
            return "connection cut without a close frame"
        except asyncio.TimeoutError:
            return "still open"

    def cut(self):
        """Ends the connection without a goodbye."""
        self.writer.transport.abort()


def close_code(payload: bytes) -> int | str:
    return struct.unpack("!H", payload[:2])[0] if len(payload) >= 2 else "close frame without a code"
