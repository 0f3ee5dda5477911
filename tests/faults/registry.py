"""The list of faults: number, name, how many trials, and what runs them."""

from __future__ import annotations

import random
import tempfile
import time
from dataclasses import dataclass, field
from typing import Awaitable, Callable


class Skip(Exception):
    """The fault cannot be brought about here; said loudly, and a failure where CI is set."""


class Beside(Exception):
    """A test of the crate brings it about, and the test command that called us runs that test itself."""


@dataclass
class Context:
    """What a fault is given, and where it writes down what it found."""

    binary: str
    column: str
    trials: int
    seed: int
    folder: str
    chance: random.Random
    done: int = 0
    figures: dict = field(default_factory=dict)
    breaches: list[str] = field(default_factory=list)
    control: str = ""

    @property
    def nightly(self) -> bool:
        """Bars in seconds count here only: a test command on a busy machine asserts no time."""
        return self.column == "N"

    def breach(self, text: str):
        self.breaches.append(text)

    def must(self, condition, text: str):
        if not condition:
            self.breach(text)

    def worst(self, name: str, value: float):
        self.figures[name] = max(value, self.figures.get(name, value))

    def count(self, name: str, value=1):
        self.figures[name] = self.figures.get(name, 0) + value


@dataclass
class Fault:
    key: str
    name: str
    q: int
    n: int
    run: Callable[[Context], Awaitable[None]]
    bar: str


FAULTS: dict[str, Fault] = {}


def fault(key: str, name: str, q: int, n: int, bar: str):
    """Registers a fault; `q` and `n` are the trials of a commit and of a release."""
    def register(function):
        FAULTS[key] = Fault(key, name, q, n, function, bar)
        return function
    return register


@dataclass
class Result:
    key: str
    name: str
    bar: str
    trials: int
    wanted: int
    seconds: float
    outcome: str
    figures: dict
    breaches: list[str]
    control: str


async def run(one: Fault, binary: str, column: str, scale: float, seed: int, keep: str | None) -> Result:
    """One fault with its trials of the column; never raises."""
    wanted = one.q if column == "Q" else one.n
    trials = max(1, round(wanted * scale))
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix=f"fault-{one.key}-", dir=keep, ignore_cleanup_errors=True) as folder:
        context = Context(binary, column, trials, seed, folder, random.Random(f"{seed}/{one.key}"))
        try:
            await one.run(context)
            outcome = "failed" if context.breaches else "passed"
            if context.done < trials:
                context.breach(f"{context.done} of {trials} trials were done")
                outcome = "failed"
        except Beside as where:
            outcome = "beside"
            context.breaches = [str(where)]
        except Skip as reason:
            outcome = "skipped"
            context.breaches = [str(reason)]
        except Exception as error:  # noqa: BLE001: whatever stops a fault is a finding, of the product or the test
            outcome = "failed"
            context.breach(f"{type(error).__name__}: {error}")
    spent = round(time.monotonic() - began, 1)
    figures = {name: round(value, 3) for name, value in context.figures.items()}
    return Result(one.key, one.name, one.bar, context.done, wanted, spent, outcome, figures, context.breaches, context.control)
