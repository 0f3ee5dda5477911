#!/usr/bin/env python3
"""Judges a running server by the published protocol `emflow.v1`, from outside.

    conformance.py --url https://127.0.0.1:8443 --ca FILE [--server-pid PID] [--slow] [--only TEXT]

A line a check, `ok name` or `FAIL name: expected … got …`, and a last line
`N passed, N failed`. Exit codes: 0 all passed, 1 a deviation, 2 cannot run.

The checks come from one address and faster than any visitor types: the server
under judgement must be started with the settings of `ROOMY` in server.py (as
`EMFLOW_…` in its environment). They raise the rate limits, which are judged
elsewhere, and shorten the pace, but not to nothing: cancelling needs a session
that still runs.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", required=True, help="https://HOST:PORT of the server")
    parser.add_argument("--ca", required=True, help="PEM file of the authority that signed its certificate")
    parser.add_argument("--server-pid", type=int, help="lets checks look at the server's memory")
    parser.add_argument("--slow", action="store_true", help="also the checks that wait for the server's timeouts")
    parser.add_argument("--only", default="", metavar="TEXT", help="only checks whose name contains this")
    parser.add_argument("--jobs", type=int, default=4, help="checks at once (default 4)")
    parser.add_argument("--list", action="store_true", help="names of the checks, and nothing else")
    return parser.parse_args()


def main() -> int:
    args = arguments()
    try:
        import checks_delivery, checks_door, checks_frames, checks_raw, checks_rest, checks_sessions  # noqa: E401, F401
        import harness
        from wire import Target
    except ImportError as missing:
        print(f"cannot run: {missing} (pip install -r requirements.txt)", file=sys.stderr)
        return 2
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    if not any(args.only in one.name for one in harness.CHECKS):
        print(f"cannot run: no check is named like {args.only!r}", file=sys.stderr)
        return 2
    if args.list:
        print("\n".join(one.name for one in harness.CHECKS))
        return 0
    try:
        target = Target(args.url, args.ca)
        asyncio.run(target.request("GET", "/healthz"))
    except (OSError, ValueError, asyncio.TimeoutError) as reason:
        print(f"cannot run: {args.url} is not to be reached: {reason!r}", file=sys.stderr)
        return 2
    world = harness.World(target, args.server_pid)
    passed = asyncio.run(harness.run_all(world, args.only, args.slow, args.jobs))
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
