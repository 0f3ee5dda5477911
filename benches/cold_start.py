#!/usr/bin/env python3
"""Cold starts of a built binary: from the call to the last line of its welcome, each with an empty store.

    benches/cold_start.py [--binary target/release/emflow] [--runs 10]

Prints each run's milliseconds, their median and maximum, and the load of the machine. Ends with 1 where the
median is above the bar of 300 ms. The certificate, the authority and the store are made in that time.
"""

import argparse
import os
import pathlib
import signal
import statistics
import subprocess
import sys
import tempfile
import time

BAR_MS = 300.0


def start(binary: pathlib.Path) -> float:
    with tempfile.TemporaryDirectory() as directory:
        began = time.monotonic()
        server = subprocess.Popen(
            [binary, "--no-open", "--listen", "127.0.0.1:0"], cwd=directory,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        for line in server.stdout:
            if line.startswith("Stop with Ctrl-C"):
                break
        else:
            raise SystemExit(f"it ended with {server.wait()}")
        took = (time.monotonic() - began) * 1000
        server.send_signal(signal.SIGTERM)
        server.wait()
        return took


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", type=pathlib.Path, default=pathlib.Path("target/release/emflow"))
    parser.add_argument("--runs", type=int, default=10)
    args = parser.parse_args()
    took = []
    for _ in range(args.runs):
        load = os.getloadavg()[0]
        took.append(start(args.binary.resolve()))
        print(f"{took[-1]:6.0f} ms   load {load:.1f} on {os.cpu_count()} cores")
    median = statistics.median(took)
    print(f"median {median:.0f} ms, largest {max(took):.0f} ms, bar {BAR_MS:.0f} ms")
    return median > BAR_MS


if __name__ == "__main__":
    sys.exit(main())
