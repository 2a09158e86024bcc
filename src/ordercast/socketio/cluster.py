"""The contract that reaches other nodes, and a server that has none.

A node is one `Server`. Several of them, each with sockets of its own, are one to whoever emits. `cluster_redis.py`
keeps this contract over Redis. https://socket.io/docs/v4/adapter/
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from ordercast.socketio.namespace import Namespace
    from ordercast.socketio.remote import RemoteSocket
    from ordercast.socketio.server import Server


class Selection(NamedTuple):
    """Who is meant: everyone in one of the rooms (no rooms: everyone), without those in ``except_``."""

    rooms: frozenset[str] = frozenset()
    except_: frozenset[str] = frozenset()


@dataclass(slots=True)
class Answers:
    """What clients of other nodes acknowledged in time, and how many clients and nodes did not."""

    responses: list[Any] = field(default_factory=list)
    missing_clients: int = 0
    missing_nodes: int = 0


@dataclass(slots=True)
class Counters:
    """For metrics. ``dropped``: what could not be published; ``bad``: messages from others that could not be read."""

    published: int = 0
    received: int = 0
    bad: int = 0
    dropped: int = 0


class Cluster(Protocol):
    """What a server asks of its cluster. None of it touches this node's own sockets: the server does that itself.

    What is no coroutine returns at once and raises nothing but ``TypeError``, for arguments that cannot be sent; while
    others cannot be reached, what is meant for them waits a bounded while and is then dropped.
    """

    counters: Counters

    @property
    def connected(self) -> bool:
        """Whether others can be reached."""

    def bind(self, server: Server) -> None:
        """Belongs to this server from now on. Raises ``ValueError`` where it belongs to one already."""

    def start(self) -> None:
        """Joins the cluster, from within the event loop. May be called any number of times."""

    async def close(self) -> None:
        """Publishes what waits, within a second, and leaves the cluster."""

    async def settled(self) -> None:
        """Waits until this node hears all that is meant for the rooms it has now."""

    def socket_id(self) -> str:
        """A new socket's id: 20 random characters, of which a cluster may choose some."""

    def namespace_changed(self, namespace: Namespace) -> None:
        """A namespace has come to be, or has gone."""

    def room_changed(self, namespace: Namespace, room: str) -> None:
        """A room has its first member, or has lost its last one; or so has the room that a socket's id is."""

    def broadcast(self, namespace: str, event: str, args: Sequence[Any], to: Selection, volatile: bool) -> None:
        """Emits to the clients of other nodes."""

    async def broadcast_with_ack(
        self, namespace: str, event: str, args: Sequence[Any], to: Selection, wait: float
    ) -> Answers:
        """Emits to the clients of other nodes, and waits up to ``wait`` (s) until all have acknowledged."""

    async def fetch_sockets(self, namespace: Namespace, to: Selection) -> list[RemoteSocket]:
        """The sockets of other nodes. Raises `ClusterTimeout` where not all nodes answer."""

    def sockets_join(self, namespace: str, to: Selection, rooms: Sequence[str]) -> None:
        """Has sockets of other nodes join rooms."""

    def sockets_leave(self, namespace: str, to: Selection, rooms: Sequence[str]) -> None:
        """Has sockets of other nodes leave rooms."""

    def disconnect_sockets(self, namespace: str, to: Selection, close: bool) -> None:
        """Ends sockets of other nodes."""

    def server_side_emit(self, namespace: str, event: str, args: Sequence[Any]) -> None:
        """Emits to the other nodes themselves."""

    async def server_side_emit_with_ack(
        self, namespace: str, event: str, args: Sequence[Any], wait: float | None
    ) -> list[Any]:
        """Emits to the other nodes themselves and gathers what each answers, within ``wait`` (s; ``None``: the
        cluster's own). Raises `ClusterTimeout`."""


class OneNode:
    """A server alone: there is nobody else to reach."""

    connected = False

    def __init__(self) -> None:
        self.counters = Counters()

    def bind(self, server: Server) -> None: ...

    def start(self) -> None: ...

    async def close(self) -> None: ...

    async def settled(self) -> None: ...

    def socket_id(self) -> str:
        return secrets.token_urlsafe(15)

    def namespace_changed(self, namespace: Namespace) -> None: ...

    def room_changed(self, namespace: Namespace, room: str) -> None: ...

    def broadcast(self, namespace: str, event: str, args: Sequence[Any], to: Selection, volatile: bool) -> None: ...

    async def broadcast_with_ack(
        self, namespace: str, event: str, args: Sequence[Any], to: Selection, wait: float
    ) -> Answers:
        return Answers()

    async def fetch_sockets(self, namespace: Namespace, to: Selection) -> list[RemoteSocket]:
        return []

    def sockets_join(self, namespace: str, to: Selection, rooms: Sequence[str]) -> None: ...

    def sockets_leave(self, namespace: str, to: Selection, rooms: Sequence[str]) -> None: ...

    def disconnect_sockets(self, namespace: str, to: Selection, close: bool) -> None: ...

    def server_side_emit(self, namespace: str, event: str, args: Sequence[Any]) -> None: ...

    async def server_side_emit_with_ack(
        self, namespace: str, event: str, args: Sequence[Any], wait: float | None
    ) -> list[Any]:
        return []
