"""The server as a process: started, killed, started again on the same directory and port."""

from __future__ import annotations

import asyncio
import os
import re
import socket
import subprocess
import time

from wire import Target

# Limits that would judge the load instead of the promises under test.
ROOMY = {
    "EMFLOW_AGENTS__PACE": "20ms",
    "EMFLOW_LIMITS__ATTEMPTS_PER_MINUTE": "100000",
    "EMFLOW_LIMITS__MESSAGES_PER_MINUTE": "100000",
    "EMFLOW_LIMITS__BYTES_PER_MINUTE": "1GiB",
    "EMFLOW_LIMITS__CONNECTIONS_PER_ADDRESS": "2000",
}
CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----\n?", re.S)


class StartFailed(Exception):
    """The process ended, or was not ready in time."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def certificates(directory: str) -> str:
    """Every certificate in the data directory: the authority of a first start is among them."""
    found = []
    for folder, _, names in os.walk(directory):
        for name in sorted(names):
            path = os.path.join(folder, name)
            if os.path.getsize(path) > 100_000 or not name.endswith((".pem", ".crt", ".cer")):
                continue
            with open(path, encoding="latin-1") as file:
                found += CERTIFICATE.findall(file.read())
    return "\n".join(found)


class Server:
    """`binary serve` on a data directory; its log is kept beside, not on, that directory's file system."""

    def __init__(self, binary: str, data_dir: str, log: str, **environment: str):
        self.binary, self.data_dir, self.log = os.path.abspath(binary), data_dir, log
        self.port = free_port()
        self.environment = {**os.environ, **ROOMY, **environment}
        # What runs the binary: `strace` or `prlimit` with their arguments.
        self.prefix: list[str] = []
        self.process: subprocess.Popen | None = None
        self.target: Target | None = None

    def launch(self):
        command = [*self.prefix, self.binary, "serve", "--data-dir", self.data_dir, "--listen", f"127.0.0.1:{self.port}", "--no-open"]
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                                            env=self.environment, start_new_session=True)

    async def start(self, patience=30.0) -> float:
        """Launches and waits until `/readyz` says 200; answers with the seconds it took."""
        began = time.monotonic()
        self.launch()
        while time.monotonic() - began < patience:
            if self.process.poll() is not None:
                raise StartFailed(f"exit code {self.process.returncode}, log {self.log}")
            if await self.ready():
                return time.monotonic() - began
            await asyncio.sleep(0.02)
        raise StartFailed(f"not ready within {patience:g} s, log {self.log}")

    async def ready(self) -> bool:
        try:
            if self.target is None:
                self.target = self.find_target()
            return self.target is not None and (await self.target.request("GET", "/readyz")).status == 200
        except (OSError, asyncio.TimeoutError, asyncio.IncompleteReadError, ValueError):
            return False

    def find_target(self) -> Target | None:
        text = certificates(self.data_dir)
        if not text:
            return None
        bundle = self.log + ".ca.pem"
        with open(bundle, "w", encoding="ascii") as file:
            file.write(text)
        return Target(f"https://127.0.0.1:{self.port}", bundle)

    def kill(self) -> int:
        """SIGKILL, and the wait for its end; the exit code where it had ended before."""
        if self.process.poll() is None:
            self.process.kill()
        return self.process.wait()

    def open_files(self) -> int:
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))
