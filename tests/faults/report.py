#!/usr/bin/env python3
"""Writes docs/reliability.md from the record of the last runs.

    report.py docs/reliability.json [--soak docs/soak.json ...] [--mutants docs/mutants.json] > docs/reliability.md

What no run records (judgements) stands in notes.json beside this file.
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
recorded runs, each with its date, commit and number of trials; nothing stands here that no run said. This page is written by
`tests/faults/report.py` from the records `docs/reliability.json`, `docs/soak.json` and `docs/mutants.json`. An independent
client and a checker that imports nothing of the product judge; the checker itself is qualified by planted bugs
(`tests/observer/qualify.py`).

| | |
|---|---|
| what every change must pass | `cargo test`, the column Q of `tests/faults/run.py --list` |
| what a release must pass | `tests/faults/run.py --column N --binary target/release/emflow --record docs/reliability.json` |
| no failure in n trials | bounds the rate of failures at 3 / n with 95 % confidence |
"""


def row(e: dict) -> str:
    figures = ", ".join(f"{name} {value:g}" for name, value in e["figures"].items())
    result = e["outcome"] if e["outcome"] == "passed" else f"**{e['outcome']}**: {'; '.join(e['breaches'][:2])}"
    if e.get("note"):
        result += f" ({e['note']})"
    return (f"| {e['key']} {e['name']} | {e['bar']} | {e['trials']} | {e['wanted']} | {result} | {e['control'] or '-'} "
            f"| {figures} | {e['column']}, {e['date']}, {e['commit']} |")


def table(entries: list[dict]) -> str:
    lines = ["| fault | bar | trials | of | result | control | measured | run |", "|---|---|--:|--:|---|---|---|---|"]
    return "\n".join(lines + [row(e) for e in entries])


def not_run(entries: list[dict], faults: dict) -> str:
    """What is in the programme and in no record."""
    known = {e["key"] for e in entries}
    missing = [f"{key} ({one.name})" for key, one in faults.items() if key not in known]
    return "Not run yet: " + "; ".join(missing) + "." if missing else "Every fault of the programme is in this table."


def soaked(path: str) -> str:
    """The soak's figures and a line a few minutes."""
    with open(path, encoding="utf-8") as file:
        found = json.load(file)
    figures = ", ".join(f"{name} {value:g}" for name, value in found["figures"].items())
    settings = f" Settings of the run: {', '.join(f'`{one}`' for one in found['set'])}." if found.get("set") else ""
    lines = [f"{found.get('note', '')} {figures}.{settings}".strip(), "",
             "| minute | memory MiB | open files | disk MiB |", "|--:|--:|--:|--:|"]
    for sample in [found["floor"]] + found["samples"][::3] + [found["rest"]]:
        lines.append(f"| {sample['minute']:.0f} | {sample['memory'] / (1 << 20):.1f} | {sample['files']} | {sample['disk'] / (1 << 20):.1f} |")
    return "\n".join(lines)


def mutated(path: str) -> str:
    """What of the changes made to the code on purpose the tests caught."""
    with open(path, encoding="utf-8") as file:
        found = json.load(file)
    lines = [found["how"], "", "| code | mutants | tried | caught | by a timeout | missed | caught of those that build |",
             "|---|--:|--:|--:|--:|--:|--:|"]
    for room in found["rooms"]:
        seen = room["caught"] + room["timeout"]
        viable = seen + len(room["missed"])
        share = f"{100 * seen / viable:.1f} %" if viable else "-"
        lines.append(f"| {room['name']} | {room['mutants']} | {room['tried']} | {room['caught']} | {room['timeout']} "
                     f"| {len(room['missed'])} | {share} |")
    lines += ["", "The survivors, each judged:", "", "| mutant | judgement |", "|---|---|"]
    lines += [f"| `{one['mutant']}` | {one['judgement']} |" for room in found["rooms"] for one in room["missed"]]
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("record")
    parser.add_argument("--soak", action="append", default=[])
    parser.add_argument("--mutants")
    parser.add_argument("--notes", default=os.path.join(HERE, "notes.json"))
    args = parser.parse_args()
    with open(args.record, encoding="utf-8") as file:
        entries = json.load(file)
    with open(args.notes, encoding="utf-8") as file:
        notes = json.load(file)
    from run import families
    print(INTRODUCTION)
    print("## The fault programme\n")
    print(table(entries) + "\n\n" + not_run(entries, families()))
    for path in args.soak:
        print(f"\n## Soak: {os.path.splitext(os.path.basename(path))[0]}\n")
        print("Visitors come and go, lines are cut, sessions are kept for a minute; the first line is before the work, "
              "the last one after everybody has left.\n")
        print(soaked(path))
    if args.mutants:
        print("\n## Mutation testing\n")
        print(mutated(args.mutants))
    for title, lines in notes["sections"].items():
        print(f"\n## {title}\n")
        print("\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
