"""HTTP requests over kept connections, with as little around them as the load needs."""

from __future__ import annotations

import json
import re
import socket
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from bench.loop import Failed, Loop

_CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)

Answer = Callable[[int, bytes], None]

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_PATIENCE = 60.0  # s


def take_response(buffer: bytes) -> tuple[int, bytes, bytes] | None:
    """A response's status and body, and what follows it; ``None`` while it is not complete."""
    end = buffer.find(b"\r\n\r\n")
    if end < 0:
        return None
    status, start = int(buffer[9:12]), end + 4
    if (length := _LENGTH.search(buffer, 0, end + 2)) is not None:
        stop = start + int(length[1])
        return None if len(buffer) < stop else (status, buffer[start:stop], buffer[stop:])
    if not _CHUNKED.search(buffer, 0, end + 2):
        raise Failed(f"a response has no length: {buffer[:end].decode(errors='replace')}")
    body = b""
    while (line := buffer.find(b"\r\n", start)) >= 0:  # RFC 9112, section 7.1
        size = int(buffer[start:line].partition(b";")[0], 16)
        stop = line + 2 + size + 2
        if len(buffer) < stop:
            return None
        if not size:
            return status, body, buffer[stop:]
        body += buffer[line + 2 : stop - 2]
        start = stop
    return None


class Connection:
    """A connection that carries one request after another; dialled again where the server ended it while idle."""

    def __init__(self, loop: Loop, port: int, headers: Mapping[str, str] | None = None) -> None:
        self._loop = loop
        self._port = port
        lines = "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
        self._head = f"Host: 127.0.0.1:{port}\r\n{lines}"
        self._buffer = b""
        self._answers: deque[Answer] = deque()
        self._sock: socket.socket | None = None

    def _dial(self) -> socket.socket:
        sock = self._sock = socket.create_connection(("127.0.0.1", self._port), 10)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setblocking(False)
        self._loop.watch(sock, self._read)
        return sock

    def send(self, method: str, path: str, body: bytes, answer: Answer) -> None:
        """Sends a request; ``answer(status, body)`` is called when its response is there."""
        self._answers.append(answer)
        head = f"{method} {path} HTTP/1.1\r\n{self._head}"
        if body:
            head += "Content-Type: application/json\r\n"
        sock = self._sock or self._dial()
        sock.send(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Sends a request and runs the loop until its answer is there. Raises `Failed` where it is no success."""
        done: list[tuple[int, bytes]] = []
        data = b"" if body is None else json.dumps(body).encode()
        self.send(method, path, data, lambda status, answer: done.append((status, answer)))
        if not self._loop.run(lambda: bool(done), _PATIENCE):
            raise Failed(f"{method} {path} had no answer after {_PATIENCE:g} s")
        status, answer = done[0]
        if status >= 300:
            raise Failed(f"{method} {path} was answered with {status}: {answer.decode(errors='replace')}")
        return json.loads(answer)

    def close(self) -> None:
        """Drops the connection."""
        if self._sock is not None:
            self._loop.forget(self._sock)
            self._sock.close()
            self._sock = None

    def _read(self, events: int) -> None:
        assert self._sock is not None
        try:
            data = self._sock.recv(262_144)
        except BlockingIOError:
            return
        except OSError as error:
            raise Failed(f"an HTTP connection broke: {error.strerror}") from None
        if not data:
            if self._answers:
                raise Failed("the server ended an HTTP connection with a request under way")
            self.close()
            return
        self._buffer += data
        while (response := take_response(self._buffer)) is not None:
            status, body, self._buffer = response
            self._answers.popleft()(status, body)
