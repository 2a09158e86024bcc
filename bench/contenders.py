"""Servers that do the same job, each a process of its own on one core."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import jwt

HERE = Path(__file__).parent
SECRET = "a-secret-of-the-benchmarks-long-enough-1234567890"
START_TIMEOUT = 30.0  # s


def token(user: str, role: str) -> str:
    """A token that every contender accepts."""
    now = int(time.time())
    return jwt.encode({"userId": user, "role": role, "iat": now, "exp": now + 86_400}, SECRET, algorithm="HS256")


@dataclass(frozen=True, eq=False)
class Contender:
    """``command`` has ``{port}`` and ``{folder}`` (an empty one) filled in; so have the values of ``env``."""

    name: str
    command: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)

    @property
    def missing(self) -> str | None:
        """What must be installed before this one can take part; ``None`` where nothing is."""
        if shutil.which(self.command[0]) is None:
            return self.command[0]
        return None


ORDERCAST = Contender(
    "Ordercast",
    (sys.executable, "-m", "ordercast", "serve", "--port", "{port}", "--log-level", "warning"),
    {"ORDERCAST_JWT_SECRET": SECRET, "ORDERCAST_DATABASE_URL": "sqlite:///{folder}/orders.db"},
)
NODE = Contender(
    "Node.js Socket.IO",
    ("node", str(HERE / "peers" / "node" / "server.mjs"), "{port}"),
    {"JWT_SECRET": SECRET, "NODE_ENV": "production"},
)
PYTHON_SOCKETIO = Contender(
    "python-socketio",
    (sys.executable, str(HERE / "peers" / "python_socketio.py"), "{port}"),
    {"JWT_SECRET": SECRET},
)
ALL = (ORDERCAST, NODE, PYTHON_SOCKETIO)


@cache
def cores() -> tuple[int, int]:
    """A core for the server and one for the load. Raises ``SystemExit`` where there is only one."""
    available = sorted(os.sched_getaffinity(0))
    if len(available) < 2:
        sys.exit("The benchmarks need two cores: one for the server, one for the load.")
    return available[0], available[1]


@dataclass(frozen=True)
class Running:
    """A contender that listens."""

    port: int
    pid: int

    @property
    def url(self) -> str:
        """Its REST address."""
        return f"http://127.0.0.1:{self.port}"

    def cpu_seconds(self) -> float:
        """User and system time of the process so far, all its threads included."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident(self) -> int:
        """Bytes of memory in use."""
        return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@contextmanager
def running(contender: Contender) -> Iterator[Running]:
    """Starts a contender on the server's core and ends it afterwards, however the run ends."""
    core, _ = cores()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="ordercast-bench-") as folder:
        filled = {key: value.format(port=port, folder=folder) for key, value in contender.env.items()}
        log = Path(folder) / "log"
        with log.open("wb") as out:
            process = subprocess.Popen(
                [part.format(port=port, folder=folder) for part in contender.command],
                env={**{k: v for k, v in os.environ.items() if not k.startswith("ORDERCAST_")}, **filled},
                stdout=out,
                stderr=out,
                preexec_fn=lambda: os.sched_setaffinity(0, {core}),
            )
        try:
            _wait_for(port, process, log)
            yield Running(port, process.pid)
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"it ended with {process.returncode}:\n{log.read_text()}")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError(f"it does not listen on port {port}:\n{log.read_text()}")
