"""A TCP proxy that does to connections what networks do. TLS stays between the two ends."""

from __future__ import annotations

import asyncio
import random
import socket
import struct
from dataclasses import dataclass


@dataclass
class Manners:
    """How bytes are carried. Changed while it runs, it holds from the next bytes on."""

    delay: tuple[float, float] = (0.0, 0.0)
    # Bytes carried at once; 0 for as they come.
    chunk: int = 0
    # Bytes a second towards the client; 0 for no limit.
    rate: int = 0
    # Nothing goes through, and nobody is told.
    black_hole: bool = False


class Proxy:
    """Listens on a port of its own and carries to `port`."""

    def __init__(self, port: int, chance: random.Random, receive_buffer: int = 0):
        self.upstream, self.chance, self.receive_buffer = port, chance, receive_buffer
        self.manners = Manners()
        self.pairs: set[tuple[asyncio.StreamWriter, asyncio.StreamWriter]] = set()
        self.server: asyncio.Server | None = None
        self.tasks: set[asyncio.Task] = set()
        self.carried = 0
        # Our ports towards the server, those of closed lines too.
        self.far_ports: set[int] = set()

    async def __aenter__(self) -> "Proxy":
        self.server = await asyncio.start_server(self.accept, "127.0.0.1", 0, limit=1 << 16, backlog=4096)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_):
        self.server.close()
        for near, far in list(self.pairs):
            near.transport.abort()
            far.transport.abort()
        for task in list(self.tasks):
            task.cancel()

    async def accept(self, reader: asyncio.StreamReader, near: asyncio.StreamWriter):
        self.tasks.add(asyncio.current_task())
        try:
            if self.receive_buffer:
                upstream = socket.socket()
                upstream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.receive_buffer)
                upstream.setblocking(False)
                await asyncio.get_running_loop().sock_connect(upstream, ("127.0.0.1", self.upstream))
                far_reader, far = await asyncio.open_connection(sock=upstream, limit=1 << 12)
            else:
                far_reader, far = await asyncio.open_connection("127.0.0.1", self.upstream, limit=1 << 16)
        except OSError:
            near.transport.abort()
            return
        self.far_ports.add(far.get_extra_info("sockname")[1])
        pair = (near, far)
        self.pairs.add(pair)
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self.carry(reader, far, False))
                both.create_task(self.carry(far_reader, near, True))
        except* (OSError, asyncio.CancelledError):
            pass
        finally:
            self.pairs.discard(pair)
            near.transport.abort()
            far.transport.abort()
            self.tasks.discard(asyncio.current_task())

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, to_client: bool):
        while True:
            while self.manners.black_hole:
                await asyncio.sleep(0.05)
            rate = self.manners.rate if to_client else 0
            data = await reader.read(max(1, rate // 10) if rate else 16_384)
            if not data:
                writer.write_eof()
                return
            self.carried += len(data)
            manners = self.manners
            if manners.delay[1]:
                await asyncio.sleep(self.chance.uniform(*manners.delay))
            size = manners.chunk or len(data)
            for at in range(0, len(data), size):
                while self.manners.black_hole:
                    await asyncio.sleep(0.05)
                writer.write(data[at:at + size])
                await writer.drain()
            if rate:
                await asyncio.sleep(len(data) / rate)

    def reset(self, share=1.0) -> int:
        """Resets connections at both ends, in the middle of whatever is carried."""
        count = 0
        for near, far in list(self.pairs):
            if self.chance.random() < share:
                for writer in (near, far):
                    ends = writer.get_extra_info("socket")
                    if ends is not None and ends.fileno() >= 0:
                        ends.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    writer.transport.abort()
                count += 1
        return count

    def half_close(self, share=1.0):
        """The client's side says it is done; the other way stays open."""
        for _, far in list(self.pairs):
            if self.chance.random() < share and not far.transport.is_closing():
                far.write_eof()
