"""``io.to(room).except_(room).emit(event, …)``: who gets an event, and the event."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ordercast.engineio import Packet, disconnects
from ordercast.socketio import fanout
from ordercast.socketio.cluster import Answers, Selection
from ordercast.socketio.errors import AckTimeout, ClusterTimeout
from ordercast.socketio.packet import check_event_name

if TYPE_CHECKING:
    from ordercast.socketio.namespace import Namespace
    from ordercast.socketio.remote import RemoteSocket
    from ordercast.socketio.socket import Socket

DEFAULT_ACK_TIMEOUT = 10.0  # s


@dataclass(slots=True)
class Asked:
    """An event that has gone out to sockets of this node, and the acknowledgements to come."""

    id: int
    sockets: list[Socket]
    answers: list[asyncio.Future[Any]]

    async def wait(self, timeout: float) -> None:  # noqa: ASYNC109 - Socket.IO's own word
        """Waits until all have answered or gone, up to ``timeout`` (s)."""
        if self.answers:
            await asyncio.wait(self.answers, timeout=timeout)

    def responses(self) -> list[Any]:
        """What came."""
        return [one.result() for one in self.answers if one.done() and not one.cancelled() and not one.exception()]

    def forget(self) -> None:
        """Nobody waits any more."""
        for socket in self.sockets:
            socket.expect_no_more(self.id)


class BroadcastOperator:
    """A set of rooms to emit to, and of rooms to leave out. Immutable: each call returns a new one.

    No rooms means everyone in the namespace. A socket in several of the rooms gets the event once.
    https://socket.io/docs/v4/server-api/#socket.to
    """

    __slots__ = ("_except", "_key", "_local", "_namespace", "_rooms", "_volatile")

    def __init__(
        self,
        namespace: Namespace,
        rooms: frozenset[str] = frozenset(),
        except_: frozenset[str] = frozenset(),
        volatile: bool = False,
        key: Hashable | None = None,
        local: bool = False,
    ) -> None:
        self._namespace = namespace
        self._rooms = rooms
        self._except = except_
        self._volatile = volatile
        self._key = key
        self._local = local

    def _but(
        self,
        *,
        rooms: frozenset[str] | None = None,
        except_: frozenset[str] | None = None,
        volatile: bool | None = None,
        key: Hashable | None = None,
        local: bool | None = None,
    ) -> BroadcastOperator:
        return BroadcastOperator(
            self._namespace,
            self._rooms if rooms is None else rooms,
            self._except if except_ is None else except_,
            self._volatile if volatile is None else volatile,
            self._key if key is None else key,
            self._local if local is None else local,
        )

    # -- who -----------------------------------------------------------------------------------------------

    def to(self, *rooms: str) -> BroadcastOperator:
        """Adds rooms. A socket's id is a room of its own."""
        return self._but(rooms=self._rooms.union(rooms))

    in_ = to

    def except_(self, *rooms: str) -> BroadcastOperator:
        """Leaves out whoever is in these rooms."""
        return self._but(except_=self._except.union(rooms))

    @property
    def local(self) -> BroadcastOperator:
        """Only the sockets of this node."""
        return self._but(local=True)

    @property
    def volatile(self) -> BroadcastOperator:
        """Events that may be lost: those who cannot take them now do not get them later.

        https://socket.io/docs/v4/emitting-events/#volatile-events
        """
        return self._but(volatile=True)

    def latest_of(self, key: Hashable) -> BroadcastOperator:
        """Events of which only the latest counts: for a client that is far behind, a newer event of this key replaces
        an older one that still waits. Everyone else gets them all, and so do all clients of other nodes."""
        return self._but(key=key)

    # -- what ----------------------------------------------------------------------------------------------

    def emit(self, event: str, *args: Any) -> None:
        """Sends the event to all of them. Returns at once; never awaits.

        Raises ``ValueError`` for a reserved name and ``TypeError`` for arguments that JSON cannot hold.
        """
        check_event_name(event)
        if not self._local:
            namespace = self._namespace
            namespace.server.cluster.broadcast(namespace.name, event, args, self._selection(), self._volatile)
        targets = self._targets()
        if targets:
            packets = self._namespace.encode_event(event, args)
            if self._key is not None and len(packets) == 1:
                packets[0].key = self._key
            self._namespace.delivered += fanout.deliver(targets, packets)

    def deliver(self, packets: list[Packet]) -> None:
        """Sends packets that are encoded already, as `Namespace.encode_event` does it, to sockets of this node."""
        self._namespace.delivered += fanout.deliver(self._targets(), packets)

    def send(self, *args: Any) -> None:
        """Emits a ``message`` event."""
        self.emit("message", *args)

    async def emit_with_ack(self, event: str, *args: Any, timeout: float = DEFAULT_ACK_TIMEOUT) -> list[Any]:  # noqa: ASYNC109 - Socket.IO's own word
        """Sends the event and waits up to ``timeout`` (s) until all have acknowledged.

        Returns what each acknowledged, in no order: ``None``, the one argument, or a tuple of several. Raises
        `AckTimeout`, whose ``responses`` are those that came.
        """
        check_event_name(event)
        asked = self.ask(event, args)
        own = asyncio.ensure_future(asked.wait(timeout))
        others = asyncio.ensure_future(self._ask_others(event, args, timeout))
        try:
            await asyncio.wait((own, others), return_when=asyncio.FIRST_EXCEPTION)
            elsewhere = others.result()
        finally:
            own.cancel()
            others.cancel()
            asked.forget()
        responses = [*asked.responses(), *elsewhere.responses]
        missing = len(asked.answers) + len(elsewhere.responses) + elsewhere.missing_clients - len(responses)
        if missing or elsewhere.missing_nodes:
            nodes = f", and {elsewhere.missing_nodes} other nodes did not answer" if elsewhere.missing_nodes else ""
            raise AckTimeout(
                f"{missing} of {missing + len(responses)} did not acknowledge '{event}' within {timeout:g} s{nodes}",
                responses,
            )
        return responses

    def ask(self, event: str, args: Sequence[Any]) -> Asked:
        """Sends the event to the sockets of this node, each of which is to acknowledge it."""
        sockets = [socket for socket in self._targets() if socket.connected]
        id = self._namespace.next_ack()
        if not sockets:
            return Asked(id, [], [])
        packets = self._namespace.encode_event(event, args, id)
        answers = [socket.expect(id) for socket in sockets]
        self._namespace.delivered += fanout.deliver(sockets, packets)
        return Asked(id, sockets, answers)

    async def _ask_others(self, event: str, args: Sequence[Any], timeout: float) -> Answers:  # noqa: ASYNC109
        if self._local:
            return Answers()
        namespace = self._namespace
        cluster = namespace.server.cluster
        return await cluster.broadcast_with_ack(namespace.name, event, args, self._selection(), timeout)

    # -- the sockets themselves ----------------------------------------------------------------------------

    async def fetch_sockets(self) -> list[Socket | RemoteSocket]:
        """The sockets, of all nodes. Raises `ClusterTimeout` where not all of them answer; its ``responses`` are the
        sockets of those that did."""
        found: list[Socket | RemoteSocket] = [*self.sockets()]
        if not self._local:
            try:
                found += await self._namespace.server.cluster.fetch_sockets(self._namespace, self._selection())
            except ClusterTimeout as error:
                error.responses[:0] = found
                raise
        return found

    def sockets(self) -> list[Socket]:
        """The sockets, of this node."""
        return list(self._targets())

    def sockets_join(self, *rooms: str) -> None:
        """Has all of them join rooms."""
        if not self._local:
            namespace = self._namespace
            namespace.server.cluster.sockets_join(namespace.name, self._selection(), rooms)
        for socket in self.sockets():
            socket.join(*rooms)

    def sockets_leave(self, *rooms: str) -> None:
        """Has all of them leave rooms."""
        if not self._local:
            namespace = self._namespace
            namespace.server.cluster.sockets_leave(namespace.name, self._selection(), rooms)
        for socket in self.sockets():
            for room in rooms:
                socket.leave(room)

    def disconnect_sockets(
        self, close: bool = False, *, why: disconnects.Disconnect = disconnects.SERVER_DISCONNECT
    ) -> None:
        """Ends all of them; see `Socket.disconnect`. Other nodes give their own reason."""
        if not self._local:
            namespace = self._namespace
            namespace.server.cluster.disconnect_sockets(namespace.name, self._selection(), close)
        for socket in self.sockets():
            socket.disconnect(close, why=why)

    def _selection(self) -> Selection:
        return Selection(self._rooms, self._except)

    def _targets(self) -> Collection[Socket]:
        namespace = self._namespace
        if not self._rooms:
            targets: Collection[Socket] = namespace.sockets.values()
        elif len(self._rooms) == 1:
            (room,) = self._rooms
            targets = namespace.members(room)
        else:
            targets = set().union(*(namespace.members(room) for room in self._rooms))
        if self._except:
            targets = set(targets).difference(*(namespace.members(room) for room in self._except))
        if self._volatile:
            targets = [socket for socket in targets if socket.session.transport.writable]
        return targets

    def __iter__(self) -> Iterator[Socket]:
        return iter(self.sockets())
