"""A PostgreSQL server of the tests' own: real and private."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from itertools import count
from pathlib import Path
from typing import Any, Self

import asyncpg

USER = "ordercast"
PASSWORD = "a-password-for-tests"
START_TIMEOUT = 60.0
DEBIAN = Path("/usr/lib/postgresql")
"""Where Debian's packages put each version's programs, outside the PATH."""


def program(name: str) -> str:
    """The path of one of PostgreSQL's programs. Raises ``FileNotFoundError``: without them the tests fail."""
    found = shutil.which(name)
    if found is None:
        versions = sorted(DEBIAN.glob(f"*/bin/{name}"), key=lambda path: int(path.parts[-3]))
        found = str(versions[-1]) if versions else None
    if found is None:
        raise FileNotFoundError(f"PostgreSQL's '{name}' is missing; install it with: apt-get install postgresql")
    return found


def _processes() -> list[int]:
    return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]


def _state_of(pid: int) -> tuple[str, int]:
    """A process's state, "-" where there is none, and its parent (proc_pid_stat(5))."""
    try:
        state, parent = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[:2]
    except OSError:
        return "-", 0
    return state, int(parent)


class PostgresServer:
    """A server on a port of its own, in a folder of its own; `databases` are made from a migrated one."""

    def __init__(self) -> None:
        # Not below pytest's own folder, where no other user may look; PostgreSQL refuses to run as root.
        self.folder = Path(tempfile.mkdtemp(prefix="ordercast-postgres-"))
        self._identity: dict[str, Any] = {}
        if os.getuid() == 0:
            user = pwd.getpwnam("postgres")
            self._identity = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
            os.chown(self.folder, user.pw_uid, user.pw_gid)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self._numbers = count(1)
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        password = self.folder / "password"
        password.write_text(PASSWORD)
        password.chmod(0o644)
        self._run("initdb", "-D", "data", "-U", USER, "--auth=scram-sha-256", "--pwfile=password", "--encoding=UTF8")
        try:
            return self.start()
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *exc: object) -> None:
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, name: str, *arguments: str) -> None:
        done = subprocess.run(
            [program(name), *arguments], cwd=self.folder, capture_output=True, text=True, check=False, **self._identity
        )
        assert done.returncode == 0, done.stderr

    def start(self) -> Self:
        """Starts it, and waits until it answers."""
        settings = {"listen_addresses": "127.0.0.1", "unix_socket_directories": ""}
        settings["fsync"] = "off"  # the tests kill processes, not machines: what was written is the kernel's, and stays
        settings["max_connections"] = "500"  # those that a fault leaves behind take a moment to go
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        with (self.folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                [program("postgres"), "-D", "data", "-p", str(self.port), *options],
                cwd=self.folder,
                stdout=log,
                stderr=log,
                **self._identity,
            )
        deadline = time.monotonic() + START_TIMEOUT
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start:\n{(self.folder / 'server.log').read_text()}")
            time.sleep(0.05)
        return self

    def _answers(self) -> bool:
        ask = [program("pg_isready"), "--quiet", "--host=127.0.0.1", f"--port={self.port}"]
        return subprocess.run(ask, check=False).returncode == 0

    def kill(self) -> None:
        """As a power cut would, all of its processes at once."""
        if self._process is not None:
            self._process.send_signal(signal.SIGSTOP)  # or it would end the others by itself, and more gently
            children = [pid for pid in _processes() if _state_of(pid)[1] == self._process.pid]
            for pid in children:
                os.kill(pid, signal.SIGKILL)
            self._process.kill()
            self._process.wait()
            self._process = None
            while any(_state_of(pid)[0] not in "Z-" for pid in children):
                time.sleep(0.01)  # they still have the memory that the next server wants

    def url(self, database: str, **parts: str) -> str:
        """Where a database is; ``user``, ``password`` and ``scheme`` may be others."""
        user, password = parts.get("user", USER), parts.get("password", PASSWORD)
        return f"{parts.get('scheme', 'postgresql')}://{user}:{password}@127.0.0.1:{self.port}/{database}"

    async def execute(self, sql: str, database: str = "postgres") -> list[Any]:
        """Runs SQL as the owner of everything."""
        connection = await asyncpg.connect(self.url(database))
        try:
            return list(await connection.fetch(sql))
        finally:
            await connection.close()

    async def create(self, template: str = "template1") -> str:
        """A new database; returns its name."""
        name = f"orders_{next(self._numbers)}"
        await self.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    async def drop(self, name: str) -> None:
        """Removes it, whoever is still connected."""
        await self.execute(f"DROP DATABASE {name} WITH (FORCE)")
