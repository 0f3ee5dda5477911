"""An independent client of `emflow.v1`, written from the published protocol alone.

It keeps every frame as the bytes that came, applies each sequence once, and
acknowledges by a policy the test chooses. Nothing of the product is imported.
"""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import json
import random
import time
from dataclasses import dataclass, field

from websockets.asyncio.client import connect as ws_connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from wire import API, PATIENCE, SUBPROTOCOL, Answer, Refused, Target

ENDINGS = ("agent_completed", "error", "session_cancelled", "session_expired")
# The protocol's bound on frames to clients.
MAX_FRAME_TO_CLIENT = 256 * 1024

_numbers = itertools.count(1)


class History:
    """What one party saw, as JSON lines with its own monotonic clock (nanoseconds)."""

    def __init__(self, path: str | None = None):
        self.file = open(path, "a", encoding="utf-8") if path else None
        self.events: list[dict] = []

    def add(self, ev: str, **facts):
        event = {"t": time.monotonic_ns(), "ev": ev, **facts}
        self.events.append(event)
        if self.file:
            self.file.write(json.dumps(event) + "\n")
            self.file.flush()


@dataclass
class Visitor:
    """A visitor with the credentials the server gave."""

    user_id: str
    token: str
    cookie: str

    @property
    def bearer(self) -> list[tuple[str, str]]:
        return [("Authorization", f"Bearer {self.token}")]

    @classmethod
    async def create(cls, target: Target) -> "Visitor":
        answer = await target.post_json("/api/v1/visitors", {})
        if answer.status != 201:
            raise ConnectionError(f"POST /api/v1/visitors: {answer.status} {answer.body[:200]!r}")
        body = answer.json()
        cookie = next((c.split(";")[0] for c in answer.all("set-cookie")
                       if c.startswith("__Host-emflow_visitor=")), "")
        return cls(body["user_id"], body["token"], cookie)

    def path(self, query: str = "") -> str:
        return f"{API}/ws/{self.user_id}" + (f"?{query}" if query else "")

    async def ticket(self, target: Target) -> str:
        answer = await target.post_json("/api/v1/tickets", {}, self.bearer)
        return answer.json()["ticket"]


@dataclass(frozen=True)
class Frame:
    """One frame as it came."""

    raw: bytes
    at: int
    body: dict

    @property
    def type(self):
        return self.body.get("type")

    @property
    def payload(self) -> dict:
        return self.body.get("payload", {})

    @property
    def sequence(self) -> int | None:
        return self.body.get("sequence")

    @property
    def epoch(self):
        return self.body.get("epoch")

    @property
    def session_id(self):
        return self.body.get("session_id")

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.raw).hexdigest()

    @property
    def ends(self) -> bool:
        return self.sequence is not None and self.type in ENDINGS


@dataclass
class Mailbox:
    """The application's state across sockets: each sequence applied once, in order."""

    epoch: object = None
    last: int = 0
    applied: list[Frame] = field(default_factory=list)
    digests: dict = field(default_factory=dict)
    duplicates: int = 0
    faults: list[str] = field(default_factory=list)

    def greet(self, greeting: Frame, asked: int | None):
        """Learns where sending starts; `asked` is the `last_sequence` of the request."""
        facts = greeting.payload
        known, self.epoch = self.epoch, facts["epoch"]
        if not facts["recovered"] or known is None or asked == 0:
            from_oldest = not facts["recovered"] or asked == 0
            start = facts["oldest_sequence"] if from_oldest else facts["acknowledged_sequence"] + 1
            fresh = known != self.epoch or not facts["recovered"]
            self.last = start - 1 if fresh else max(self.last, start - 1)

    def take(self, frame: Frame) -> str:
        key = (frame.epoch, frame.sequence)
        if self.digests.setdefault(key, frame.digest) != frame.digest:
            self.faults.append(f"{key} came again with other bytes")
        if frame.epoch != self.epoch:
            self.faults.append(f"{key}: epoch is not the greeting's {self.epoch}")
            return "stale"
        if frame.sequence <= self.last:
            self.duplicates += 1
            return "duplicate"
        if frame.sequence != self.last + 1:
            self.faults.append(f"{key} came after {self.last}")
            return "gap"
        self.last = frame.sequence
        self.applied.append(frame)
        return "applied"

    def of(self, session_id: str) -> list[Frame]:
        return [frame for frame in self.applied if frame.session_id == session_id]

    def ending(self, session_id: str) -> Frame | None:
        return next((frame for frame in self.of(session_id) if frame.ends), None)


def chat_message(user_id: str, content: str, message_id: str, /, **changes) -> dict:
    """A valid `chat_message` payload; `changes` replace fields, metadata fields among them."""
    metadata = {
        "title": "Observer", "category": "cost-optimization", "complexity": "basic",
        "businessValue": "conversion", "estimatedTime": "30 seconds", "agent_preferences": {},
    }
    metadata.update({key: changes.pop(key) for key in list(changes) if key in metadata})
    payload = {
        "content": content, "example_message_id": message_id, "example_message_metadata": metadata,
        "user_id": user_id, "timestamp": int(time.time() * 1000),
    }
    payload.update(changes)
    return payload


def new_id(prefix: str = "obs") -> str:
    return f"{prefix}-{time.time_ns():x}-{next(_numbers)}"


COST = ("We run 1M requests a month on gpt-4o with 1000 input tokens "
        "and 200 output tokens each. Cut our cost.")


class Client:
    """One socket. It reads only when told to, so that a test decides who is slow."""

    def __init__(self, ws, visitor, mailbox, history, ack, name):
        self.ws, self.visitor, self.mailbox, self.history = ws, visitor, mailbox, history
        self.ack_policy, self.name = ack, name
        self.wire: list[Frame] = []
        self.greeting: Frame | None = None
        self._unacked = 0
        self._late: set[asyncio.Task] = set()

    @classmethod
    async def connect(cls, target: Target, visitor: Visitor, *, last=None, epoch=None, via="bearer",
                      ack="now", mailbox: Mailbox | None = None, history: History | None = None) -> "Client":
        """Opens a socket and reads the greeting.

        `ack`: "now", "never", ("batch", n), ("delay", seconds) or ("lossy", share that is lost). `via`: bearer, ticket or cookie.
        Raises `Refused` where the server declines.
        """
        query = [f"last_sequence={last}"] if last is not None else []
        query += [f"epoch={epoch}"] if epoch is not None else []
        headers = dict(visitor.bearer) if via == "bearer" else {}
        if via == "cookie":
            headers = {"Cookie": visitor.cookie}
        if via == "ticket":
            query.append(f"ticket={await visitor.ticket(target)}")
        try:
            ws = await ws_connect(
                f"wss://{target.authority}{visitor.path('&'.join(query))}", ssl=target.context,
                subprotocols=[SUBPROTOCOL], additional_headers=headers, compression=None,
                ping_interval=None, max_size=MAX_FRAME_TO_CLIENT, proxy=None,
                open_timeout=PATIENCE, close_timeout=2)
        except InvalidStatus as error:
            seen = error.response
            names = [(key.lower(), value) for key, value in seen.headers.raw_items()]
            raise Refused(Answer(seen.status_code, names, bytes(seen.body or b""))) from None
        client = cls(ws, visitor, mailbox or Mailbox(), history or History(), ack, f"c{next(_numbers)}")
        client.greeting = await client.read()
        facts = client.greeting.payload
        client.history.add("open", user=visitor.user_id, conn=client.name, asked=last, **{
            key: facts.get(key) for key in
            ("epoch", "recovered", "reason", "last_sequence", "acknowledged_sequence", "oldest_sequence")})
        client.mailbox.greet(client.greeting, last)
        return client

    async def read(self, patience=PATIENCE) -> Frame:
        """The next frame, untouched: not applied, not acknowledged."""
        raw = await asyncio.wait_for(self.ws.recv(decode=False), patience)
        frame = Frame(raw, time.monotonic_ns(), json.loads(raw))
        self.wire.append(frame)
        return frame

    async def next(self, patience=PATIENCE) -> Frame:
        """The next frame; a sequenced one is applied and acknowledged by policy."""
        try:
            frame = await self.read(patience)
        except ConnectionClosed as closed:
            code = closed.rcvd.code if closed.rcvd else None
            self.history.add("close", user=self.visitor.user_id, conn=self.name, code=code)
            raise
        if frame.sequence is not None:
            facts = dict(user=self.visitor.user_id, conn=self.name, epoch=frame.epoch, seq=frame.sequence)
            self.history.add("frame", sha=frame.digest, type=frame.type, session=frame.session_id,
                             mid=frame.payload.get("example_message_id"),
                             resumed=frame.payload.get("resumed"), **facts)
            fate = self.mailbox.take(frame)
            if fate == "applied":
                self.history.add("apply", **facts)
            if fate in ("applied", "duplicate"):
                await self._acknowledge()
        return frame

    async def _acknowledge(self):
        self._unacked += 1
        match self.ack_policy:
            case "now":
                await self.ack(self.mailbox.last)
            case ("batch", size) if self._unacked >= size:
                await self.ack(self.mailbox.last)
            case ("lossy", share) if random.random() >= share:
                await self.ack(self.mailbox.last)
            case ("delay", seconds):
                task = asyncio.create_task(self._ack_later(self.mailbox.last, seconds))
                self._late.add(task)
                task.add_done_callback(self._late.discard)

    async def _ack_later(self, sequence: int, seconds: float):
        await asyncio.sleep(seconds)
        try:
            await self.ack(sequence)
        except ConnectionClosed:
            pass

    async def ack(self, sequence, **extra):
        self._unacked = 0
        self.history.add("ack", user=self.visitor.user_id, conn=self.name, epoch=self.mailbox.epoch, seq=sequence)
        await self.send("ack", {"sequence": sequence, **extra})

    async def send(self, kind: str, payload):
        await self.ws.send(json.dumps({"type": kind, "payload": payload}))

    async def until(self, fits, patience=PATIENCE) -> Frame:
        """Reads on until a frame fits; the patience is for the whole wait."""
        async with asyncio.timeout(patience):
            while True:
                frame = await self.next(patience)
                if fits(frame):
                    return frame

    async def control(self, *kinds: str) -> Frame:
        return await self.until(lambda f: f.sequence is None and f.type in kinds)

    async def submit(self, content=COST, message_id=None, **changes) -> Frame:
        """Sends a message; answers with `message_accepted` or the control `error` about it."""
        message_id = message_id or new_id()
        user = self.visitor.user_id
        self.history.add("invoke", user=user, conn=self.name, mid=message_id)
        try:
            await self.send("chat_message", chat_message(user, content, message_id, **changes))
            answer = await self.until(lambda f: f.sequence is None and (
                f.type == "error" or f.type == "message_accepted"
                and f.payload.get("example_message_id") == message_id))
        except (ConnectionClosed, asyncio.TimeoutError):
            self.history.add("unknown", user=user, conn=self.name, mid=message_id)
            raise
        if answer.type == "message_accepted":
            self.history.add("ok", user=user, conn=self.name, mid=message_id,
                             session=answer.payload["session_id"], duplicate=answer.payload["duplicate"])
        else:
            self.history.add("fail", user=user, conn=self.name, mid=message_id, code=answer.payload.get("code"))
        return answer

    async def accepted(self, content=COST, message_id=None, **changes) -> str:
        """Like `submit`, where a refusal is a failure of the test; answers with the session's id."""
        answer = await self.submit(content, message_id, **changes)
        if answer.type != "message_accepted":
            raise AssertionError(f"expected message_accepted, got {answer.body}")
        return answer.payload["session_id"]

    async def ending(self, session_id: str, patience=60.0) -> Frame:
        """The frame that ends the session, read on for where it has not come yet."""
        known = self.mailbox.ending(session_id)
        return known or await self.until(lambda f: f.ends and f.session_id == session_id, patience)

    async def barrier(self) -> Frame:
        """A ping and its pong: what was sent before has been handled after it."""
        nonce = new_id("ping")
        await self.send("ping", {"nonce": nonce})
        return await self.until(lambda f: f.type == "pong" and f.payload.get("nonce") == nonce)

    async def quiet(self, seconds: float) -> list[Frame]:
        """What comes until nothing has come for so long."""
        frames = []
        try:
            while True:
                frames.append(await self.next(seconds))
        except asyncio.TimeoutError:
            return frames

    async def closing(self, patience=PATIENCE) -> int | str | None:
        """The code with which the server closes."""
        try:
            async with asyncio.timeout(patience):
                while True:
                    await self.next(patience)
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else "connection cut without a close frame"
        except asyncio.TimeoutError:
            return "still open"

    async def close(self):
        for task in list(self._late):
            task.cancel()
        self.history.add("close", user=self.visitor.user_id, conn=self.name, code=1000)
        await self.ws.close()

    def cut(self):
        """Ends the connection without a goodbye."""
        for task in list(self._late):
            task.cancel()
        # What the server said may have been heard by a send that failed, or by nobody yet.
        said = self.ws.close_code if self.ws.close_code != 1006 else None
        self.history.add("close", user=self.visitor.user_id, conn=self.name, code=said)
        self.ws.transport.abort()
