"""Memory that runs out."""

from __future__ import annotations

import asyncio
import os
import time

from house import Arena, memory
from registry import Context, Skip, fault

CGROUP = "/sys/fs/cgroup/memory"


class Cage:
    """A memory cgroup; what is in it is killed by the kernel where it needs more."""

    def __init__(self, limit: int):
        self.path = os.path.join(CGROUP, f"emflow-fault-{os.getpid()}-{time.monotonic_ns():x}")
        if os.geteuid() != 0 or not os.path.exists(os.path.join(CGROUP, "memory.limit_in_bytes")):
            raise Skip("needs root and the memory controller of cgroups (version 1)")
        os.mkdir(self.path)
        self.set(limit)

    def set(self, limit: int):
        self.write("memory.limit_in_bytes", str(limit))

    def write(self, name: str, text: str):
        with open(os.path.join(self.path, name), "w", encoding="ascii") as file:
            file.write(text)

    def enter(self, pid: int):
        self.write("cgroup.procs", str(pid))

    def remove(self):
        try:
            os.rmdir(self.path)
        except OSError:
            pass


@fault("F22", "memory runs out", 1, 20, "works in 128 MiB; killed for want of memory it loses as little as by kill -9")
async def out_of_memory(context: Context):
    cage = Cage(128 << 20)
    try:
        async with Arena(context, visitors=6) as arena:
            while context.done < context.trials:
                cage.set(128 << 20)
                cage.enter(arena.server.process.pid)
                await asyncio.sleep(context.chance.uniform(1.0, 2.0))
                context.worst("memory MiB", memory(arena.server.process.pid) / (1 << 20))
                context.must(arena.server.process.poll() is None, "did not live in 128 MiB")
                # Now less than it has: the kernel takes pages away, or the process.
                arena.fault("kill")
                try:
                    cage.set(12 << 20)
                    await asyncio.sleep(1.5)
                except OSError:
                    pass
                killed = arena.server.process.poll() is not None
                context.count("killed by the kernel", int(killed))
                arena.server.kill()
                await arena.restart()
                context.done += 1
    finally:
        cage.remove()
