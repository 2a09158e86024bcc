"""One client: its state, what waits to be sent to it, and the transport it is on."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from time import monotonic
from typing import TYPE_CHECKING, Any, Protocol

from ordercast.engineio import disconnects
from ordercast.engineio.backlog import Backlog
from ordercast.engineio.batch import Batch
from ordercast.engineio.disconnects import Disconnect
from ordercast.engineio.packet import Packet, PacketType

if TYPE_CHECKING:
    from ordercast.engineio.request import Request
    from ordercast.engineio.server import EngineServer


class State(IntEnum):
    """``CLOSING``: over for the handlers, while what was queued still goes out."""

    OPEN = 0
    CLOSING = 1
    CLOSED = 2


class Transport(Protocol):
    """What carries a session's packets: a WebSocket, or whichever poll is pending."""

    name: str
    protocol: int
    """The Engine.IO version that the client speaks: 3 or 4."""
    closes_apart: bool
    """Whether the last packets must have gone before the end is told: the official client drops what came in one
    payload with a CLOSE."""

    @property
    def writable(self) -> bool:
        """Whether `write` would reach the network now, as opposed to piling up."""

    def write(self, packets: Batch) -> None:
        """Sends the packets, in order, in one write. Only called while `writable`."""

    def end(self, packets: Batch, why: Disconnect) -> None:
        """Sends the last packets and closes the connection. Only called while `writable`."""

    def abort(self) -> None:
        """Drops the connection now."""


class Session:
    """An Engine.IO session. The handler keeps its own state in ``data``.

    ``queue`` holds what waits for the end of the loop turn, or for the client to read. Code that fans out appends
    to it by itself (see `EngineServer.mark_dirty`); everything else uses `send`.
    """

    __slots__ = (
        "ahead",
        "backlog",
        "data",
        "dirty",
        "heartbeat",
        "holder",
        "id",
        "joined",
        "messages",
        "ping",
        "protocol",
        "queue",
        "request",
        "second",
        "server",
        "state",
        "transport",
        "upgrading",
        "why",
    )

    def __init__(self, server: EngineServer, id: str, request: Request, transport: Transport) -> None:
        self.server = server
        self.id = id
        self.request = request
        self.transport = transport
        self.state = State.OPEN
        self.queue: list[Packet] = []
        self.ahead: list[Packet] | None = (
            None  # what goes before the queue, whole; there from `hold` on until it has gone
        )
        self.holder: object | None = None  # who holds the queue back
        self.dirty = False
        self.backlog: Backlog | None = None  # there while the client is behind
        self.protocol = transport.protocol
        self.heartbeat = server.heartbeat  # the server's may be another one by and by
        self.ping = 0  # see `Heartbeat`
        self.joined = False  # see `Gate.joined`
        self.second = 0  # the second in which `messages` were counted
        self.messages = 0
        self.upgrading: object | None = None  # the WebSocket whose probe was answered
        self.why: Disconnect | None = None
        self.data: Any = None

    def send(self, packet: Packet) -> None:
        """Queues a packet; it is written at the end of this turn of the event loop."""
        if self.state is State.OPEN:
            if self.ahead is not None and packet.type is not PacketType.MESSAGE:
                if not self.ahead or self.ahead[-1].type is not packet.type:  # one is enough for who does not read
                    self.ahead.append(packet)  # heartbeats wait for nobody
            else:
                self.queue.append(packet)
            if not self.dirty:
                self.server.mark_dirty(self)

    def hold(self, holder: object) -> None:
        """Holds back what is sent from now on, until the same holder's `release`. What was sent before still goes.

        A later holder takes over from an earlier one.
        """
        if self.ahead is None or self.holder is None:  # never held, or let go and still there
            self.end_backlog()
            self.ahead, self.queue = (self.ahead or []) + self.queue, []
        self.holder = holder

    def send_ahead(self, holder: object, packets: Iterable[Packet]) -> None:
        """Queues packets that go past what its holder holds back; another one's are dropped."""
        if self.state is State.OPEN and self.ahead is not None and self.holder is holder:
            self.ahead += packets
            self.server.flush_soon(self)

    def drop_held(self, holder: object) -> None:
        """What was to go ahead does not come any more: drops what was held back but for plain messages, since nothing
        may tell the client that it is past what it did not get."""
        if holder is not None and self.holder is holder:
            self.end_backlog()
            self.queue = [packet for packet in self.queue if packet.trailer is None and packet.key is None]

    def release(self, holder: object) -> None:
        """Sends what this holder held back, with the next write that takes what goes ahead of it.

        That is no backlog, however long it waits: nothing of it is counted or conflated.
        """
        if holder is not None and self.holder is holder:
            self.holder = None
            if self.state is State.OPEN:
                self.server.flush_soon(self)

    def end_backlog(self) -> None:
        """The queue is to be looked at or written: what newer packets replaced goes out of it, and the count ends."""
        if self.backlog is not None:
            self.backlog.settle(self.queue)
            self.backlog = None

    def flush(self) -> None:
        """Writes all that waits, in one write, if the client can take it; else checks that not too much waits, nor for
        too long."""
        self.dirty = False
        if not self.transport.writable:
            if self.queue or self.ahead:
                self.server.behind(self)
            return
        self.end_backlog()
        if self.ahead is None:
            packets, self.queue = self.queue, []
        elif self.holder is None:
            packets, self.queue, self.ahead = self.ahead + self.queue, [], None
        else:
            packets, self.ahead = self.ahead, []
        if self.state is State.OPEN:
            if packets:
                self.transport.write(self.server.batch(packets))
        elif self.state is State.CLOSING:
            batch = self.server.batch(packets)
            if batch and self.transport.closes_apart:
                self.transport.write(batch)
                return
            self.state = State.CLOSED
            self.transport.end(batch, self.why or disconnects.TRANSPORT_CLOSE)
            self.server.forget(self)

    def receive(self, type: PacketType, data: str | bytes) -> None:
        """Takes a packet from the client. Ones that make no sense end the session with a parse error."""
        if self.state is not State.OPEN:
            return
        if type is PacketType.MESSAGE:
            if self._too_many():
                self.close(disconnects.TOO_MANY_MESSAGES)
            else:
                self.server.handler.on_message(self, data)
        elif type is PacketType.PONG and self.protocol == 4:
            self.heartbeat.pong(self)
        elif type is PacketType.PING and self.protocol == 3:
            self.send(Packet(PacketType.PONG, data.encode() if isinstance(data, str) else data))
            self.heartbeat.pinged(self)
        elif type is PacketType.CLOSE:
            self.close(disconnects.TRANSPORT_CLOSE)
        else:
            self.close(disconnects.PARSE_ERROR)

    def _too_many(self) -> bool:
        now = int(monotonic())
        if now != self.second:
            self.second, self.messages = now, 0
        self.messages += 1
        return 0 < self.server.options.max_message_rate < self.messages

    def close(self, why: Disconnect) -> None:
        """Ends the session: the handler learns it at once; ``why`` says what still goes out (see `Disconnect`)."""
        if self.state is not State.OPEN:
            return
        self.state = State.CLOSING
        self.why = why
        self.drop_held(self.holder)
        self.release(self.holder)
        self.server.handler.on_close(self, why)
        if why.farewell:
            self.server.linger(self)
        elif why.silent or not self.transport.writable:
            self.abort()
        else:
            self.state = State.CLOSED
            self.transport.end(Batch(), why)
            self.server.forget(self)

    def lost(self, why: Disconnect) -> None:
        """The transport is gone; nothing can be sent any more."""
        if self.state is State.OPEN:
            self.state = State.CLOSED
            self.why = why
            self.queue.clear()
            self.server.handler.on_close(self, why)
        self.state = State.CLOSED
        self.server.forget(self)

    def upgrade(self, transport: Transport) -> None:
        """Moves the session to another transport; what waits goes out there (Engine.IO, "Upgrade")."""
        self.transport = transport
        self.upgrading = None
        self.server.flush_soon(self)

    def abort(self) -> None:
        """Drops the transport and whatever still waits."""
        if self.state is not State.CLOSED:
            self.state = State.CLOSED
            self.queue.clear()
            self.transport.abort()
            self.server.forget(self)
