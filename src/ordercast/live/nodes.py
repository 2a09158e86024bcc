"""This node among the others: says that it is there, knows who else is, and counts all of them together.

Each node writes its counts beside its beat into the database and reads the others' (`ordercast.storage.nodes`), so one
that dies stops counting by itself. Where the database is a file there is one node, and nothing is written or read.
"""

from __future__ import annotations

import asyncio
import secrets
import socket
import string
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Protocol

import msgspec
import structlog

from ordercast.errors import StorageError
from ordercast.live.monitor import Monitor
from ordercast.orders.ids import parse_id
from ordercast.orders.presence import NodePresence, Online, people
from ordercast.orders.principal import OPERATORS, Role
from ordercast.storage.nodes import NodeRow

BEAT = 1.0
"""s between beats. A node counts as dead after three (`ordercast.storage.nodes.ALIVE_MS`)."""

FORGOTTEN = 10
"""Looks after which the address of a node that is not seen any more is forgotten. One that only beats late, as after an
outage of the database, or on a busy machine, can be reached meanwhile."""

_LEAVING = 2.0  # s for the database to hear that we go; else it notices by itself
_NAME = 6  # characters: one in 57 billion that two nodes have the same
_ALPHABET = string.ascii_letters + string.digits

_log = structlog.get_logger("ordercast.nodes")
_said = structlog.get_logger("ordercast.monitor")


class Registry(Protocol):
    """Where nodes find each other: `ordercast.storage.nodes.SqlNodes`, or a test's own."""

    async def appear(self, row: NodeRow) -> None: ...

    async def beat(self, name: str, run: str, connections: int) -> bool: ...

    async def others(self, name: str) -> Sequence[NodeRow]: ...

    async def leave(self, name: str, run: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Node:
    """Another node, as it last said it is."""

    row: NodeRow
    online: tuple[Online, ...]


class Nodes:
    """All nodes together. Until it is `running` with a registry, that is this one alone."""

    def __init__(self, monitor: Monitor, name: str | None = None) -> None:
        self.name = name or "".join(secrets.choice(_ALPHABET) for _ in range(_NAME))
        self.run = secrets.token_urlsafe(12)
        """Another one after each start."""
        self.here = ""
        """Where other nodes reach this one; to be set before `running`."""
        self._monitor = monitor
        self._registry: Registry | None = None
        self._others: dict[str, Node] = {}
        self._addresses: dict[str, str] = {}
        self._missed: dict[str, int] = {}  # looks since a node was seen
        self._written: int | None = None  # `Monitor.changes` when `online` was last written
        self._told = False  # that the database is away
        self._warned = False  # that another has our name

    # -- what others ask -----------------------------------------------------------------------------------

    def address(self, name: str) -> str | None:
        """Where the node of this name is reached, this one included; ``None``: there is none. What was known counts
        while the database is away."""
        return self.here if name == self.name else self._addresses.get(name)

    def alive(self) -> list[str]:
        """The names of all nodes that are there, this one's first."""
        return [self.name, *self._others]

    @property
    def connections(self) -> int:
        """Sockets connected, over all nodes."""
        return self._own_connections + sum(node.row.connections for node in self._others.values())

    @property
    def _own_connections(self) -> int:
        return self._monitor.connections.total()

    def operators(self) -> list[Online]:
        """Operators and admins online on any node, each once, by id."""
        others = [online for node in self._others.values() for online in node.online]
        return people([*self._monitor.online, *others])

    def presence(self) -> list[NodePresence]:
        """What each node has, this one first."""
        own = NodePresence(self.name, self._own_connections, self._monitor.operators)
        others = self._others.items()
        return [own, *(NodePresence(name, node.row.connections, len(node.online)) for name, node in others)]

    @property
    def line(self) -> str:
        """The contract's line: of all nodes, then of this one where there are others."""
        line = f"Connections: {self.connections} | Operators online: {len(self.operators())}"
        if self._others:
            own = f"{self._own_connections}, {self._monitor.operators}"
            line += f" | this node: {own} | nodes: {len(self._others) + 1}"
        return line

    def log(self) -> None:
        """Says it."""
        _said.info(self.line)

    # -- what runs -----------------------------------------------------------------------------------------

    @asynccontextmanager
    async def running(self, registry: Registry | None, every: float = BEAT) -> AsyncIterator[None]:
        """Is there for the others while the context is open: known to them, and they to it, when it is entered.

        ``None``: there are no others.
        """
        self._registry, self._written = registry, None
        if registry is None:
            yield
            return
        await self.beat()
        task = asyncio.create_task(self._keep_beating(every), name="ordercast nodes")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])
            with suppress(StorageError, TimeoutError):
                async with asyncio.timeout(_LEAVING):
                    await registry.leave(self.name, self.run)

    async def _keep_beating(self, every: float) -> None:
        while True:
            await asyncio.sleep(every)
            await self.beat()

    async def beat(self) -> None:
        """Says that this node is there, and looks who else is. While the database is away, all stays as it was."""
        if self._registry is None:
            return
        try:
            await self._say(self._registry)
            self._seen(await self._registry.others(self.name))
        except Exception as error:  # whatever it is, the next beat may go well
            if not self._told:
                _log.warning("the other nodes are out of sight; trying again", error=str(error))
                self._told = True
        else:
            self._told = False

    async def _say(self, registry: Registry) -> None:
        changes = self._monitor.changes
        if self._written == changes:
            if await registry.beat(self.name, self.run, self._own_connections):
                return
            if not self._warned:
                self._warned = True
                _log.warning(
                    "this node's row was another's or gone; where several nodes have one name, give each its own "
                    "ORDERCAST_NODE_NAME, or leave that unset",
                    node=self.name,
                )
        online = encode_online(self._monitor.online)
        await registry.appear(NodeRow(self.name, self.run, self.here, self._own_connections, online))
        self._written = changes

    def _seen(self, rows: Sequence[NodeRow]) -> None:
        others = {}
        for row in rows:
            before = self._others.get(row.name)
            same = before is not None and before.row.online == row.online
            others[row.name] = Node(row, before.online if same and before else decode_online(row.online))
            self._addresses[row.name] = row.address
        for name in tuple(self._addresses):
            self._missed[name] = 0 if name in others else self._missed.get(name, 0) + 1
            if self._missed[name] >= FORGOTTEN:
                del self._addresses[name], self._missed[name]
        for name in self._others.keys() ^ others.keys():
            _log.info("a node has come" if name in others else "a node has gone", node=name)
        self._others = others


def address_of(host: str, port: int) -> str:
    """Where other machines reach a server that listens on ``host``; for all interfaces (``0.0.0.0``, ``::``) the one
    that leads out of this machine."""
    if host in ("0.0.0.0", "::"):  # noqa: S104 - compared, not bound
        # Choosing a route sends nothing. The address is one of those for documentation (RFC 5737, RFC 3849).
        family, far = (socket.AF_INET, "192.0.2.1") if host == "0.0.0.0" else (socket.AF_INET6, "2001:db8::1")  # noqa: S104
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            try:
                probe.connect((far, 9))
                host = probe.getsockname()[0]
            except OSError:  # this machine knows no way out, so the others are on it too
                host = "127.0.0.1" if family == socket.AF_INET else "::1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


# As an array, since a shop has many: [userId, role, shops or null].
_Written = tuple[str, str, list[str] | None]
_decoder = msgspec.json.Decoder(list[_Written])


def encode_online(found: Sequence[Online]) -> str:
    """As the table keeps it."""
    rows = [(one.user_id, one.role.value, None if one.shops is None else sorted(one.shops)) for one in found]
    return msgspec.json.encode(rows).decode()


def decode_online(text: str) -> tuple[Online, ...]:
    """What another node wrote; nobody where that cannot be read, as of another version of Ordercast."""
    try:
        rows = _decoder.decode(text)
        found = [Online(id, Role(role), None if shops is None else frozenset(shops)) for id, role, shops in rows]
    except (msgspec.DecodeError, ValueError):
        return ()
    return tuple(one for one in found if one.role in OPERATORS and parse_id(one.user_id) == one.user_id)
