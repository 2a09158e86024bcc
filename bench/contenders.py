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
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import jwt

from bench.loop import Failed

HERE = Path(__file__).parent
SECRET = "a-secret-of-the-benchmarks-long-enough-1234567890"
START_TIMEOUT = 30.0  # s


def token(user: str, role: str) -> str:
    """A token that every contender accepts."""
    now = int(time.time())
    return jwt.encode({"userId": user, "role": role, "iat": now, "exp": now + 86_400}, SECRET, algorithm="HS256")


@dataclass(frozen=True, eq=False)
class Contender:
    """``command`` has ``{port}`` and ``{folder}`` (an empty one) filled in; so have the values of ``env``.

    ``needs``: a file that is there once the peer's own packages are installed.
    """

    name: str
    command: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    needs: Path | None = None
    nodes: int = 0
    """How many of it share PostgreSQL and Redis, on whichever core; 0: it is one process on its own core."""

    @property
    def missing(self) -> str | None:
        """What to do before this one can take part; ``None`` where nothing is."""
        if self.needs is not None and not self.needs.exists():
            return f"run 'npm ci' in {self.needs.relative_to(HERE.parent).parent.parent}"
        if shutil.which(self.command[0]) is None:
            return f"install {self.command[0]}"
        return None


_NODE = HERE / "peers" / "node"
_BUN = HERE / "peers" / "bun"

ORDERCAST = Contender(
    "Ordercast",
    (sys.executable, str(HERE / "peers" / "ordercast_burst.py"), "{port}"),
    {"ORDERCAST_JWT_SECRET": SECRET, "ORDERCAST_DATABASE_URL": "sqlite:///{folder}/orders.db"},
)
NODE = Contender(
    "Node.js Socket.IO",
    ("node", "--expose-gc", str(_NODE / "server.mjs"), "{port}"),
    {"JWT_SECRET": SECRET, "NODE_ENV": "production"},
    _NODE / "node_modules" / "socket.io",
)
BUN = Contender(
    "Bun Socket.IO",
    (str(_BUN / "node_modules" / ".bin" / "bun"), str(_BUN / "server.mjs"), "{port}"),
    {"JWT_SECRET": SECRET, "NODE_ENV": "production"},
    _BUN / "node_modules" / "bun",
)
PYTHON_SOCKETIO = Contender(
    "python-socketio",
    (sys.executable, str(HERE / "peers" / "python_socketio.py"), "{port}"),
    {"JWT_SECRET": SECRET},
)
SEND_LOOP = Contender("send loop", (sys.executable, str(HERE / "peers" / "send_loop.py"), "{port}"))
SERVERS = (ORDERCAST, NODE, BUN, PYTHON_SOCKETIO)
"""Those that do the whole job."""
_ON_POSTGRES = {"ORDERCAST_JWT_SECRET": SECRET}
ONE_NODE = Contender("one node", ORDERCAST.command, _ON_POSTGRES, nodes=1)
TWO_NODES = Contender("two nodes", ORDERCAST.command, _ON_POSTGRES, nodes=2)
_SERVE = (sys.executable, "-m", "ordercast", "serve", "--log-level", "warning", "--port", "{port}")
MANY_ORDERS = Contender("board of 5,000 orders", _SERVE, ORDERCAST.env)
FEW_ORDERS = Contender("board of 50 orders", _SERVE, ORDERCAST.env)
BOARD_PAGE = Contender("/board", ("true",))
TRACK_PAGE = Contender("/track", ("true",))
"""Pages as they are built: nothing of them runs."""
IMPORT_FILE = Contender("import, SQLite", ("true",))
EXECUTEMANY = Contender("executemany, SQLite", ("true",))
IMPORT_POSTGRES = Contender("import, PostgreSQL", ("true",))
COPY = Contender("COPY, PostgreSQL", ("true",))
"""Programs that run once and serve nobody."""
_PROGRAMS = (IMPORT_FILE, EXECUTEMANY, IMPORT_POSTGRES, COPY)
ALL = (*SERVERS, SEND_LOOP, ONE_NODE, TWO_NODES, MANY_ORDERS, FEW_ORDERS, BOARD_PAGE, TRACK_PAGE, *_PROGRAMS)


@cache
def cores() -> tuple[int, int]:
    """A core for the server and one for the load. Raises ``SystemExit`` where there is only one."""
    available = sorted(os.sched_getaffinity(0))
    if len(available) < 2:
        sys.exit("The benchmarks need two cores: one for the server, one for the load.")
    return available[0], available[1]


class Running:
    """A contender that listens, on the server's core or on those named."""

    def __init__(self, contender: Contender, folder: str, on: Collection[int] = ()) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self._log = Path(folder) / "log"
        self._command = [part.format(port=self.port, folder=folder) for part in contender.command]
        ours = {key: value.format(port=self.port, folder=folder) for key, value in contender.env.items()}
        self._env = {**{k: v for k, v in os.environ.items() if not k.startswith("ORDERCAST_")}, **ours}
        self._process: subprocess.Popen[bytes] | None = None
        self._cores = set(on) or {cores()[0]}

    def start(self) -> float:
        """Returns the seconds until it answered. Raises `Failed` where it does not."""
        began = time.monotonic()
        with self._log.open("wb") as out:
            process = self._process = subprocess.Popen(
                self._command,
                env=self._env,
                stdout=out,
                stderr=out,
                preexec_fn=lambda: os.sched_setaffinity(0, self._cores),
            )
        while time.monotonic() < began + START_TIMEOUT:
            if process.poll() is not None:
                break
            try:
                with socket.create_connection(("127.0.0.1", self.port), START_TIMEOUT) as asking:
                    asking.send(b"GET /bench HTTP/1.1\r\nHost: localhost\r\n\r\n")
                    if asking.recv(1):
                        return time.monotonic() - began
            except OSError:
                time.sleep(0.01)
        raise Failed("the server does not answer")

    def last_words(self) -> str:
        """Why it ended, where it did by itself."""
        if self._process is None or self._process.poll() is None:
            return ""
        lines = self._log.read_text(errors="replace").splitlines() or ["without a word"]
        return f"; it ended with {self._process.returncode}: {lines[-1]}"

    def kill(self) -> None:
        """Ends it without a word, as a crash would."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()

    @property
    def pid(self) -> int:
        """Of the process that runs now."""
        assert self._process is not None
        return self._process.pid

    @property
    def url(self) -> str:
        """Its REST address."""
        return f"http://127.0.0.1:{self.port}"

    def cpu_seconds(self) -> float:
        """User and system time of the process so far, all its threads included.

        The clock that clock_getcpuclockid(3) names: ``/proc/PID/stat`` counts in hundredths of a second.
        """
        return time.clock_gettime((~self.pid << 3) | 2)

    def resident(self) -> int:
        """Bytes of memory in use."""
        return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@contextmanager
def running(contender: Contender, on: Collection[int] = ()) -> Iterator[Running]:
    """Starts a contender, on its own core or on those named, and ends it afterwards, however the run ends."""
    with tempfile.TemporaryDirectory(prefix="ordercast-bench-") as folder:
        server = Running(contender, folder, on)
        try:
            server.start()
            yield server
        except Failed as failure:
            raise Failed(f"{failure}{server.last_words()}") from failure
        finally:
            server.kill()
