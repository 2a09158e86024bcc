"""Many Socket.IO clients on HTTP long-polling, each with one connection that carries its polls and its posts."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterable

from bench.http import take_response
from bench.loop import READ, WRITE, Failed, Loop, dial
from bench.packets import Key, read_payload

_SID = re.compile(rb'^0\{"sid":"([^"]+)"')
_PATH = "/socket.io/?EIO=4&transport=polling"


class Poller:
    """One client. ``polling`` while a poll of it waits at the server."""

    __slots__ = ("_buffer", "_crowd", "_posts", "_sid", "_token", "joined", "lost", "number", "polling", "seen", "sock")

    def __init__(self, crowd: PollingCrowd, number: int, token: str) -> None:
        self.number = number
        self.seen: list[Key] = []
        self.joined = self.polling = False
        self.lost: str | None = None
        self.sock: socket.socket | None = None
        self._crowd = crowd
        self._token = token
        self._sid = ""
        self._buffer = b""
        self._posts: list[bytes] = []

    def dial(self) -> None:
        """Begins to connect."""
        self.sock = dial(self._crowd.port, self.number)
        self._crowd.loop.watch(self.sock, self._dialled, WRITE)

    def _dialled(self, events: int) -> None:
        assert self.sock is not None
        if error := self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self._end(f"could not connect: error {error}")
            return
        self._crowd.loop.watch(self.sock, self._read, READ)
        self._next()

    def _next(self) -> None:
        """Posts what there is to post, else polls."""
        assert self.sock is not None
        host = f"HTTP/1.1\r\nHost: 127.0.0.1:{self._crowd.port}\r\n"
        path = f"{_PATH}&sid={self._sid}" if self._sid else _PATH
        self.polling = not self._posts
        if self._posts:
            body = self._posts.pop(0)
            head = f"POST {path} {host}Content-Type: text/plain;charset=UTF-8\r\nContent-Length: {len(body)}\r\n\r\n"
            self.sock.send(head.encode() + body)
        else:
            self.sock.send(f"GET {path} {host}\r\n".encode())

    def _read(self, events: int) -> None:
        assert self.sock is not None
        try:
            data = self.sock.recv(262_144)
        except BlockingIOError:
            return
        except OSError as error:
            self._end(f"the connection broke: {error.strerror}")
            return
        if not data:
            self._end("the server hung up")
            return
        self._buffer += data
        response = take_response(self._buffer)
        if response is None:
            return
        status, body, self._buffer = response
        if status != 200:
            self._end(f"was answered with {status}: {body.decode(errors='replace')}")
            return
        if self.polling:
            self._payload(body)
        if self.lost is None:
            self._next()

    def _payload(self, body: bytes) -> None:
        chunk = read_payload(body)
        for packet in chunk.others:
            if found := _SID.match(packet):
                self._sid = found[1].decode()
                self._posts.append(b'40{"token":"' + self._token.encode() + b'"}')
            elif packet.startswith(b"40") and not self.joined:
                self.joined = True
                self._crowd.joined += 1
            elif packet.startswith((b"44", b"41")):
                self._end(f"was refused: {packet.decode()}")
        if chunk.pings:
            self._posts.append(b"3")
        if chunk.closed:
            self._end("the server closed the session")
        self.seen.extend(chunk.keys)
        self._crowd.received += len(chunk.keys)

    def _end(self, why: str) -> None:
        self.lost = why
        self._crowd.losses.append(self)
        self.close()

    def close(self) -> None:
        """Drops the connection."""
        if self.sock is not None:
            self._crowd.loop.forget(self.sock)
            self.sock.close()
            self.sock = None


class PollingCrowd:
    """Connects pollers and counts what they hear."""

    def __init__(self, loop: Loop, port: int) -> None:
        self.loop = loop
        self.port = port
        self.clients: list[Poller] = []
        self.losses: list[Poller] = []
        self.joined = 0
        self.received = 0

    def connect(self, users: Iterable[tuple[str, str]], at_once: int = 50, patience: float = 120) -> None:
        """Connects a client per (user, token), some at a time."""
        self.clients = [Poller(self, number, token) for number, (_, token) in enumerate(users)]
        begun = 0

        def all_joined() -> bool:
            nonlocal begun
            while begun < len(self.clients) and begun - self.joined < at_once:
                self.clients[begun].dial()
                begun += 1
            return self.joined == len(self.clients) or bool(self.losses)

        finished = self.loop.run(all_joined, patience)
        self.check()
        if not finished:
            raise Failed(f"only {self.joined} of {len(self.clients)} clients had joined after {patience:g} s")

    def wait(self, deliveries: int, patience: float) -> None:
        """Until so many events have come in all. Raises `Failed` where they do not."""
        if not self.loop.run(lambda: self.received >= deliveries or bool(self.losses), patience):
            raise Failed(f"{deliveries - self.received:,} of {deliveries:,} deliveries were missing")
        self.check()

    def check(self) -> None:
        """Raises `Failed` where a client was lost."""
        if self.losses:
            raise Failed(f"{len(self.losses)} of {len(self.clients)} pollers were lost: {self.losses[0].lost}")

    def close(self) -> None:
        """Drops all of them."""
        for client in self.clients:
            client.close()
