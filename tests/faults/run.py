#!/usr/bin/env python3
"""The fault programme: brings faults about, judges what visitors saw, prints a table.

    run.py --binary PATH --column Q|N [--scale 0.1] [--only F1,F3] [--skip F3] [--seed N]
           [--record FILE.json] [--keep DIR]
    run.py --list

`Q` is what every commit runs, `N` what a release does; `--scale` takes a part of the counts. Exit codes: 0 all
passed, 1 a breach (or, with CI set, a fault that could not be brought about), 2 cannot run.

Some faults are brought about by tests of the crate, which `cargo test` runs by name. Where the test command itself
calls this it sets EMFLOW_FAULTS_BESIDE_TESTS: those tests run beside then, once, and their lines say so.
"""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import datetime
import json
import logging
import os
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "observer")]


def families():
    """Importing them registers their faults."""
    import admin, agents, clocks, disks, machines, network, power, process, resources, storms, visitors  # noqa: E401, F401
    from registry import FAULTS
    return dict(sorted(FAULTS.items(), key=lambda item: (item[0][0], int(item[0][1:]))))


def chosen(faults: dict, only: str, skip: str, column: str) -> list:
    """What was asked for; what the column has no trials of is not in it."""
    unknown = [key for key in filter(None, (only + "," + skip).split(",")) if key not in faults]
    if unknown:
        raise SystemExit(f"unknown: {', '.join(unknown)}; there are {', '.join(faults)}")
    return [one for key, one in faults.items()
            if (not only or key in only.split(",")) and key not in skip.split(",") and (one.q if column == "Q" else one.n)]


def line(result) -> str:
    figures = ", ".join(f"{name} {value:g}" for name, value in result.figures.items())
    return f"{result.outcome:8} {result.key:4} {result.trials:5} of {result.wanted:<5} {result.seconds:7.1f} s  {result.name}: {figures}"


def commit() -> str:
    asked = subprocess.run(["git", "-C", HERE, "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    return asked.stdout.strip() or "unknown"


def record(path: str, args, results):
    """Joins what was recorded before: a fault's newest run stands."""
    known = {}
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            known = {entry["key"]: entry for entry in json.load(file)}
    for result in results:
        known[result.key] = {**dataclasses.asdict(result), "column": args.column, "seed": args.seed, "commit": args.commit,
                             "date": datetime.date.today().isoformat()}
    with open(path, "w", encoding="utf-8") as file:
        json.dump(sorted(known.values(), key=lambda e: (e["key"][0], int(e["key"][1:]))), file, indent=1)
        file.write("\n")


async def main_loop(args, faults) -> int:
    from registry import run
    results = []
    for one in faults:
        result = await run(one, args.binary, args.column, args.scale, args.seed, args.keep)
        results.append(result)
        print(line(result), flush=True)
        for breach in result.breaches[:6]:
            print(f"           {breach}", flush=True)
        if args.record:
            record(args.record, args, [result])
    count = {word: sum(r.outcome == word for r in results) for word in ("passed", "failed", "skipped", "beside")}
    print(", ".join(f"{n} {word}" for word, n in count.items()))
    strict = "CI" in os.environ
    if count["skipped"]:
        print("*** SKIPPED: " + ", ".join(r.key for r in results if r.outcome == "skipped") + " ***", file=sys.stderr)
    return int(count["failed"] > 0 or (strict and count["skipped"] > 0))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", default="")
    parser.add_argument("--list", action="store_true", help="the faults, their trials and bars")
    parser.add_argument("--column", choices=("Q", "N"), default="Q")
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--only", default="")
    parser.add_argument("--skip", default="")
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000)
    parser.add_argument("--record", help="joins the results to this JSON file")
    parser.add_argument("--commit", default=commit(), help="of which the binary was built (default: what is checked out)")
    parser.add_argument("--keep", help="makes the working directories there")
    args = parser.parse_args()
    if not args.list and not os.path.exists(args.binary):
        print(f"cannot run: no binary {args.binary!r}; --binary names it", file=sys.stderr)
        return 2
    args.binary = os.path.abspath(args.binary)
    try:
        faults = chosen(families(), args.only, args.skip, "N" if args.list else args.column)
    except ImportError as missing:
        print(f"cannot run: {missing} (pip install -r tests/observer/requirements.txt)", file=sys.stderr)
        return 2
    if args.list:
        for one in faults:
            print(f"{one.key:4} {one.q:4} {one.n:5}  {one.name}: {one.bar}")
        return 0
    # Torn connections are what this is about; asyncio reports each on its own.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    print(f"seed {args.seed}, column {args.column}, scale {args.scale:g}")
    return asyncio.run(main_loop(args, faults))


if __name__ == "__main__":
    sys.exit(main())
