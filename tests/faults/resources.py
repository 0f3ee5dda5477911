"""Memory that runs out, and what grows in hours."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time

from house import Arena, memory, until
from registry import Context, Skip, fault

HERE = os.path.dirname(os.path.abspath(__file__))
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

    def remove(self):
        try:
            os.rmdir(self.path)
        except OSError:
            pass


@fault("F22", "memory runs out", 2, 20, "works in 128 MiB; killed for want of memory it loses as little as by kill -9")
async def out_of_memory(context: Context):
    async with Arena(context, visitors=6) as arena:
        while context.done < context.trials:
            # Enough once, then less than it needs: the kernel kills it while it starts or works.
            await caged(context, arena, 128 << 20, must_live=True)
            await caged(context, arena, context.chance.randint(6, 14) << 20, must_live=False)
            arena.fault("kill")
            arena.server.kill()
            await arena.restart()
            context.done += 1


async def caged(context: Context, arena: Arena, limit: int, must_live: bool):
    cage, server = Cage(limit), arena.server
    arena.fault("kill")
    server.kill()
    # The shell puts itself into the cage and becomes the server.
    server.prefix = ["sh", "-c", f'echo $$ > {cage.path}/cgroup.procs; exec "$@"', "sh"]
    server.launch()
    server.prefix = []
    died = await until(lambda: server.process.poll() is not None, context.chance.uniform(1.5, 3.0))
    if must_live:
        context.must(not died, f"ended with {server.process.poll()} in {limit >> 20} MiB")
        if not died:
            context.worst("memory in 128 MiB", memory(server.process.pid) / (1 << 20))
    else:
        context.count("killed by the kernel", int(died and server.process.returncode == -9))
    server.kill()
    cage.remove()


# Minutes of the soak are its trials; a commit runs none.
@fault("F24", "soak: hours of visitors who come and go, with troubles by chance (trials are minutes)", 0, 480,
       "memory slope < 1 MiB/h, 95 % of it back, disk < 4 x live + 64 MiB, 0 violations")
async def soak(context: Context):
    record = os.path.join(context.folder, "soak.json")
    command = [sys.executable, os.path.join(HERE, "soak.py"), "--binary", context.binary, "--minutes", str(context.trials),
               "--seed", str(context.seed), "--record", record]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT)
    said, _ = await process.communicate()
    for line in said.decode(errors="replace").splitlines():
        if line.startswith(("FAIL", "  ")) or process.returncode == 2:
            context.breach(line.strip())
    if os.path.exists(record):
        with open(record, encoding="utf-8") as file:
            context.figures.update(json.load(file)["figures"])
        context.done = context.trials
    context.must(process.returncode == 0 or context.breaches, f"exit code {process.returncode}")
