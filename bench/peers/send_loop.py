"""The limit: WebSocket frames built beforehand, and one ``send()`` per client and event. No queues, no care.

It answers handshakes, checks no token, and takes it that the kernel always has room: where it has not, it ends.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import select
import socket
import sys
from itertools import count, islice

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, section 1.3
_KEY = re.compile(rb"\r\nsec-websocket-key: *(\S+)", re.IGNORECASE)
_BURST = re.compile(rb"POST /bench/burst\?n=(\d+)")
_OPEN = '0{"sid":"limit","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}'


def frame(text: str) -> bytes:
    """A server's text frame."""
    payload = text.encode()
    size = len(payload)
    return (bytes((0x81, size)) if size < 126 else b"\x81\x7e" + size.to_bytes(2, "big")) + payload


def event(number: int) -> bytes:
    """What every contender sends in a burst."""
    data = {"orderId": number, "status": "ready", "customerId": 42, "updatedBy": "bench"}
    data |= {"updatedAt": "2016-01-01T00:00:00.000000+00:00", "version": 1, "position": number}
    return frame(f'42["order:status_changed",{json.dumps(data, separators=(",", ":"))}]')


class SendLoop:
    """A listener, plain HTTP connections and WebSockets, on one epoll."""

    def __init__(self, port: int) -> None:
        self._listener = socket.create_server(("127.0.0.1", port), backlog=4096)
        self._listener.setblocking(False)
        self._epoll = select.epoll()
        self._epoll.register(self._listener, select.EPOLLIN)
        self._connections: dict[int, socket.socket] = {}
        self._joined: dict[int, socket.socket] = {}
        self._numbers = count(1)

    def run(self) -> None:
        """For ever."""
        while True:
            for descriptor, _ in self._epoll.poll():
                if descriptor == self._listener.fileno():
                    self._accept()
                else:
                    self._read(descriptor)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except BlockingIOError:
                return
            connection.setblocking(False)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._connections[connection.fileno()] = connection
            self._epoll.register(connection, select.EPOLLIN)

    def _read(self, descriptor: int) -> None:
        connection = self._connections[descriptor]
        try:
            data = connection.recv(65_536)
        except OSError:
            data = b""
        if not data:
            del self._connections[descriptor]
            self._joined.pop(descriptor, None)
            connection.close()
        elif data.startswith(b"GET ") and (key := _KEY.search(data)):
            accept = base64.b64encode(hashlib.sha1(key[1] + _GUID).digest())
            head = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            connection.send(head + b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n" + frame(_OPEN))
        elif data.startswith(b"POST "):
            if wanted := _BURST.match(data):
                self._burst(int(wanted[1]))
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        elif descriptor not in self._joined:
            connection.send(frame('40{"sid":"limit"}'))
            self._joined[descriptor] = connection

    def _burst(self, n: int) -> None:
        frames = [event(number) for number in islice(self._numbers, n)]
        sends = [connection.send for connection in self._joined.values()]
        for ready in frames:
            for send in sends:
                if send(ready) != len(ready):
                    sys.exit("A client's socket was full: this limit holds for clients that read.")


if __name__ == "__main__":
    SendLoop(int(sys.argv[1])).run()
