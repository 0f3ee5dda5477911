"""Faults of the disk: damaged, full, failing, slow; descriptors that run out; stores of older releases."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import time

import cargo
from client import Client, History, Visitor
from house import Arena, memory, until
from registry import Context, Skip, fault

FAULTY = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "it", "disk", "faulty.c")


@fault("F5", "a file of the store cut, flipped or gone", 20, 500, "intact, or exit 74; never silently less, no panic")
async def damaged(context: Context):
    await cargo.tests(context, "--test it", ["disk::damage::a_harmed_store_is_intact_or_refused"],
                      context.trials, 1, TRIALS=str(context.trials))


@fault("F6", "a full disk of 24 MiB (ext4, tmpfs)", 2, 30, "refused visibly; starts on the full disk; goes on with room")
async def full(context: Context):
    await cargo.tests(context, "--test it", ["disk::full::a_full_disk_refuses_starts_and_goes_on"],
                      2, -(-context.trials // 2))


@fault("F7", "EIO or ENOSPC in the n-th write or sync, once and from then on", 20, 400,
       "exit 74, nothing accepted that is not kept, 0 lost")
async def failing(context: Context):
    await cargo.tests(context, "--test it", ["disk::a_failed_write_or_sync_stops_the_server_and_loses_nothing"],
                      context.trials, 1, TRIALS=str(context.trials))


# The disk's answer to a sync takes so long (ms): slow, very slow, and as good as dead.
SYNCS = (50, 1_000, 10_000)


@fault("F8", "a sync takes 50 ms, 1 s, 10 s", 3, 30, "pings and health answered in 1 s; memory flat; 0 lost")
async def slow_disk(context: Context):
    library, armed = build(context), os.path.join(context.folder, "armed")
    while context.done < context.trials:
        stall = SYNCS[context.done % len(SYNCS)]
        environment = {"LD_PRELOAD": library, "FAULT": "sync-slow", "FAULT_MS": str(stall), "FAULT_PATH": "/data/",
                       "FAULT_WHILE": armed, "FAULT_TOLD": armed + ".told"}
        async with Arena(context, visitors=4, ack_timeout=0.0, watch=False, **environment) as arena:
            await asyncio.sleep(0.5)
            with open(armed, "w", encoding="ascii"):
                pass
            await under_slow_syncs(context, arena, stall, armed + ".told")
            os.remove(armed)
        context.done += 1


async def under_slow_syncs(context: Context, arena: Arena, stall: int, told: str):
    """What does not need the disk is answered meanwhile."""
    client = await Client.connect(arena.server.target, await visitor(arena), history=History())
    before = memory(arena.server.process.pid)
    context.must(await until(lambda: os.path.exists(told), 30.0), f"no sync came while each takes {stall} ms")
    end = time.monotonic() + max(2.0, 1.5 * stall / 1000)
    while time.monotonic() < end:
        for name, asked in (("slowest pong s", client.barrier()), ("slowest health answer s", health(arena))):
            began = time.monotonic()
            await asked
            took = time.monotonic() - began
            context.worst(name, took)
            context.must(took < 1.0 or not context.nightly, f"{name[8:-2]} after {took:.2f} s while a sync takes {stall} ms")
        await asyncio.sleep(0.1)
    grown = (memory(arena.server.process.pid) - before) / (1 << 20)
    context.worst("memory grown MiB", grown)
    context.must(grown < 32, f"{grown:.0f} MiB more while a sync takes {stall} ms")
    client.cut()
    os.remove(told)


async def visitor(arena: Arena) -> Visitor:
    """Made before the disk is slow where one is at hand: making one waits for the disk."""
    return arena.crowd.loads[0].visitor


async def health(arena: Arena):
    answer = await arena.server.target.request("GET", "/healthz")
    if answer.status != 200:
        raise RuntimeError(f"GET /healthz: {answer.status}")


def build(context: Context) -> str:
    if not shutil.which("cc"):
        raise Skip("needs a C compiler")
    library = os.path.join(context.folder, "faulty.so")
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, FAULTY], check=True)
    return library


@fault("F23", "descriptors run out (128)", 2, 20, "the door waits without a busy loop, the store works, visitors come in again")
async def descriptors(context: Context):
    await cargo.tests(context, "--test it", ["disk::without_descriptors_the_store_works_and_the_door_waits"],
                      1, context.trials)


@fault("F26", "stores and backups of released versions; an upgrade that is taken back", 6, 6,
       "opened and served as they were, or refused with the reason and left as they are")
async def older_stores(context: Context):
    golden = ["golden::stores_of_released_versions_are_opened_and_their_frames_served",
              "golden::backups_of_released_versions_are_restored"]
    await cargo.tests(context, "--test it", golden, len(golden), 1)
    upgrade = ["an_older_store_is_converted_and_the_old_one_kept", "an_upgrade_that_never_becomes_ready_is_rolled_back",
               "what_cannot_be_converted_stays_as_it_is", "a_newer_store_is_not_even_opened"]
    await cargo.tests(context, "--lib", [f"store::upgrade::tests::{name}" for name in upgrade], len(upgrade), 1)
