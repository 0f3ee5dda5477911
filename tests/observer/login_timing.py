#!/usr/bin/env python3
"""Whether the time of a refused login tells if the name or the password was wrong.

Starts a server of its own, asks it with an unknown name and with a wrong password in turns, the
order of each pair thrown, and compares the medians. After each pair the right password makes the
server forget the wrong ones, so that its throttle is not what is measured. A measurement, not a
test: it is run by hand on a quiet machine.

Exit codes: 0 the medians differ by less than the bar, 1 by more, 2 cannot run.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time

from server import Server, StartFailed

LOGIN = "/api/v1/admin/login"
PASSWORD = "correct horse battery"


async def timed(target, name: str, password: str, expected: int) -> float:
    started = time.monotonic()
    answer = await target.post_json(LOGIN, {"name": name, "password": password})
    took = time.monotonic() - started
    if answer.status != expected:
        raise SystemExit(f"a login as {name} was answered {answer.status}, not {expected}: {answer.body[:200]!r}")
    return took


async def measure(target, rounds: int, rng: random.Random) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {"unknown name": [], "wrong password": []}
    for _ in range(rounds):
        pair = [("unknown name", "nobody", PASSWORD), ("wrong password", "admin", "a wrong password")]
        rng.shuffle(pair)
        for what, name, password in pair:
            times[what].append(await timed(target, name, password, 401))
        await timed(target, "admin", PASSWORD, 200)
    return times


async def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--rounds", type=int, default=500)
    parser.add_argument("--bar", type=float, default=5.0, help="largest difference of the medians, in percent")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    given = parser.parse_args()
    print(f"seed {given.seed}")
    with tempfile.TemporaryDirectory() as folder:
        data = os.path.join(folder, "data")
        server = Server(given.binary, data, os.path.join(folder, "log"))
        try:
            await server.start()
            command = [given.binary, "admin", "set-password", "--stdin", "--data-dir", data]
            subprocess.run(command, input=PASSWORD.encode(), check=True, capture_output=True)
            times = await measure(server.target, given.rounds, random.Random(given.seed))
        except StartFailed as error:
            print(f"cannot run: {error}")
            return 2
        finally:
            server.kill()
    medians = {what: statistics.median(list_) * 1000 for what, list_ in times.items()}
    for what, list_ in times.items():
        quartiles = [q * 1000 for q in statistics.quantiles(list_, n=4)]
        print(f"{what:15} {len(list_)} logins, median {medians[what]:.2f} ms, quartiles {quartiles[0]:.2f} to {quartiles[2]:.2f} ms")
    low, high = sorted(medians.values())
    differ = (high / low - 1) * 100
    print(f"the medians differ by {differ:.2f} %; the bar is {given.bar} %")
    return 0 if differ < given.bar else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
