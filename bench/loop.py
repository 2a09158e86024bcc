"""The load generator's heart: epoll and callbacks, nothing else, so that what is measured is the server.

One process, blocking calls nowhere, no tasks and no futures. A scenario says what to do and runs the loop until
something is true or its patience ends.
"""

from __future__ import annotations

import resource
import select
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

READ = select.EPOLLIN
WRITE = select.EPOLLOUT

_TURN = 0.01  # s: how late a condition that nothing announces, such as a time of day, may be noticed


class Failed(Exception):
    """The run lost a message or a connection: it counts as failed and is averaged nowhere."""


class Loop:
    """Calls what waits for a socket."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._waiting: dict[int, Callable[[int], None]] = {}
        self._wake = 0.0

    def watch(self, sock: socket.socket, call: Callable[[int], None], events: int = READ) -> None:
        """``call(events)`` whenever the socket is ready; replaces what was called before."""
        descriptor = sock.fileno()
        if descriptor in self._waiting:
            self._epoll.modify(descriptor, events)
        else:
            self._epoll.register(descriptor, events)
        self._waiting[descriptor] = call

    def forget(self, sock: socket.socket) -> None:
        """Before the socket is closed."""
        descriptor = sock.fileno()
        if self._waiting.pop(descriptor, None) is not None:
            self._epoll.unregister(descriptor)

    def run(self, until: Callable[[], bool], patience: float) -> bool:
        """Runs until a condition is true, asked once per turn; ``False`` where that took too long (s)."""
        end = time.monotonic() + patience
        waiting = self._waiting
        while not until():
            if time.monotonic() > end:
                return False
            wait = min(max(self._wake - time.perf_counter(), 0), _TURN) if self._wake else _TURN
            self._wake = 0.0
            for descriptor, events in self._epoll.poll(wait, 512):
                if (call := waiting.get(descriptor)) is not None:
                    call(events)
        return True

    def wake_at(self, when: float) -> None:
        """Asks the condition at this time (``perf_counter``) at the latest; holds for one turn."""
        self._wake = when

    def rest(self, seconds: float) -> None:
        """Answers heartbeats and whatever else comes, for so long."""
        self.run(lambda: False, seconds)

    def close(self) -> None:
        """Sockets are their owners' to close."""
        self._epoll.close()


@dataclass
class Load:
    """What the load itself took of its core in `loaded`: the closer to 1, the less the result is the server's."""

    seconds: float = 0.0
    share: float = 0.0


@contextmanager
def loaded() -> Iterator[Load]:
    """Times a part of a run, wall and own CPU."""
    load = Load()
    wall, cpu = time.perf_counter(), time.process_time()
    yield load
    load.seconds = time.perf_counter() - wall
    load.share = (time.process_time() - cpu) / load.seconds


def raise_file_limit() -> None:
    """As many sockets as we may have, for us and the servers we start."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def dial(port: int, number: int = 0, receive_buffer: int = 0) -> socket.socket:
    """Begins a TCP connection, from one of many addresses of this machine: one has only some 28,000 ports."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setblocking(False)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    # Closing resets: thousands of connections a round would fill the ports with those that wait in TIME_WAIT.
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    if receive_buffer:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    try:
        sock.bind((f"127.0.0.{2 + number % 8}", 0))
        sock.connect(("127.0.0.1", port))
    except BlockingIOError:
        pass
    except OSError:
        sock.close()
        raise
    return sock
