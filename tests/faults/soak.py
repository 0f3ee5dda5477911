#!/usr/bin/env python3
"""Hours of work with visitors who come and go and lines that are cut: does anything grow?

    soak.py --binary PATH [--minutes 60] [--visitors 8] [--seed N] [--record FILE.json] [--data-dir DIR]
            [--set NAME=VALUE ...]

Lines are reset, half closed, delayed, throttled and go dead by chance, from the seed; the configuration is reloaded.
Sessions are kept for a minute only, so that an hour sees many lives of everything. Every half minute memory,
descriptors and disk are written down. At the end everybody leaves, the housekeeping has its time, and the bars are
looked at: memory grows by less than 1 MiB an hour over the second half, 95 % of what the work took comes back,
descriptors are where they were, the disk is below 4 x its live bytes and 64 MiB, the history has no violation.
Exit codes: 0 kept, 1 a bar was broken, 2 cannot run.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "observer")]

MEBIBYTE = 1 << 20
SAMPLE = 30.0
# Retention is the least that can be set; the housekeeping walks in rounds.
SETTINGS = {"EMFLOW_SESSIONS__RETENTION": "1m", "EMFLOW_SESSIONS__CLEANUP_INTERVAL": "5s", "EMFLOW_AGENTS__PACE": "500ms",
            "EMFLOW_AUTH__TOKEN_TTL": "10m"}
# What is left when everybody has gone may take so long to be forgotten.
FORGETTING = 180.0


async def nemesis(proxy, server, chance: random.Random, counts: dict):
    """One trouble after the other, each for a few seconds, with rests between."""
    while True:
        await asyncio.sleep(chance.uniform(2.0, 8.0))
        kind = chance.choice(("reset", "half-close", "delay", "throttle", "dead line", "reload"))
        counts[kind] = counts.get(kind, 0) + 1
        manners = proxy.manners
        if kind == "reset":
            proxy.reset(0.5)
        elif kind == "half-close":
            proxy.half_close(0.3)
        elif kind == "reload":
            server.process.send_signal(signal.SIGHUP)
        elif kind == "delay":
            manners.delay = (0.0, 0.4)
        elif kind == "throttle":
            manners.rate = 20_000
        else:
            manners.black_hole = True
        await asyncio.sleep(chance.uniform(1.0, 4.0))
        manners.delay, manners.rate, manners.black_hole = (0.0, 0.0), 0, False
        if kind == "dead line":
            # What hung in it is not delivered late: the line was dead.
            proxy.reset(1.0)


def disk(folder: str) -> int:
    total = 0
    for path, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.stat(os.path.join(path, name)).st_blocks * 512
            except FileNotFoundError:
                continue
    return total


def sample(server, began: float) -> dict:
    from house import cpu_seconds, memory
    pid = server.process.pid
    return {"minute": round((time.monotonic() - began) / 60, 2), "memory": memory(pid), "files": server.open_files(),
            "disk": disk(server.data_dir), "cpu": cpu_seconds(pid)}


def slope(samples: list[dict], of: str) -> tuple[float, float]:
    """Least squares, in units an hour, and twice its standard error."""
    times = [s["minute"] / 60 for s in samples]
    values = [s[of] for s in samples]
    middle, mean = sum(times) / len(times), sum(values) / len(values)
    spread = sum((t - middle) ** 2 for t in times)
    if not spread or len(samples) < 3:
        return 0.0, 0.0
    rise = sum((t - middle) * (v - mean) for t, v in zip(times, values)) / spread
    rests = sum((v - mean - rise * (t - middle)) ** 2 for t, v in zip(times, values))
    return rise, 2 * (rests / (len(samples) - 2) / spread) ** 0.5


async def soak(args) -> int:
    from load import Crowd, Load
    from client import Visitor
    from proxy import Proxy
    from server import Server
    from network import Target
    chance = random.Random(args.seed)
    folder = args.data_dir or tempfile.mkdtemp(prefix="soak-")
    server = Server(args.binary, os.path.join(folder, "data"), os.path.join(folder, "server.log"),
                    **{**SETTINGS, **dict(pair.split("=", 1) for pair in args.set)})
    await server.start()
    began = time.monotonic()
    # The floor: what a server has that was used a little, and rests.
    warm = Crowd(server.target, None, args.seed)
    await warm.enter(1)
    await asyncio.sleep(20)
    await warm.leave(60)
    floor = sample(server, began)
    samples: list[dict] = []
    async with Proxy(server.port, chance) as proxy:
        crowd = Crowd(Target(f"https://127.0.0.1:{proxy.port}", server.log + ".ca.pem"), None, args.seed)
        await crowd.enter(args.visitors)
        working = list(crowd.loads)
        troubles: dict[str, int] = {}
        trouble = asyncio.create_task(nemesis(proxy, server, chance, troubles))
        end = began + args.minutes * 60
        while time.monotonic() < end:
            await asyncio.sleep(SAMPLE)
            if server.process.poll() is not None:
                print(f"FAIL the server ended with {server.process.returncode}")
                return 1
            samples.append(sample(server, began))
            # One goes for good, another comes.
            working.pop(0).stopping = True
            visitor = await Visitor.create(server.target)
            load = Load(crowd.target, visitor, crowd.history, chance.choice(("now", ("batch", 8), ("delay", 1.0))), f"{args.seed}/{len(crowd.loads)}")
            crowd.loads.append(load)
            crowd.tasks.append(asyncio.create_task(load.run()))
            working.append(load)
            if len(samples) % 10 == 0:
                now = samples[-1]
                print(f"minute {now['minute']:.0f}: {now['memory'] / MEBIBYTE:.1f} MiB, {now['files']} files, "
                      f"disk {now['disk'] / MEBIBYTE:.1f} MiB, {crowd.counts()}", flush=True)
        trouble.cancel()
        proxy.manners.delay, proxy.manners.rate, proxy.manners.black_hole = (0.0, 0.0), 0, False
        return await finish(args, server, crowd, floor, samples, began, troubles)


def given_back(server) -> int | None:
    """Resident bytes after the allocator was told to return what nobody uses; None without gdb."""
    from house import memory
    pid = server.process.pid
    if not shutil.which("gdb"):
        return None
    told = subprocess.run(["gdb", "-p", str(pid), "-batch", "-ex", "call (int)malloc_trim(0)"], capture_output=True, check=False)
    return memory(pid) if told.returncode == 0 and server.process.poll() is None else None


async def finish(args, server, crowd, floor, samples, began, troubles) -> int:
    for load in crowd.loads:
        load.stopping = True
    _, late = await asyncio.wait(crowd.tasks, timeout=120)
    # Those who left long ago are forgotten: only who is still known can be audited.
    recent = [load for load in crowd.loads[-args.visitors:]]
    for load in recent:
        await load.audit()
    live = samples[-1]
    await asyncio.sleep(args.forgetting)
    rest = sample(server, began)
    figures = judge_figures(args, crowd, recent, floor, samples, rest)
    if (held := given_back(server)) is not None:
        # Not a bar: what the allocator kept of that, and what the server really holds.
        figures["memory once the allocator gave back MiB"] = round(held / MEBIBYTE, 1)
    figures["late visitors"] = len(late)
    figures.update({f"times {kind}": count for kind, count in sorted(troubles.items())})
    server.kill()
    bars = [
        ("memory slope MiB/h over the second half", figures["slope MiB/h"], figures["slope MiB/h"] < 1.0),
        ("memory back %", figures["memory back %"], figures["memory back %"] >= 95),
        ("open files at rest", f"{rest['files']}, before {floor['files']}", rest["files"] <= floor["files"]),
        ("disk MiB at rest", figures["disk at rest MiB"], rest["disk"] < 4 * live["disk"] + 64 * MEBIBYTE),
        ("violations", figures["violations"], figures["violations"] == 0),
        ("late visitors", len(late), not late),
    ]
    for name, value, kept in bars:
        print(f"{'ok' if kept else 'FAIL'} {name}: {value}")
    if args.record:
        with open(args.record, "w", encoding="utf-8") as file:
            json.dump({"figures": figures, "set": args.set, "floor": floor, "rest": rest, "samples": samples[:: max(1, len(samples) // 30)]}, file, indent=1)
            file.write("\n")
    return 0 if all(kept for _, _, kept in bars) else 1


def judge_figures(args, crowd, recent, floor, samples, rest) -> dict:
    from checker import judge
    # A line that is throttled or dead holds a frame and its repetition back, and delivers both at once: when a
    # repetition may come is the simulator's to judge.
    found = judge(crowd.history.events, ack_timeout=0.0, keeps_all=False).violations
    found = [(rule, text) for rule, text in found if rule != "audit"]
    for rule, text in found[:5]:
        print(f"  {rule}: {text}")
    peak = max(s["memory"] for s in samples)
    taken = peak - floor["memory"]
    rise, unsure = slope(samples[len(samples) // 2:], "memory")
    return {
        "minutes": samples[-1]["minute"], "messages": sum(load.messages for load in crowd.loads),
        "visitors": len(crowd.loads), "frames applied": sum(len(load.mailbox.applied) for load in crowd.loads),
        "memory floor MiB": round(floor["memory"] / MEBIBYTE, 1), "memory peak MiB": round(peak / MEBIBYTE, 1),
        "memory at rest MiB": round(rest["memory"] / MEBIBYTE, 1),
        "memory back %": round(100 * (peak - rest["memory"]) / taken, 1) if taken > 0 else 100.0,
        "slope MiB/h": round(rise / MEBIBYTE, 2), "slope is uncertain by MiB/h": round(unsure / MEBIBYTE, 2),
        "disk peak MiB": round(max(s["disk"] for s in samples) / MEBIBYTE, 1), "disk at rest MiB": round(rest["disk"] / MEBIBYTE, 1),
        "files peak": max(s["files"] for s in samples), "files at rest": rest["files"],
        "cpu %": round(100 * (samples[-1]["cpu"] - samples[0]["cpu"]) / max(1, 60 * (samples[-1]["minute"] - samples[0]["minute"])), 1),
        "violations": len(found), "seed": args.seed,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", required=True)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--visitors", type=int, default=8)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000)
    parser.add_argument("--forgetting", type=float, default=FORGETTING, help="seconds of rest at the end")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="in the server's environment")
    parser.add_argument("--record")
    parser.add_argument("--data-dir")
    args = parser.parse_args()
    if not os.path.exists(args.binary):
        print(f"cannot run: no {args.binary}", file=sys.stderr)
        return 2
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    print(f"seed {args.seed}")
    try:
        return asyncio.run(soak(args))
    except ImportError as missing:
        print(f"cannot run: {missing} (pip install -r tests/observer/requirements.txt)", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
