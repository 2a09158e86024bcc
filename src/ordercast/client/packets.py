"""What goes over the wire: Engine.IO 4 and Socket.IO 5 packets as a client meets them. Pure.

https://socket.io/docs/v4/engine-io-protocol/ and https://socket.io/docs/v4/socket-io-protocol/
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

SEPARATOR = "\x1e"
"""Between the packets of an answer over long-polling."""

NO_SILENCE = 30.0
"""s that the first word of a session may take; who connects is usually less patient."""

Kind = Literal["connect", "disconnect", "event", "ack", "refused"]

_KINDS: dict[str, Kind] = {
    "0": "connect",
    "1": "disconnect",
    "2": "event",
    "3": "ack",
    "4": "refused",
    "5": "event",
    "6": "ack",
}
_HEAD = re.compile(r"([0-6])(?:(\d{1,9})-)?(/[^,]*,)?(\d{1,15})?")


class PacketError(ValueError):
    """The other side does not speak Socket.IO."""


@dataclass(frozen=True, slots=True)
class Packet:
    """``data`` is what the kind's JSON is; ``id`` of the acknowledgement; ``attachments``: how many binary messages
    are yet to come."""

    kind: Kind
    data: Any = None
    id: int | None = None
    attachments: int = 0


@dataclass(frozen=True, slots=True)
class Opened:
    """What the first packet of a session says. Times in seconds."""

    sid: str
    ping_interval: float
    ping_timeout: float

    @property
    def silence(self) -> float:
        """After so many seconds without a word the server is gone."""
        return self.ping_interval + self.ping_timeout


def read_opened(text: str) -> Opened:
    """Reads the packet that opens a session. Raises `PacketError`."""
    try:
        said: Any = json.loads(text.removeprefix("0")) if text[:1] == "0" else None
        return Opened(str(said["sid"]), said["pingInterval"] / 1000, said["pingTimeout"] / 1000)
    except (ValueError, KeyError, TypeError):
        raise PacketError(f"this is no Socket.IO server; it said {text[:80]!r}") from None


def split_payload(text: str) -> list[str | bytes]:
    """The packets of an answer over long-polling; ``bytes`` are binary messages. Raises `PacketError`."""
    try:
        return [base64.b64decode(one[1:]) if one[:1] == "b" else one for one in text.split(SEPARATOR)]
    except ValueError:
        raise PacketError("a binary message cannot be read") from None


def read(text: str) -> Packet:
    """Reads a Socket.IO packet of the main namespace. Raises `PacketError`."""
    head = _HEAD.match(text)
    if head is None or (head[3] or "/,") != "/,":
        raise PacketError(f"this is no packet: {text[:80]!r}")
    rest = text[head.end() :]
    try:
        data = json.loads(rest) if rest else None
    except ValueError:
        raise PacketError(f"this packet is not JSON: {text[:80]!r}") from None
    packet = Packet(_KINDS[head[1]], data, None if head[4] is None else int(head[4]), int(head[2] or 0))
    if packet.kind == "event" and not (isinstance(data, list) and data and isinstance(data[0], str)):
        raise PacketError("an event without a name")
    if packet.kind == "ack" and not (isinstance(data, list) and packet.id is not None):
        raise PacketError("an acknowledgement of nothing")
    return packet


def put_back(data: Any, buffers: Sequence[bytes]) -> Any:
    """Replaces the placeholders of a packet with attachments by these. Raises `PacketError`."""
    if isinstance(data, list):
        return [put_back(value, buffers) for value in data]
    if not isinstance(data, dict):
        return data
    if data.get("_placeholder") is True:
        number = data.get("num")
        if type(number) is not int or not 0 <= number < len(buffers):
            raise PacketError("a placeholder of no attachment")
        return buffers[number]
    return {name: put_back(value, buffers) for name, value in data.items()}


def connect(auth: dict[str, Any]) -> str:
    """The message that asks to connect."""
    return "40" + json.dumps(auth)


def event(name: str, args: Sequence[Any], id: int | None = None) -> str:
    """The message of an event; with ``id`` an acknowledgement is asked for."""
    return f"42{'' if id is None else id}" + json.dumps([name, *args])


DISCONNECT = "41"
PONG = "3"
CLOSE = "1"
