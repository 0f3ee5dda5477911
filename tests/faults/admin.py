"""Administrators who act while frames are on their way."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess

from client import Client, History, Visitor
from house import Arena
from load import LOST
from registry import Context, fault

CALLS = "/api/v1/example-messages"


class Administrator:
    """Calls with a token that may change things; anything of the 500s is a breach."""

    def __init__(self, context: Context, arena: Arena):
        self.context, self.target = context, arena.server.target
        command = [context.binary, "admin", "token", "create", "--scope", "operate", "judge"]
        environment = {**arena.server.environment, "EMFLOW_SERVER__DATA_DIR": arena.server.data_dir}
        made = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=os.path.dirname(arena.log), check=False)
        words = [word for word in made.stdout.split() if len(word) > 30]
        if made.returncode or not words:
            raise RuntimeError(f"no token: {made.stdout} {made.stderr}")
        self.headers = [("Authorization", f"Bearer {words[-1]}")]

    async def call(self, method: str, path: str, body=None):
        data = b"" if body is None else json.dumps(body).encode()
        headers = self.headers + ([("Content-Type", "application/json")] if body is not None else [])
        answer = await self.target.request(method, path, headers, data)
        self.context.count(f"answers {answer.status // 100}xx")
        if answer.status >= 500 and answer.status != 503 or answer.status in (401, 403):
            self.context.breach(f"{method} {path}: {answer.status} {answer.body[:200]!r}")
        return answer.json() if answer.body else None


@fault("F19", "clean-up, disconnect, breaker reset and reload race with delivery", 5, 200,
       "0 lost of others; the cleaned one is told a new epoch; no 5xx")
async def administrators(context: Context):
    settings = {"EMFLOW_ADMIN__PASSWORD": "a password for the judge of faults"}
    async with Arena(context, visitors=6, **settings) as arena:
        admin = Administrator(context, arena)
        stop = asyncio.Event()
        helpers = [asyncio.create_task(one(context, arena, admin, stop)) for one in (closes, watches, reloads)]
        try:
            while context.done < context.trials:
                await clean_one(context, arena, admin)
                context.done += 1
        finally:
            stop.set()
            await asyncio.gather(*helpers)
        context.must(context.figures.get("sockets closed"), "no socket was closed: the run says little")


async def clean_one(context: Context, arena: Arena, admin: Administrator):
    """A visitor at work is cleaned up, twice at once; its client learns it and starts anew."""
    target = arena.server.target
    visitor = await Visitor.create(target)
    client = await Client.connect(target, visitor, ack="never", history=History())
    epoch = client.greeting.payload["epoch"]
    await client.accepted()
    for _ in range(context.chance.randint(0, 6)):
        await client.next()
    last = client.mailbox.last
    path = f"{CALLS}/cleanup/{visitor.user_id}"
    await asyncio.gather(admin.call("POST", path, {"reason": "a fault programme"}),
                         admin.call("POST", path, {"reason": "a fault programme"}))
    code = await client.closing()
    context.must(code == 4503, f"the cleaned visitor's socket was closed with {code}")
    again = await Client.connect(target, visitor, last=max(last, 1), epoch=epoch, ack="never", history=History())
    facts = again.greeting.payload
    context.must(facts["epoch"] != epoch and not facts["recovered"], f"the cleaned visitor was told {facts}")
    session = await again.accepted()
    first = await again.until(lambda f: f.sequence is not None)
    context.must(first.sequence == 1, f"a cleaned visitor's numbers begin with {first.sequence}")
    await again.ending(session)
    again.cut()


async def closes(context: Context, arena: Arena, admin: Administrator, stop: asyncio.Event):
    while not stop.is_set():
        listed = await admin.call("GET", "/api/v1/admin/connections")
        ours = {load.visitor.user_id for load in arena.crowd.loads}
        found = [c for c in listed["items"] if c["user_id"] in ours]
        if found:
            one = context.chance.choice(found)
            await admin.call("POST", f"/api/v1/admin/connections/{one['connection_id']}/close", {"reason": "a fault programme"})
            context.count("sockets closed")
        await asyncio.sleep(0.3)


async def watches(_context: Context, arena: Arena, admin: Administrator, stop: asyncio.Event):
    while not stop.is_set():
        await admin.call("POST", f"{CALLS}/circuit-breaker/reset", {})
        for load in arena.crowd.loads[:2]:
            await admin.call("GET", f"{CALLS}/pending-messages/{load.visitor.user_id}")
        await asyncio.sleep(0.1)


async def reloads(_context: Context, arena: Arena, _admin: Administrator, stop: asyncio.Event):
    while not stop.is_set():
        try:
            arena.server.process.send_signal(signal.SIGHUP)
        except LOST:
            return
        await asyncio.sleep(0.5)
