#!/usr/bin/env python3
"""A power cut under the whole server: is what it said was accepted, and what it showed, there afterwards?

    powercut.py --binary PATH [--rounds 2] [--fs ext4,xfs] [--visitors 6] [--seed N] [--keep DIR]

Each round: a new file system in a loop-mounted image, the server on it, visitors
over loopback who write down what they were told; at a random moment the file
system is shut down, which drops what no fsync had forced out, as a power cut
would; then SIGKILL, umount, mount, restart. The history checker compares.

A test that only kills processes proves little here: the page cache survives a
kill. So the control rounds start the server with EMFLOW_STORE_UNSYNCED_CONTROL=1
(written, never synced): unless at least one of them loses something or does not
open, this test cannot see a loss and fails itself.

Exit codes: 0 nothing lost and the control failed as it must, 1 otherwise, 2 cannot
run: needs root, loop devices, xfsprogs, e2fsprogs and the Python package `websockets`.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "observer"))

IMAGE_SIZE = 400 << 20
MAKE = {"ext4": ["mkfs.ext4", "-q", "-F"], "xfs": ["mkfs.xfs", "-q", "-f"]}
# What a store that lost everything may take to be seen as such; and a sound one to drain.
CONTROL_QUIET, QUIET = 10.0, 60.0


def run(*command: str):
    subprocess.run(command, check=True, capture_output=True)


class Disk:
    """A file system in an image file, whose power can be cut."""

    def __init__(self, folder: str, kind: str):
        self.image, self.mountpoint = os.path.join(folder, "disk.img"), os.path.join(folder, "mnt")
        os.makedirs(self.mountpoint)
        with open(self.image, "wb") as file:
            file.truncate(IMAGE_SIZE)
        run(*MAKE[kind], self.image)
        self.mounted = False

    def mount(self):
        run("mount", "-o", "loop", self.image, self.mountpoint)
        self.mounted = True

    def sync(self):
        run("sync", "-f", self.mountpoint)

    def cut(self):
        """Without -f: the log is not flushed either."""
        run("xfs_io", "-x", "-c", "shutdown", self.mountpoint)

    def unmount(self):
        for _ in range(50):
            if subprocess.run(["umount", self.mountpoint], capture_output=True).returncode == 0:
                self.mounted = False
                return
            time.sleep(0.1)
        run("umount", "-l", self.mountpoint)
        self.mounted = False


async def one_round(args, kind: str, number: int, control: bool) -> tuple[list[str], str]:
    """What was lost, and a line about the round."""
    from checker import judge
    from load import Crowd
    from server import Server, StartFailed
    folder = tempfile.mkdtemp(prefix="powercut-", dir=args.keep)
    seed = f"{args.seed}/{kind}/{number}/{control}"
    chance, disk = random.Random(seed), Disk(folder, kind)
    disk.mount()
    environment = {"EMFLOW_STORE_UNSYNCED_CONTROL": "1"} if control else {}
    server = Server(args.binary, os.path.join(disk.mountpoint, "data"), os.path.join(folder, "server.log"), **environment)
    crowd = None
    try:
        await server.start()
        crowd = Crowd(server.target, os.path.join(folder, "history.jsonl"), args.seed)
        await crowd.enter(args.visitors)
        await asyncio.sleep(0.5)
        disk.sync()
        await asyncio.sleep(chance.uniform(0.2, 3.0))
        crowd.history.add("fault", kind="power")
        disk.cut()
        await asyncio.sleep(chance.uniform(0, 0.3))
        ended = server.kill()
        before = crowd.counts()
        disk.unmount()
        disk.mount()
        try:
            opened = f"opened in {await server.start():.2f} s"
        except StartFailed as failure:
            return [f"does not open: {failure}"], f"{before}; ended with {ended}"
        await crowd.leave(CONTROL_QUIET if control else QUIET)
        found = judge(crowd.history.events).violations
        faults = [fault for load in crowd.loads for fault in load.mailbox.faults]
        lost = [f"{rule}: {text}" for rule, text in found] + faults
        return lost, f"{before}; ended with {ended}; {opened}; {crowd.counts()}"
    finally:
        if crowd:
            await crowd.abandon()
            crowd.history.file.close()
        if server.process:
            server.kill()
        if disk.mounted:
            disk.unmount()
        os.remove(disk.image)
        if not args.keep:
            shutil.rmtree(folder, ignore_errors=True)


async def main_loop(args) -> int:
    failed = passed = 0
    for kind in args.fs.split(","):
        for control in (False, True):
            losing = 0
            for number in range(1, args.rounds + 1):
                lost, line = await one_round(args, kind, number, control)
                losing += bool(lost)
                name = f"{kind} {'control' if control else 'round'} {number}"
                print(f"{name}: {line}; {len(lost)} losses {lost[:2]}", flush=True)
            good = losing > 0 if control else losing == 0
            passed, failed = passed + good, failed + (not good)
            expected = "at least 1 round with a loss" if control else "0 rounds with a loss"
            why = "" if good or not control else " (control did not fail: this test cannot see a loss)"
            what = "unsynced control" if control else "power cut"
            print(f"{'ok' if good else 'FAIL'} {kind} {what}: expected {expected} got {losing} of {args.rounds}{why}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


def missing() -> str | None:
    if os.geteuid() != 0:
        return "needs root"
    for tool in ("xfs_io", "mkfs.ext4", "mkfs.xfs", "mount"):
        if not shutil.which(tool):
            return f"needs {tool} (packages xfsprogs, e2fsprogs)"
    try:
        import websockets  # noqa: F401
    except ImportError:
        return "needs the Python package websockets (tests/observer/requirements.txt)"
    return None


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", required=True)
    parser.add_argument("--rounds", type=int, default=2, help="a file system, and as many for the control (default 2)")
    parser.add_argument("--fs", default="ext4,xfs")
    parser.add_argument("--visitors", type=int, default=6)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000)
    parser.add_argument("--keep", metavar="DIR", help="keeps histories and logs there")
    args = parser.parse_args()
    reason = missing()
    if reason or not os.path.exists(args.binary):
        print(f"SKIPPED power cut: {reason or 'no ' + args.binary}", file=sys.stderr)
        return 2
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    print(f"seed {args.seed}")
    try:
        return asyncio.run(main_loop(args))
    except subprocess.CalledProcessError as failure:
        print(f"cannot run: {' '.join(failure.cmd)}: {failure.stderr!r}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
