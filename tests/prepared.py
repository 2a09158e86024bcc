"""Starts Python programs as ``python -m`` does, forked from a process that has imported what servers are made of.

Importing it takes more than a second of a core, and the tests start servers hundreds of times. What is forked has read
no setting and begun nothing yet; from there on it is what its command line says: a process of its own, in its folder,
with its environment and its path alone, that ends as an interpreter does. What an interpreter reads before its first
line is the forking process's (its hash seed, warnings, encodings), and an import that a command forgot may not show:
the tests of the wheel and of the commands start interpreters of their own.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from threading import Lock
from typing import Any

IMPORTED = ("ordercast.cli", "ordercast.serving", "aiosqlite")
_LARGEST = 65_536  # bytes of a request that are read at once
_GONE = -signal.SIGKILL  # told of a program whose end nobody could tell any more
_FILES = 1_024  # more than a process has open that only starts others


class Forked:
    """A started program, as much of `subprocess.Popen` as the tests use."""

    def __init__(self, pid: int, status: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._status = status

    def poll(self) -> int | None:
        """The exit status, or ``None`` while it runs."""
        return self._look(0)

    def wait(self, timeout: float | None = None) -> int:
        """The exit status, when it has ended. Raises `subprocess.TimeoutExpired`."""
        status = self._look(timeout)
        if status is None:
            raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0)
        return status

    def _look(self, timeout: float | None) -> int | None:
        if self.returncode is None:
            ended = select.poll()
            ended.register(self._status)
            if ended.poll(None if timeout is None else timeout * 1000):
                said = os.read(self._status, 16)
                os.close(self._status)
                self.returncode = int(said or _GONE)
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Sends it, unless the process has ended."""
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        """Tells it to stop."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Ends it."""
        self.send_signal(signal.SIGKILL)


class Prepared:
    """The process that programs are forked from. It ends when this one does."""

    def __init__(self) -> None:
        self._lock = Lock()  # tests start servers from several threads
        self._socket, theirs = socket.socketpair()
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, __file__, str(theirs.fileno())],
                env=kept,
                pass_fds=[theirs.fileno()],
                stdout=subprocess.DEVNULL,
            )

    def start(self, command: Sequence[str], environment: dict[str, str], folder: Path, said: int) -> Forked:
        """``python -m`` and a command; what it says goes to the file ``said``."""
        request = json.dumps({"command": command, "environment": environment, "folder": str(folder)}).encode()
        status, told = os.pipe()
        try:
            with self._lock:
                socket.send_fds(self._socket, [len(request).to_bytes(4) + request], [said, told])
                answer = self._socket.recv(16)
            if not answer:
                raise RuntimeError("the process that servers are forked from has ended; what it said is above")
            pid = int(answer)
        finally:
            os.close(told)
        return Forked(pid, status)

    def close(self) -> None:
        """Ends it; what it started goes on."""
        self._socket.close()
        self._process.wait()


@cache
def prepared() -> Prepared:
    """This process's own."""
    process = Prepared()
    atexit.register(process.close)
    return process


def _asked(requests: socket.socket) -> dict[str, Any] | None:
    """Forks at each request, and tells who ended. Returns in what was forked, with what is asked of it; ``None`` when
    nobody can ask any more."""
    running: dict[int, tuple[int, int]] = {}  # by what becomes readable when one ends: its id, where that is told
    while True:
        for ready in select.select([requests.fileno(), *running], [], [])[0]:
            if ready in running:
                pid, told = running.pop(ready)
                os.write(told, str(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])).encode())
                os.close(told)
                os.close(ready)
                continue
            data, (said, told) = _request(requests)
            if not data:
                return None
            if (pid := os.fork()) == 0:
                signal.signal(signal.SIGINT, signal.default_int_handler)
                os.dup2(said, 1)
                os.dup2(said, 2)
                requests.detach()
                os.closerange(3, _FILES)
                asked: dict[str, Any] = json.loads(data)
                return asked
            os.close(said)
            running[os.pidfd_open(pid)] = pid, told
            requests.send(str(pid).encode())


def _request(requests: socket.socket) -> tuple[bytes, tuple[int, int]]:
    """The next request, empty when no more can come, and its files."""
    data, files, _, _ = socket.recv_fds(requests, _LARGEST, 2)
    size = 4 + int.from_bytes(data[:4])
    while data and len(data) < size:
        if not (more := requests.recv(_LARGEST)):
            return b"", (-1, -1)
        data += more
    return data[4:], (files[0], files[1]) if data else (-1, -1)


def main() -> None:
    """Imports, then forks; in what is forked, runs what is asked for."""
    requests = socket.socket(fileno=int(sys.argv[1]))
    sys.path.pop(0)  # this file's folder
    for module in IMPORTED:
        import_module(module)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is for the tests, which end what they started
    gc.collect()
    gc.freeze()
    asked = _asked(requests)
    if asked is None:
        return
    os.chdir(asked["folder"])
    os.environ.clear()
    os.environ.update(asked["environment"])
    sys.path[:0] = [asked["folder"], *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    sys.argv = asked["command"]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
