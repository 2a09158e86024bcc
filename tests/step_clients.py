"""Clients in memory that do what real ones do, one step at a time, on a loop whose time stands still."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import msgspec

from ordercast.engineio import Disconnect, Packet, asgi, disconnects
from ordercast.engineio.payload import Received, decode_binary_payload_v3, decode_payload, decode_payload_v3
from ordercast.engineio.websocket import WebSocketTransport
from ordercast.socketio import Server, Socket
from tests.fake_clients import AsgiCall
from tests.fakes import request


class StillLoop(asyncio.SelectorEventLoop):
    """An event loop whose time stands still."""

    now = 1000.0

    def time(self) -> float:
        return self.now

    def do(self, act: Callable[[], object]) -> None:
        """Acts, and everything happens that waits for no time to pass."""

        async def turns() -> None:
            act()
            for _ in range(40):
                await asyncio.sleep(0)

        self.run_until_complete(turns())


class Wire(WebSocketTransport):
    """A WebSocket in memory."""

    def __init__(self, io: Server, loop: StillLoop, hear: Callable[[str | bytes], None]) -> None:
        super().__init__(io.engine)
        self.loop = loop
        self.hear = hear
        self.over = False

    def write(self, packets: list[Packet]) -> None:
        assert self.writable
        assert not self.over
        for packet in packets:
            self.hear(packet.data if packet.binary else packet.payload.decode())

    def end(self, packets: list[Packet], why: Disconnect) -> None:
        self.write(packets)
        self.abort()

    def abort(self) -> None:
        self.over = True
        self.loop.call_soon(self.gone, disconnects.TRANSPORT_CLOSE)


class StepClient:
    """What a client does and hears, and in ``due`` what it should have heard."""

    def __init__(self, io: Server, loop: StillLoop, protocol: int, transport: str) -> None:
        self.io = io
        self.loop = loop
        self.protocol = protocol
        self.polls = transport == "polling"
        self.wire: Wire | None = None
        self.probed = False
        self.poll_pending: AsgiCall | None = None
        self.sid = self.id = ""
        self.rooms: set[str] = set()
        self.heard: list[Any] = []
        self.due: list[Any] = []
        self.questions: list[tuple[int, int]] = []  # id, number
        self._partial: tuple[int, int] | None = None  # number, size
        if self.polls:
            self._take(self.ask(f"EIO={protocol}&transport=polling"))
        else:
            self.open_wire(f"EIO={protocol}&transport=websocket")
        if protocol == 4:
            self.say("40")
        if not self.id:
            self.poll()
        self.socket: Socket = io.sockets[self.id]

    @property
    def stalled(self) -> bool:
        return not self.polls and self.wire is not None and not self.wire.writable

    def query(self, transport: str) -> str:
        return f"EIO={self.protocol}&transport={transport}&sid={self.sid}"

    # -- saying -------------------------------------------------------------------------------------------------

    def ask(self, query: str, body: bytes | None = None) -> AsgiCall:
        call = AsgiCall("GET" if body is None else "POST", query, None, body or b"")
        handling = asgi.app(self.io.engine, call.scope, call.receive, call.send)
        self.loop.do(lambda: self.loop.create_task(handling))
        return call

    def poll(self) -> None:
        assert self.poll_pending is None
        self.poll_pending = self.ask(self.query("polling"))
        self.look()

    def open_wire(self, query: str) -> None:
        wire = self.wire = Wire(self.io, self.loop, self.hear)
        hello = request(query.encode())
        candidate = wire.check(hello)
        self.loop.do(lambda: wire.opened(hello, candidate))

    def write(self, text: str) -> None:
        wire = self.wire
        assert wire is not None
        self.loop.do(lambda: wire.text(text))

    def say(self, text: str) -> None:
        if self.polls:
            body = f"{len(text)}:{text}" if self.protocol == 3 else text
            assert self.ask(self.query("polling"), body.encode()).body == b"ok"
        else:
            self.write(text)

    def vanish(self) -> None:
        """The network goes away, as far as the server can see that; else the client says goodbye."""
        self.look()  # a poll that was answered has no connection left that could break
        wire = self.wire
        if wire is not None and not wire.over:
            self.loop.do(lambda: wire.gone(disconnects.TRANSPORT_CLOSE))
        if self.poll_pending is not None:
            self.loop.do(self.poll_pending.hang_up)
        elif self.polls:
            self.say("1")

    def drain(self) -> None:
        """Takes all that waits."""
        if self.polls:
            if self.wire is not None:
                self.loop.do(self.wire.abort)
                self.look()
            for _ in range(9):  # a poll that brings all, and one that waits
                if self.poll_pending is None:
                    self.poll()
            assert self.poll_pending is not None
        elif self.wire is not None and not self.wire.over:
            self.wire.writable = True
            self.loop.do(lambda: self.io.engine.flush_soon(self.socket.session))

    # -- hearing ------------------------------------------------------------------------------------------------

    def look(self) -> None:
        """Whether the poll has returned, and the probe has had its time."""
        if self.poll_pending is not None and self.poll_pending.status is not None:
            call, self.poll_pending = self.poll_pending, None
            assert call.status == 200
            self._take(call)
        if self.polls and self.wire is not None and self.wire.over:
            self.wire, self.probed = None, False

    def _take(self, call: AsgiCall) -> None:
        packets: list[Received]
        if self.protocol == 4:
            packets = list(decode_payload(call.body.decode(), 999))
        elif call.headers["content-type"] == "application/octet-stream":
            packets = list(decode_binary_payload_v3(call.body, 999))
        else:
            packets = list(decode_payload_v3(call.body.decode(), 999))
        for type, data in packets:
            self.hear(data if isinstance(data, bytes) else f"{int(type)}{data}")

    def hear(self, packet: str | bytes) -> None:
        if isinstance(packet, bytes):
            assert self._partial is not None
            number, size = self._partial
            assert packet == bytes(size)
            self._partial = None
            self.heard.append(number)
        elif packet[0] == "0":
            self.sid = msgspec.json.decode(packet[1:])["sid"]
        elif packet[:2] == "40":
            self.id = json.loads(packet[2:])["sid"] if self.protocol == 4 else self.sid
        elif packet == "41":
            pass  # sent away; the sequence says so
        elif packet == "3probe":
            self.probed = True
        elif packet[0] == "4":
            assert self._partial is None
            start = packet.index("[")
            head, data = packet[1:start], json.loads(packet[start:])
            if head == "51-":
                self._partial = data[1], data[2]
            elif head[0] == "3":
                self.heard.append(f"answer {data[0]}")
            else:
                self.heard.append(data[1])
                self.questions += [(int(head[1:]), data[1])] if head[1:] else []
        else:
            assert packet == "6"
