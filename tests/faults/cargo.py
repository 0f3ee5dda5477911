"""Faults that tests of the crate bring about; here they are run by name, again and again."""

from __future__ import annotations

import asyncio
import os
import re

from registry import Beside, Context, Skip

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
# What cargo tells the tests it runs, and what would have it build everything again for us.
INHERITED = re.compile(r"CARGO_(PKG_|MANIFEST_|BIN_EXE_|PRIMARY_|CRATE_NAME|TARGET_TMPDIR)|LD_LIBRARY_PATH")
# Longer takes only a test that hangs.
PATIENCE = 3600.0


async def tests(context: Context, target: str, names: list[str], per_run: int, runs: int, **environment: str):
    """Runs these tests `runs` times, each run counting as so many trials.

    `target` is `--lib` or `--test it`. Tests that start a server start the binary of the context.
    """
    if os.environ.get("EMFLOW_FAULTS_BESIDE_TESTS"):
        raise Beside("the same command runs " + ", ".join(names))
    for number in range(runs):
        text, code = await cargo(target, names, {**environment, "EMFLOW_TEST_BINARY": context.binary})
        passed = sum(int(n) for n in re.findall(r"^test result: \w+\. (\d+) passed", text, re.M))
        if "*** SKIPPED" in text:
            raise Skip(text[text.index("*** SKIPPED"):].split("\n")[0])
        if code or passed < len(names):
            context.breach(f"run {number}: exit code {code}, {passed} of {len(names)} tests passed: {failure(text)}")
        context.count("tests passed", passed)
        context.done += per_run


def failure(text: str) -> str:
    """What the first test that failed said, on one line."""
    said = re.search(r"panicked at .*?\n(.*?)(\nnote:|\n\n|\Z)", text, re.S)
    return " ".join((said[1] if said else text[-400:]).split())[:400]


async def cargo(target: str, names: list[str], environment: dict) -> tuple[str, int]:
    inherited = {key: value for key, value in os.environ.items() if not INHERITED.match(key)}
    command = ["cargo", "test", "--quiet", *target.split(), "--", "--exact", "--nocapture", *names]
    try:
        process = await asyncio.create_subprocess_exec(
            *command, cwd=ROOT, env={**inherited, **environment},
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT)
    except FileNotFoundError:
        raise Skip("needs cargo") from None
    said, _ = await asyncio.wait_for(process.communicate(), PATIENCE)
    return said.decode(errors="replace"), process.returncode
