"""Many Socket.IO clients over WebSockets, each a TCP connection of its own with a token of its own."""

from __future__ import annotations

import base64
import os
import socket
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress

from bench.contenders import token
from bench.loop import READ, WRITE, Failed, Loop, dial
from bench.packets import Key, Reader, masked

Heard = Callable[["Client", tuple[Key, ...]], None]

RETRY = 0.1  # s after a refused connection
_BUFFER = 262_144

_PONG = masked(b"3")


def operators(number: int, first: int = 0) -> list[tuple[str, str]]:
    """Names and tokens of so many operators, signed ahead so that it does not count."""
    return [(name, token(name, "operator")) for name in (f"op-{n}" for n in range(first, first + number))]


class Client:
    """One of the crowd. ``seen`` has every counted event, in the order it came."""

    __slots__ = ("_connect", "_crowd", "_rest", "_upgraded", "joined", "lost", "number", "seen", "sock", "took", "user")

    def __init__(self, crowd: Crowd, number: int, user: str, token: str) -> None:
        self.user = user
        self.seen: list[Key] = []
        self.joined = False
        self.lost: str | None = None
        self.took = 0.0
        self._crowd = crowd
        self.number = number
        self._connect = masked(b'40{"token":"' + token.encode() + b'"}')
        self._rest = b""
        self._upgraded = False
        self.sock: socket.socket | None = None

    def dial(self) -> None:
        """Begins to connect, anew where it was connected before."""
        self.close()
        self.joined = self._upgraded = False
        self.lost, self._rest = None, b""
        self.took = time.monotonic()
        port = self._crowd.ports[self.number % len(self._crowd.ports)]
        try:
            self.sock = dial(port, self.number, self._crowd.receive_buffer)
        except OSError:
            self._crowd.later(self)
            return
        self._crowd.loop.watch(self.sock, self._dialled, WRITE)

    def stop_reading(self) -> None:
        """Leaves what comes in the kernel's buffer, for good."""
        if self.sock is not None:
            self._crowd.loop.forget(self.sock)

    def pong(self) -> None:
        """Says that it is alive, whatever it was asked."""
        if self.sock is not None:
            with suppress(OSError):
                self.sock.send(_PONG)

    def close(self) -> None:
        """Drops the connection."""
        if self.sock is not None:
            self._crowd.loop.forget(self.sock)
            self.sock.close()
            self.sock = None

    def _dialled(self, events: int) -> None:
        assert self.sock is not None
        if self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self.close()
            self._crowd.later(self)
            return
        self._crowd.loop.watch(self.sock, self._greet, READ)
        self.sock.send(self._crowd.request)

    def _greet(self, events: int) -> None:
        """Before it has joined."""
        data = self._receive()
        if data is None:
            return
        data = self._rest + data
        if not self._upgraded:
            end = data.find(b"\r\n\r\n")
            if end < 0:
                self._rest = data
                return
            if b" 101 " not in data[:20]:
                self._end(f"the handshake was refused: {data[:end].decode(errors='replace')}")
                return
            self._upgraded, data = True, data[end + 4 :]
        chunk = self._crowd.reader.read(data)
        self._rest = chunk.rest
        assert self.sock is not None
        for packet in chunk.others:
            if packet.startswith(b"0"):
                self.sock.send(self._connect)
            elif packet.startswith(b"40"):
                self.joined = True
                self.took = time.monotonic() - self.took
                self._crowd.joined += 1
                self._crowd.loop.watch(self.sock, self._hear, READ)
            elif packet.startswith(b"44"):
                self._end(f"was refused: {packet.decode()}")
                return
        if chunk.keys:
            self._crowd.heard(self, chunk.keys)
        if chunk.closed:
            self._end("the server closed the WebSocket")

    def _hear(self, events: int) -> None:
        data = self._receive()
        if data is None:
            return
        chunk = self._crowd.reader.read(self._rest + data if self._rest else data)
        self._rest = chunk.rest
        if chunk.keys:
            self._crowd.heard(self, chunk.keys)
        if chunk.pings and self.sock is not None:
            self.sock.send(_PONG)
        if chunk.closed:
            self._end("the server closed the WebSocket")
        elif b"41" in chunk.others:
            self._end("the server disconnected the socket")
        elif chunk.others:
            self._crowd.told(self, chunk.others)

    def _receive(self) -> bytes | None:
        assert self.sock is not None
        try:
            data = self.sock.recv(_BUFFER)
        except BlockingIOError:
            return None
        except OSError as error:
            self._end(f"the connection broke: {error.strerror}")
            return None
        if not data:
            self._end("the server hung up")
            return None
        return data

    def _end(self, why: str) -> None:
        was_joined = self.joined
        self.lost, self.joined = why, False
        self.close()
        self._crowd.gone(self, was_joined)


class Crowd:
    """Connects clients, by turns to each port, and counts what they hear.

    ``on_heard`` is called with every client's events as they come.
    """

    def __init__(self, loop: Loop, ports: int | Sequence[int], on_heard: Heard | None = None) -> None:
        self.loop = loop
        self.ports = (ports,) if isinstance(ports, int) else ports
        self.clients: list[Client] = []
        self.joined = 0
        self.received = 0
        self.reader = Reader()
        self.retrying = self.expect_losses = False
        self.refused = 0
        self.receive_buffer = 0  # bytes; 0: as the kernel likes
        self._settled: list[Key] = []
        self._on_heard = on_heard
        self._again: list[tuple[float, Client]] = []
        self.losses: list[Client] = []
        key = base64.b64encode(os.urandom(16)).decode()
        self.request = (
            f"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1:{self.ports[0]}\r\n"
            f"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n"
            f"Sec-WebSocket-Version: 13\r\n\r\n"
        ).encode()

    def connect(self, users: Iterable[tuple[str, str]], at_once: int = 50, patience: float = 120) -> None:
        """Connects a client per (user, token), some at a time as a load balancer would let them through."""
        first = len(self.clients)
        new = [Client(self, first + n, user, token) for n, (user, token) in enumerate(users)]
        self.clients += new
        before, begun = self.joined, 0

        def all_joined() -> bool:
            nonlocal begun
            done = self.joined - before
            while begun < len(new) and begun - done < at_once:
                new[begun].dial()
                begun += 1
            return done == len(new) or bool(self.losses)

        finished = self.loop.run(all_joined, patience)
        self.check()
        if not finished:
            raise Failed(f"only {self.joined - before} of {len(new)} clients had joined after {patience:g} s")

    def reconnect(self, patience: float = 120) -> None:
        """All at once, each again after `RETRY` where it is refused or cut off, until all are joined."""
        self.losses.clear()
        self.joined = 0
        self.retrying = True
        for client in self.clients:
            client.dial()

        def all_joined() -> bool:
            now = time.monotonic()
            while self._again and self._again[0][0] <= now:
                self._again.pop(0)[1].dial()
            return self.joined == len(self.clients)

        finished = self.loop.run(all_joined, patience)
        self.retrying = False
        if not finished:
            raise Failed(f"only {self.joined} of {len(self.clients)} clients were back after {patience:g} s")

    def later(self, client: Client) -> None:
        """Tries this client again in a moment, where a reconnect is under way."""
        if self.retrying:
            self.refused += 1
            self._again.append((time.monotonic() + RETRY, client))
        else:
            client.lost = "the connection was refused"
            self.losses.append(client)

    def gone(self, client: Client, was_joined: bool) -> None:
        """A client lost its connection without wanting to."""
        self.joined -= was_joined
        if self.retrying:
            self.later(client)
        elif not self.expect_losses:
            self.losses.append(client)

    def heard(self, client: Client, keys: tuple[Key, ...]) -> None:
        """Counts a client's events."""
        client.seen.extend(keys)
        self.received += len(keys)
        if self._on_heard is not None:
            self._on_heard(client, keys)

    def told(self, client: Client, packets: tuple[bytes, ...]) -> None:
        """What its reader does not count, for who wants to know."""

    def forget(self) -> None:
        """Begins to count anew."""
        self.received = 0
        self._settled.clear()
        for client in self.clients:
            client.seen.clear()

    def settle(self) -> None:
        """Compares what all have seen so far and keeps it once. Raises `Failed` where it is not the same."""
        length = min(len(client.seen) for client in self.clients)
        first = self.clients[0].seen[:length]
        for client in self.clients:
            if client.seen[:length] != first:
                raise Failed(f"{client.user} and {self.clients[0].user} saw different events, or in another order")
            del client.seen[:length]
        self._settled += first

    def wait(self, deliveries: int, patience: float) -> None:
        """Until so many events have come in all. Raises `Failed` where they do not."""
        if not self.loop.run(lambda: self.received >= deliveries or bool(self.losses), patience):
            raise Failed(
                f"{deliveries - self.received:,} of {deliveries:,} deliveries were missing {patience:g} s later"
            )
        self.check()

    def check(self) -> None:
        """Raises `Failed` where a connection was lost."""
        if self.losses:
            why = self.losses[0].lost
            raise Failed(f"{len(self.losses)} of {len(self.clients)} clients lost the connection: {why}")

    def check_seen(self, expected: Sequence[Key] | set[Key]) -> None:
        """Every client has every event once, all in the same order, an order's versions rising."""
        self.settle()
        first = self._settled
        if more := [client for client in self.clients if client.seen]:
            raise Failed(f"{len(more)} of {len(self.clients)} clients saw more events than others")
        if isinstance(expected, set):
            if len(first) != len(expected) or set(first) != expected:
                raise Failed(f"each client saw {len(first)} events, not the {len(expected)} that there were")
            versions: dict[bytes, int] = {}
            for order, version in first:
                if version <= versions.get(order, 0):
                    raise Failed(f"order {order.decode()} went back to version {version}")
                versions[order] = version
        elif first != list(expected):
            raise Failed("the events came in another order than they were emitted")

    def close(self) -> None:
        """Drops all of them."""
        for client in self.clients:
            client.close()
