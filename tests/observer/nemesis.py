#!/usr/bin/env python3
"""Faults against a real server under load; the checker has the last word.

    nemesis.py kill --binary PATH --data-dir DIR [--rounds 12] [--visitors 6] [--seed N]
    nemesis.py cut  --binary PATH --data-dir DIR [--sockets 100] [--seed N]

`kill`: SIGKILL at a random moment, restart, everybody reconnects and goes on; a
quarter of the rounds kills the start-up too. At the end all is drained and asked
for once more from the oldest. `cut`: sockets that end by RST, FIN, without a word
or by going silent; files and connections must come back to where they were.
Exit codes: 0 nothing found, 1 a promise broken, 2 cannot run.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import random
import socket as sockets
import struct
import sys
import time

# The time that everything accepted may take to come to its end after the last fault.
QUIET = 60.0


async def kill(args) -> int:
    from checker import judge, verdict
    from load import Crowd
    from server import Server
    chance = random.Random(args.seed)
    server = Server(args.binary, args.data_dir, args.log)
    print(f"started in {await server.start():.2f} s")
    crowd = Crowd(server.target, args.history, args.seed)
    try:
        await crowd.enter(args.visitors)
        for number in range(1, args.rounds + 1):
            await asyncio.sleep(chance.uniform(0.02, 2.0))
            crowd.history.add("fault", kind="kill")
            server.kill()
            if chance.random() < 0.25:
                server.launch()
                await asyncio.sleep(chance.uniform(0.005, 0.3))
                server.kill()
            took = await server.start()
            print(f"round {number}: ready again in {took:.2f} s, {crowd.counts()}", flush=True)
        drained = await crowd.leave(QUIET)
        print(f"drained and audited in {drained:.1f} s, {crowd.counts()}")
    finally:
        await crowd.abandon()
        server.kill()
    faults = [fault for load in crowd.loads for fault in load.mailbox.faults]
    for fault in faults[:5]:
        print(f"FAIL at a client: {fault}")
    if not any(load.messages for load in crowd.loads):
        print("FAIL nothing was accepted: the run says nothing")
        return 1
    return max(verdict(judge(crowd.history.events)), bool(faults))


def reset(socket):
    """RST: the linger time is over at once."""
    socket.writer.get_extra_info("socket").setsockopt(sockets.SOL_SOCKET, sockets.SO_LINGER, struct.pack("ii", 1, 0))
    socket.cut()


def finish(socket):
    """FIN without a close frame or a TLS goodbye."""
    socket.writer.get_extra_info("socket").shutdown(sockets.SHUT_WR)


def vanish(socket):
    """Forgotten by our kernel without a packet: the peer learns of it when it next sends. Needs root."""
    socket.writer.get_extra_info("socket").setsockopt(sockets.IPPROTO_TCP, 19, 1)  # TCP_REPAIR
    socket.cut()


def go_silent(socket):
    """Neither reads nor answers from now on; only a timeout of the server ends it."""
    socket.writer.transport.pause_reading()


async def cut(args) -> int:
    from client import Visitor
    from server import Server
    from wire import RawSocket
    chance = random.Random(args.seed)
    server = Server(args.binary, args.data_dir, args.log, EMFLOW_CONNECTIONS__IDLE_TIMEOUT="5s",
                    EMFLOW_CONNECTIONS__HEARTBEAT_INTERVAL="2s")
    await server.start()
    try:
        visitors = [await Visitor.create(server.target) for _ in range((args.sockets + 3) // 4)]
        await settle(server, 0)
        before = server.open_files()
        ways = [reset, finish, go_silent] + ([vanish] if os.geteuid() == 0 else [])
        opened = []
        for number in range(args.sockets):
            visitor = visitors[number // 4]
            one = await RawSocket.open(server.target, visitor.path(), visitor.bearer)
            opened.append((one, chance.choice(ways)))
        during = server.open_files()
        chance.shuffle(opened)
        slowest = 0.0
        for one, way in opened:
            way(one)
            began = time.monotonic()
            if chance.random() < 0.2:
                await server.target.request("GET", "/healthz")
                slowest = max(slowest, time.monotonic() - began)
            await asyncio.sleep(chance.uniform(0, 0.02))
        after = await settle(server, before)
        names = ", ".join(f"{way.__name__} {sum(w is way for _, w in opened)}" for way in ways)
        print(f"open files: {before} before, {during} with {args.sockets} sockets, {after} after ({names}); "
              f"slowest health {slowest * 1000:.0f} ms")
        for one, _ in opened:
            one.cut()
        if during < before + args.sockets:
            print(f"FAIL expected {args.sockets} more open files got {during - before}: the run says nothing")
            return 1
        if after > before:
            print(f"FAIL ghosts: expected {before} open files got {after}")
            return 1
        print("ok no ghosts")
        return 0
    finally:
        server.kill()


async def settle(server, goal: int) -> int:
    """Waits until the number of open files is at the goal, or no longer falls."""
    lowest, since = server.open_files(), time.monotonic()
    while lowest > goal and time.monotonic() - since < (QUIET if goal else 1.0):
        await asyncio.sleep(0.1)
        lowest = min(lowest, server.open_files())
    return server.open_files()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("kill", "cut"))
    parser.add_argument("--binary", required=True)
    parser.add_argument("--data-dir", required=True)
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--visitors", type=int, default=6)
    parser.add_argument("--sockets", type=int, default=100)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000)
    parser.add_argument("--history", help="keeps the history in this file")
    parser.add_argument("--log", help="the server's output (default DATA-DIR.log)")
    args = parser.parse_args()
    args.log = args.log or args.data_dir.rstrip("/") + ".log"
    print(f"seed {args.seed}")
    # Torn connections are what this is about; asyncio reports each on its own.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    try:
        from server import StartFailed
        return asyncio.run({"kill": kill, "cut": cut}[args.what](args))
    except ImportError as missing:
        print(f"cannot run: {missing} (pip install -r requirements.txt)", file=sys.stderr)
        return 2
    except FileNotFoundError as missing:
        print(f"cannot run: {missing}", file=sys.stderr)
        return 2
    except StartFailed as failure:
        print(f"FAIL the server does not start: {failure}")
        return 1


if __name__ == "__main__":
    sys.exit(main())
