"""Faults of the process: killed at work, at each kind of write, while it starts; told to go; started twice."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import time

from house import Arena, until
from registry import Context, Skip, fault

KILLS_AN_ARENA = 50


@fault("F1", "kill -9 at a random moment under load", 20, 1000, "0 lost, doubled or out of order; ready in 2 s")
async def kill_at_work(context: Context):
    visitors = 20 if context.nightly else 8
    context.figures["visitors"] = visitors
    while context.done < context.trials:
        async with Arena(context, visitors=visitors) as arena:
            for _ in range(min(KILLS_AN_ARENA, context.trials - context.done)):
                await asyncio.sleep(context.chance.uniform(0.02, 0.8))
                arena.fault("kill")
                arena.server.kill()
                took = await arena.restart()
                context.count("not ready in 2 s", int(took >= 2.0))
                context.done += 1
    late = context.figures["not ready in 2 s"]
    context.must(late <= context.done / 20 or not context.nightly, f"not ready in 2 s in {late} of {context.done} starts")


# The calls by which files are changed, as `strace` names them: at work, and from the start on.
AT_WORK = ("pwrite64", "fdatasync", "sync_file_range", "ftruncate")
AT_START = ("openat", "pwrite64", "fdatasync", "fsync", "ftruncate", "rename", "write", "mmap")


def injected(call: str, nth: int) -> list[str]:
    return ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e", f"inject={call}:signal=KILL:when={nth}"]


@fault("F2", "killed in the n-th call of each kind that changes a file", 16, 400, "each kind reached; 0 lost")
async def kill_at_each_call(context: Context):
    """`strace` sends SIGKILL as the call is entered: in the middle of a commit, of an opening, of a rename."""
    if not shutil.which("strace"):
        raise Skip("needs strace")
    async with Arena(context, visitors=4, watch=False) as arena:
        while context.done < context.trials:
            starting = context.done % 2 == 1
            kinds = AT_START if starting else AT_WORK
            call = kinds[context.done // 2 % len(kinds)]
            nth = 1 + context.done // 16 if context.done < 64 else context.chance.randint(1, 40)
            arena.fault("kill")
            died = await (killed_starting if starting else killed_working)(arena, call, nth)
            context.count(f"killed {'starting' if starting else 'working'} in {call}", int(died))
            arena.server.kill()
            await arena.restart()
            context.done += 1
    for call in ("pwrite64", "fdatasync"):
        context.must(context.figures.get(f"killed working in {call}"), f"{call} was never reached")


async def killed_working(arena: Arena, call: str, nth: int) -> bool:
    tracer = subprocess.Popen([*injected(call, nth), "-p", str(arena.server.process.pid)],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    died = await until(lambda: arena.server.process.poll() is not None, 2.0)
    tracer.kill()
    tracer.wait()
    return died


async def killed_starting(arena: Arena, call: str, nth: int) -> bool:
    server = arena.server
    server.kill()
    server.prefix = injected(call, nth)
    server.launch()
    server.prefix = []
    tracer = server.process
    died = await until(lambda: tracer.poll() is not None, 2.0)
    try:
        # The group of its own: the tracer and the server under it, whoever is left.
        os.killpg(tracer.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    tracer.wait()
    # The server is nobody's child here; until it is gone it holds the lock of the store.
    await until(lambda: not group_lives(tracer.pid), 10.0)
    return died


def group_lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
        return True
    except ProcessLookupError:
        return False


@fault("F4", "kill -9 while it starts and recovers", 10, 200, "opens every time; 0 lost")
async def kill_at_start(context: Context):
    while context.done < context.trials:
        async with Arena(context, visitors=6) as arena:
            for _ in range(min(KILLS_AN_ARENA, context.trials - context.done)):
                await asyncio.sleep(context.chance.uniform(0.1, 0.4))
                arena.fault("kill")
                arena.server.kill()
                arena.server.launch()
                await asyncio.sleep(context.chance.uniform(0.005, 0.3))
                arena.server.kill()
                await arena.restart()
                context.done += 1


@fault("F25", "SIGTERM under load", 5, 100, "exit 0 in 15 s; clients told 1001 or 1012; 0 lost")
async def told_to_go(context: Context):
    async with Arena(context, visitors=8) as arena:
        while context.done < context.trials:
            await asyncio.sleep(context.chance.uniform(0.2, 0.8))
            before = len(arena.crowd.history.events)
            arena.fault("term")
            began = time.monotonic()
            arena.server.process.send_signal(signal.SIGTERM)
            ended = await until(lambda: arena.server.process.poll() is not None, 30.0)
            took = time.monotonic() - began
            context.worst("exit s", took)
            context.must(ended and arena.server.process.returncode == 0,
                         f"exit code {arena.server.process.poll()} after {took:.1f} s")
            context.must(took < 15.0 or not context.nightly, f"ended after {took:.1f} s")
            await asyncio.sleep(0.1)
            codes = [e["code"] for e in arena.crowd.history.events[before:] if e["ev"] == "close" and e.get("code")]
            context.count("clients told", len(codes))
            strange = [code for code in codes if code not in (1001, 1012)]
            context.must(codes and not strange, f"clients were told {strange or 'nothing'}")
            await arena.restart()
            context.done += 1


@fault("F27", "two processes on one store", 1, 5, "the second exits with 5, after the 2 s for which a lock is waited for; the first goes on")
async def started_twice(context: Context):
    async with Arena(context, visitors=2) as arena:
        while context.done < context.trials:
            began = time.monotonic()
            command = [context.binary, "serve", "--data-dir", arena.server.data_dir, "--listen", "127.0.0.1:0", "--no-open"]
            second = await asyncio.create_subprocess_exec(*command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            _, said = await asyncio.wait_for(second.communicate(), 30.0)
            took = time.monotonic() - began
            context.worst("second ends s", took)
            context.must(second.returncode == 5, f"exit code {second.returncode}: {said[-300:]!r}")
            # Two seconds of them are the wait for a lock that the process before may still hold.
            context.must(took < 4.0 or not context.nightly, f"ended after {took:.1f} s")
            context.done += 1
