"""A real Redis for tests: Debian's ``redis-server``, on a socket of its own, keeping nothing."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path
from typing import Self

_START_TIMEOUT = 20.0  # s; bounds a failure only


class RedisServer:
    """Started on a socket file in a folder, with more options if need be. Leaves no process behind."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.path = folder / "redis.sock"
        self._folder = folder
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"unix://{self.path}"

    def start(self) -> Self:
        """Starts it, and waits until it answers."""
        program = shutil.which("redis-server")
        if program is None:
            raise RuntimeError("redis-server is missing: `make tools` installs it")
        with (self._folder / "redis.log").open("ab") as log:
            command = [program, "--port", "0", "--unixsocket", str(self.path), "--save", "", "--appendonly", "no"]
            self._process = subprocess.Popen([*command, *self._options], stdout=log, stderr=log, cwd=self._folder)
        deadline = time.monotonic() + _START_TIMEOUT
        while not self._ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"redis-server did not start:\n{(self._folder / 'redis.log').read_text()}")
            time.sleep(0.01)
        return self

    def _ready(self) -> bool:
        log = (self._folder / "redis.log").read_text()
        return "now ready to accept connections at" in log.rpartition("Redis is starting")[2]

    def kill(self) -> None:
        """As a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *exc: object) -> None:
        self.kill()
