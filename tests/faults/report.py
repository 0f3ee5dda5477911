#!/usr/bin/env python3
"""Writes docs/reliability.md from the record of the last runs.

    report.py docs/reliability.json [--soak docs/soak.json] > docs/reliability.md

What no run records (the simulator's figures, judgements) stands in notes.json beside this file.
"""

from __future__ import annotations

import argparse
import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "observer")]

INTRODUCTION = """# Reliability

What was done to a running server, and what its visitors saw. The figures are those of the last
recorded runs, each with its date and commit; this page is written by `tests/faults/report.py` from their record
`docs/reliability.json`. An independent client and a checker that imports nothing of the product judge; the
checker itself is qualified by planted bugs (`tests/observer/qualify.py`).

| | |
|---|---|
| what every change must pass | `cargo test`, the column Q |
| what a release must pass | `tests/faults/run.py --column N --binary target/release/emflow --record docs/reliability.json` |
| no failure in n trials | bounds the rate of failures at 3 / n with 95 % confidence |
"""


def table(entries: list[dict]) -> str:
    lines = ["| fault | bar | trials | of | result | control | measured | run |", "|---|---|--:|--:|---|---|---|---|"]
    for e in entries:
        figures = ", ".join(f"{name} {value:g}" for name, value in e["figures"].items())
        result = e["outcome"] if e["outcome"] == "passed" else f"**{e['outcome']}**: {'; '.join(e['breaches'][:2])}"
        lines.append(f"| {e['key']} {e['name']} | {e['bar']} | {e['trials']} | {e['wanted']} | {result} | {e['control'] or '-'} "
                     f"| {figures} | {e['column']}, {e['date']}, {e['commit']} |")
    return "\n".join(lines)


def not_run(entries: list[dict], elsewhere: dict) -> str:
    known = {e["key"] for e in entries}
    lines = ["| fault | where it stands |", "|---|---|"]
    lines += [f"| {key} | {text} |" for key, text in elsewhere.items() if key not in known]
    return "\n".join(lines)


def soaked(path: str) -> str:
    """The soak's figures and a line a few minutes."""
    with open(path, encoding="utf-8") as file:
        found = json.load(file)
    figures = ", ".join(f"{name} {value:g}" for name, value in found["figures"].items())
    lines = [figures, "", "| minute | memory MiB | open files | disk MiB |", "|--:|--:|--:|--:|"]
    for sample in found["samples"][::3] + [found["rest"]]:
        lines.append(f"| {sample['minute']:.0f} | {sample['memory'] / (1 << 20):.1f} | {sample['files']} | {sample['disk'] / (1 << 20):.1f} |")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("record")
    parser.add_argument("--soak")
    parser.add_argument("--notes", default=os.path.join(HERE, "notes.json"))
    args = parser.parse_args()
    with open(args.record, encoding="utf-8") as file:
        entries = json.load(file)
    with open(args.notes, encoding="utf-8") as file:
        notes = json.load(file)
    print(INTRODUCTION)
    print("## The fault programme\n")
    print(table(entries))
    print("\nNot in this table:\n")
    print(not_run(entries, notes["elsewhere"]))
    if args.soak:
        print("\n## Soak\n\nVisitors come and go, lines are cut, sessions are kept for a minute; the last line is after everybody has left.\n")
        print(soaked(args.soak))
    for title, lines in notes["sections"].items():
        print(f"\n## {title}\n")
        print("\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
