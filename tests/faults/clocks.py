"""The wall clock leaps; timers are monotonic, and nothing grows old at once."""

from __future__ import annotations

import asyncio
import glob
import os

from house import Arena
from network import with_backlog
from client import Client, History
from registry import Context, Skip, fault

# A token of a visitor is good for 30 days of the wall clock: a leap beyond them ends it, rightly.
LEAPS = ("+1h", "-1h", "+20d", "-20d")


def library() -> str:
    found = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
    if not found:
        raise Skip("needs faketime (package faketime)")
    return found[0]


@fault("F9", "the wall clock leaps by an hour and by 20 days, and back", 4, 40, "no repetition, no expiry, 0 lost")
async def leaps(context: Context):
    preload = library()
    clock = os.path.join(context.folder, "clock")

    def set_clock(text: str):
        # Replaced in one step: a half-written file would be no time at all.
        with open(clock + ".new", "w", encoding="ascii") as file:
            file.write(text)
        os.rename(clock + ".new", clock)

    set_clock("+0")
    environment = {"LD_PRELOAD": preload, "FAKETIME_TIMESTAMP_FILE": clock, "FAKETIME_NO_CACHE": "1",
                   "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1",
                   "EMFLOW_SESSIONS__CLEANUP_INTERVAL": "1s"}
    async with Arena(context, visitors=4, **environment) as arena:
        waiting = await with_backlog(arena.server.target, 2)
        greeted = await Client.connect(arena.server.target, waiting, ack="never", history=History())
        expected = greeted.greeting.payload["last_sequence"]
        greeted.cut()
        while context.done < context.trials:
            set_clock(LEAPS[context.done % len(LEAPS)])
            await asyncio.sleep(context.chance.uniform(1.2, 2.0))
            if context.done % 2:
                # A restart while the clock is wrong: ages go on where they were.
                arena.fault("kill")
                arena.server.kill()
                await arena.restart()
                await asyncio.sleep(1.5)
            client = await Client.connect(arena.server.target, waiting, ack="never", history=History())
            facts = client.greeting.payload
            client.cut()
            pending = facts["last_sequence"] - facts["acknowledged_sequence"]
            context.must(pending == expected, f"{expected} frames waited, {pending} do after a leap of {LEAPS[context.done % len(LEAPS)]}")
            set_clock("+0")
            await asyncio.sleep(1.2)
            context.done += 1
