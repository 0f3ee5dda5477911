"""The power cut, by the script that has its own disks; the unsynced control must lose."""

from __future__ import annotations

import asyncio
import os
import re
import sys

from registry import Context, Skip, fault

SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "power", "powercut.py")


@fault("F3", "power cut on ext4 and xfs", 8, 600, "0 lost, opens every time; without fdatasync it must lose")
async def power_cut(context: Context):
    rounds = max(1, context.trials // 2)
    command = [sys.executable, SCRIPT, "--binary", context.binary, "--rounds", str(rounds), "--seed", str(context.seed)]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT)
    said, _ = await process.communicate()
    text = said.decode(errors="replace")
    if process.returncode == 2:
        raise Skip(text.strip().splitlines()[-1])
    read(context, text)
    context.must(process.returncode == 0, text.strip().splitlines()[-1])


def read(context: Context, text: str):
    """The script's lines as figures."""
    context.done = 2 * ((len(re.findall(r"^(?:ext4|xfs) round ", text, re.M)) + 1) // 2)
    for line in text.splitlines():
        if opened := re.search(r"opened in ([0-9.]+) s", line):
            context.worst("opened s", float(opened[1]))
        if line.startswith("FAIL"):
            context.breach(line)
        if control := re.match(r"ok (\w+) unsynced control: .* got (\d+) of (\d+)", line):
            context.control += f"{control[1]}: unsynced lost in {control[2]} of {control[3]}; "
