"""The list of checks, how one is judged, and how the verdict is printed."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Awaitable, Callable

from client import Client, Visitor
from wire import Target

# A check that takes longer hangs; the slow ones wait for the server's own timeouts.
LIMIT, SLOW_LIMIT = 90.0, 240.0


class Deviation(Exception):
    """The server did something other than what the protocol says."""

    def __init__(self, expected, got):
        super().__init__(f"expected {expected} got {got}")


class CannotTell(Exception):
    """The check could not bring about what it wanted to look at: counted as a failure, never as a pass."""


def equal(what: str, expected, got):
    if expected != got:
        raise Deviation(f"{what} = {expected!r}", f"{got!r}")


def one_of(what: str, allowed, got):
    if got not in allowed:
        raise Deviation(f"{what} one of {tuple(allowed)!r}", f"{got!r}")


def must(condition, expected: str, got):
    if not condition:
        raise Deviation(expected, got)


@dataclass
class World:
    """What every check gets: the server, and ways to make visitors and sockets."""

    target: Target
    server_pid: int | None = None

    async def visitor(self) -> Visitor:
        return await Visitor.create(self.target)

    async def connect(self, visitor: Visitor | None = None, **options) -> Client:
        return await Client.connect(self.target, visitor or await self.visitor(), **options)


@dataclass
class Check:
    name: str
    run: Callable[[World], Awaitable[None]]
    slow: bool


CHECKS: list[Check] = []


def check(name: str, slow=False):
    def register(function):
        CHECKS.append(Check(name, function, slow))
        return function
    return register


async def judge(one: Check, world: World) -> str | None:
    """None where the check passed, or what was wrong."""
    try:
        async with asyncio.timeout(SLOW_LIMIT if one.slow else LIMIT):
            await one.run(world)
        return None
    except (Deviation, AssertionError) as deviation:
        return str(deviation)
    except CannotTell as reason:
        return f"expected to be able to tell, got {reason}"
    except (asyncio.TimeoutError, TimeoutError):
        return "expected an answer in time, got none"
    except Exception as error:  # noqa: BLE001: whatever the server provoked is a finding
        return f"expected no failure, got {type(error).__name__}: {error}"


async def run_all(world: World, pattern: str, slow: bool, jobs: int) -> bool:
    """Runs the chosen checks, prints a line each in their order, and says whether all passed."""
    chosen = [one for one in CHECKS if pattern in one.name and (slow or not one.slow)]
    places = asyncio.Semaphore(jobs)

    async def placed(one: Check):
        async with places:
            return await judge(one, world)

    failed = 0
    tasks = [asyncio.create_task(placed(one)) for one in chosen]
    for one, task in zip(chosen, tasks):
        fault = await task
        failed += fault is not None
        print(f"ok {one.name}" if fault is None else f"FAIL {one.name}: {fault}", flush=True)
    print(f"{len(chosen) - failed} passed, {failed} failed")
    return failed == 0
