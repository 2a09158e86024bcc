"""Stand-ins for what the engine runs on: a transport, a handler, a loop whose time the test moves."""

from __future__ import annotations

import heapq
import itertools
from collections import deque
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from ordercast.engineio import (
    Disconnect,
    EngineServer,
    Options,
    Packet,
    Request,
    Session,
    deadlines,
    server,
)
from ordercast.engineio.packet import message

HOST = b"shop.example"
LINGER = 7.0  # s, of `OneSession`


def request(query: bytes = b"EIO=4&transport=websocket", **headers: bytes) -> Request:
    """A handshake's request; header names with ``_`` for ``-``."""
    named = [(name.replace("_", "-").encode(), value) for name, value in {"host": HOST, **headers}.items()]
    return Request("/socket.io/", query, named, "192.0.2.1")


class FakeTransport:
    """Keeps what is written to it. Insists on what `Transport` promises: nothing is written while not writable."""

    def __init__(self, name: str = "websocket", *, writable: bool = True, protocol: int = 4) -> None:
        self.name = name
        self.protocol = protocol
        self.closes_apart = name == "polling"
        self.writable = writable
        self.writes: list[list[Packet]] = []
        self.ended: Disconnect | None = None
        self.aborted = False

    def write(self, packets: list[Packet]) -> None:
        assert self.writable
        assert self.ended is None
        assert not self.aborted
        self.writes.append(list(packets))
        if self.name == "polling":
            self.writable = False  # the poll is answered; the next one has not come

    def end(self, packets: list[Packet], why: Disconnect) -> None:
        self.write(packets)
        self.ended = why

    def abort(self) -> None:
        self.aborted = True

    @property
    def packets(self) -> list[Packet]:
        """Everything written, in order."""
        return [packet for write in self.writes for packet in write]

    @property
    def texts(self) -> list[str]:
        """Everything written as a polling client would see it."""
        return [packet.payload.decode() for packet in self.packets]


class FakeHandler:
    """Keeps what the engine tells the layer above."""

    def __init__(self) -> None:
        self.opened: list[Session] = []
        self.messages: list[str | bytes] = []
        self.closed: list[str] = []

    def on_open(self, session: Session) -> None:
        self.opened.append(session)

    def on_message(self, session: Session, data: str | bytes) -> None:
        self.messages.append(data)

    def on_close(self, session: Session, why: Disconnect) -> None:
        self.closed.append(why.reason)


class VirtualHandle:
    """What `VirtualLoop` gives for a callback."""

    def __init__(self, callback: Callable[[], object]) -> None:
        self.callback = callback
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True

    def run(self) -> None:
        if not self.cancelled:
            self.callback()


class VirtualLoop:
    """An event loop's callbacks and timers, on a clock that only `advance` moves."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.ready: deque[VirtualHandle] = deque()
        self._timers: list[tuple[float, int, VirtualHandle]] = []
        self._order = itertools.count()

    def time(self) -> float:
        return self.now

    def call_soon(self, callback: Callable[..., object], *args: object) -> VirtualHandle:
        handle = VirtualHandle(lambda: callback(*args))
        self.ready.append(handle)
        return handle

    def call_later(self, delay: float, callback: Callable[..., object], *args: object) -> VirtualHandle:
        handle = VirtualHandle(lambda: callback(*args))
        heapq.heappush(self._timers, (self.now + delay, next(self._order), handle))
        return handle

    @property
    def timers(self) -> int:
        """How many timers still wait."""
        return sum(1 for *_, handle in self._timers if not handle.cancelled)

    def turn(self) -> None:
        """One turn: what is ready now, and not what becomes ready meanwhile."""
        for _ in range(len(self.ready)):
            self.ready.popleft().run()

    def advance(self, seconds: float) -> None:
        """Moves the clock, running each timer at its time and what follows from it."""
        until = self.now + seconds
        self._settle()
        while self._timers and self._timers[0][0] <= until:
            at, _, handle = heapq.heappop(self._timers)
            self.now = max(self.now, at)
            handle.run()
            self._settle()
        self.now = max(self.now, until)

    def _settle(self) -> None:
        while self.ready:
            self.turn()


def virtual_loop(monkeypatch: pytest.MonkeyPatch) -> VirtualLoop:
    """Has the engine's timers and flushes run on a loop of the test's own."""
    loop = VirtualLoop()
    for module in (deadlines, server):
        monkeypatch.setattr(module, "asyncio", SimpleNamespace(get_running_loop=lambda: loop))
        monkeypatch.setattr(module, "monotonic", loop.time)
    return loop


class OneSession:
    """An engine and one session of it, past its OPEN packet."""

    def __init__(self, loop: VirtualLoop, name: str = "websocket", max_queue_bytes: int = 1000) -> None:
        self.loop = loop
        self.handler = FakeHandler()
        self.engine = EngineServer(self.handler, Options(linger=LINGER, max_queue_bytes=max_queue_bytes))
        self.transport, self.session = self.open(name)
        loop.turn()
        self.transport.writes.clear()

    def open(self, name: str = "websocket") -> tuple[FakeTransport, Session]:
        transport = FakeTransport(name)
        return transport, self.engine.open(request(), transport)

    def send(self, *texts: str) -> None:
        for text in texts:
            self.session.send(message(text))
