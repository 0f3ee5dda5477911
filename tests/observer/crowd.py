#!/usr/bin/env python3
"""A crowd against a server that something else restarts or upgrades; the checker has the last word.

    crowd.py --url https://localhost:8443 --ca FILE --stop FILE [--visitors 6] [--seed N]

Works until the file `--stop` is there (at most `--limit` seconds), then drains, asks for everything once
more and judges. The file `STOP.begun` appears once messages are accepted.
Exit codes: 0 nothing found, 1 a promise broken, 2 cannot run.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time

# The time that everything accepted may take to come to its end.
QUIET = 60.0


async def run(args) -> int:
    from checker import judge, verdict
    from load import Crowd
    from wire import Target
    crowd = Crowd(Target(args.url, args.ca), None, args.seed)
    began = time.monotonic()
    try:
        await crowd.enter(args.visitors)
        while not os.path.exists(args.stop) and time.monotonic() - began < args.limit:
            await asyncio.sleep(0.1)
            if any(load.messages for load in crowd.loads):
                open(args.stop + ".begun", "w", encoding="ascii").close()
        drained = await crowd.leave(QUIET)
        print(f"drained and audited in {drained:.1f} s, {crowd.counts()}, "
              f"{sum(load.connections for load in crowd.loads)} connections")
    finally:
        await crowd.abandon()
    faults = [fault for load in crowd.loads for fault in load.mailbox.faults]
    for fault in faults[:5]:
        print(f"FAIL at a client: {fault}")
    if not any(load.messages for load in crowd.loads):
        print("FAIL nothing was accepted: the run says nothing")
        return 1
    return max(verdict(judge(crowd.history.events)), bool(faults))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", required=True)
    parser.add_argument("--ca", required=True)
    parser.add_argument("--stop", required=True)
    parser.add_argument("--visitors", type=int, default=6)
    parser.add_argument("--limit", type=float, default=180.0)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000)
    args = parser.parse_args()
    print(f"seed {args.seed}")
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    return asyncio.run(run(args))


if __name__ == "__main__":
    sys.exit(main())
