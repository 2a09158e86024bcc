"""This node among the others: what it says, what it knows, and how all of them are counted together."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ordercast.errors import StorageError
from ordercast.live.monitor import Monitor
from ordercast.live.nodes import FORGOTTEN, Nodes, address_of, decode_online, encode_online
from ordercast.orders.presence import NodePresence, Online, people
from ordercast.orders.principal import Principal, Role
from ordercast.storage.nodes import NodeRow

NEVER = 1e6  # s between beats that are not to come
ANA = Principal("ana", Role.OPERATOR)
BOB = Principal("bob", Role.OPERATOR, shops=frozenset({"north"}))
ADA = Principal("ada", Role.ADMIN)
CUSTOMER = Principal("42", Role.CUSTOMER)


class Table:
    """The table of nodes, in memory. ``away``: the database is."""

    def __init__(self) -> None:
        self.rows: dict[str, NodeRow] = {}
        self.dead: set[str] = set()
        self.away = False
        self.appeared = 0

    def _there(self) -> None:
        if self.away:
            raise StorageError("The database is away.")

    async def appear(self, row: NodeRow) -> None:
        self._there()
        self.appeared += 1
        self.rows[row.name] = row

    async def beat(self, name: str, run: str, connections: int) -> bool:
        self._there()
        row = self.rows.get(name)
        if row is None or row.run != run:
            return False
        self.rows[name] = replace(row, connections=connections)
        return True

    async def others(self, name: str) -> list[NodeRow]:
        self._there()
        return [row for row in self.rows.values() if row.name not in self.dead | {name}]

    async def leave(self, name: str, run: str) -> None:
        self._there()
        if name in self.rows and self.rows[name].run == run:
            del self.rows[name]


def node(table: Table | None, name: str, *principals: Principal) -> Nodes:
    """A node with these connected."""
    monitor = Monitor()
    for principal in principals:
        monitor.came(principal)
    nodes = Nodes(monitor, name)
    nodes._registry = table
    nodes.here = f"http://{name}:3001"
    return nodes


async def beats(*nodes: Nodes) -> None:
    for _ in range(2):  # all have said what they say before the last time that any looks
        for one in nodes:
            await one.beat()


def ids(nodes: Nodes) -> list[str]:
    return [online.user_id for online in nodes.operators()]


async def test_one_node_says_what_it_always_said() -> None:
    alone = node(None, "a", ANA, ANA, ADA, CUSTOMER)
    async with alone.running(None):
        assert alone.line == "Connections: 4 | Operators online: 2"
        assert alone.alive() == ["a"]
        assert alone.address("a") == "http://a:3001"
        assert alone.address("b") is None
        assert alone.presence() == [NodePresence("a", 4, 2)]
    table = Table()
    only = node(table, "a", ANA)
    await beats(only)
    assert only.line == "Connections: 1 | Operators online: 1"


async def test_several_nodes_are_counted_together() -> None:
    table = Table()
    a, b, c = nodes = node(table, "a", ANA, CUSTOMER), node(table, "b", ANA, BOB), node(table, "c", ADA, ADA, ADA)
    await beats(*nodes)
    assert a.line == "Connections: 7 | Operators online: 3 | this node: 2, 1 | nodes: 3"
    assert b.line == "Connections: 7 | Operators online: 3 | this node: 2, 2 | nodes: 3"
    assert ids(a) == ids(b) == ids(c) == ["ada", "ana", "bob"], "an operator on two nodes is one operator"
    assert a.presence() == [NodePresence("a", 2, 1), NodePresence("b", 2, 2), NodePresence("c", 3, 1)]
    table.dead.add("b")
    await a.beat()
    assert a.line == "Connections: 5 | Operators online: 2 | this node: 2, 1 | nodes: 2"
    assert a.alive() == ["a", "c"]
    assert ids(a) == ["ada", "ana"]


async def test_who_is_online_is_written_only_as_it_changes() -> None:
    table = Table()
    a, b = node(table, "a", ANA), node(table, "b")
    await beats(a, b)
    assert table.appeared == 2
    for principal in (ANA, CUSTOMER, CUSTOMER):  # another tab, and customers, who are only counted
        a._monitor.came(principal)
    await beats(a, b)
    assert table.appeared == 2
    assert b.connections == 4
    a._monitor.came(BOB)
    await beats(a, b)
    assert table.appeared == 3
    assert ids(b) == ["ana", "bob"]
    a._monitor.went(ANA)
    await beats(a, b)
    assert ids(b) == ["ana", "bob"]
    a._monitor.went(ANA)
    await beats(a, b)
    assert ids(b) == ["bob"]


async def test_the_database_is_away(caplog: pytest.LogCaptureFixture) -> None:
    table = Table()
    a, b = node(table, "a"), node(table, "b", ANA)
    async with b.running(table, NEVER), a.running(table, NEVER):
        table.away = True
        for _ in range(2 * FORGOTTEN):
            await a.beat()
        assert a.address("b") == "http://b:3001"
        assert a.alive() == ["a", "b"]
        table.away = False
        table.dead.add("b")  # it has not yet said again that it is there
        await a.beat()
        assert a.alive() == ["a"]
        assert a.address("b") == "http://b:3001", "its sessions must not be lost for that"
        table.dead.clear()
        await a.beat()
        assert a.alive() == ["a", "b"]
        table.dead.add("b")
        for _ in range(FORGOTTEN):
            assert a.address("b") is not None
            await a.beat()
        assert a.address("b") is None
        table.away = True  # and leaving does not fail for it
    table.away = False
    async with a.running(table, NEVER):
        assert "a" in table.rows
    assert set(table.rows) == {"b"}


async def test_two_of_one_name_are_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    table = Table()
    one, two = node(table, "a"), node(table, "a")
    async with one.running(table, NEVER), two.running(table, NEVER):
        assert "ORDERCAST_NODE_NAME" not in capsys.readouterr().out
        for _ in range(3):
            await beats(one, two)
        assert capsys.readouterr().out.count("ORDERCAST_NODE_NAME") == 2, "once by each"
    async with one.running(table, NEVER):  # and one that is entered again is no second one
        assert set(table.rows) == {"a"}


async def test_a_node_that_starts_anew_takes_its_name_back() -> None:
    table = Table()
    before, after, other = node(table, "a", ANA), node(table, "a", BOB), node(table, "b")
    await beats(before, after)
    assert table.rows["a"].run == after.run
    await other.beat()
    assert ids(other) == ["bob"]
    table.rows.clear()
    await beats(after, other)
    assert ids(other) == ["bob"], "a row that was removed comes back whole"


def test_names_and_runs_differ() -> None:
    made = [Nodes(Monitor()) for _ in range(100)]
    assert len({nodes.name for nodes in made}) == len({nodes.run for nodes in made}) == 100
    assert all(len(nodes.name) == 6 and nodes.name.isalnum() for nodes in made)


@pytest.mark.parametrize(
    "text",
    [
        *("", "{}", "[[]]", "[[1]]", "[" * 5_000, '[["ana","operator",null,1]]', '[["ana","operator",[1]]]'),
        *('[["ana","boss",null]]', '[["ana","customer",null]]', '[["a b","operator",null]]'),
    ],
)
def test_what_cannot_be_read_is_nobody(text: str) -> None:
    assert decode_online(text) == ()


def test_who_is_online_is_read_as_it_was_written() -> None:
    found = people([Online("bob", Role.ADMIN, frozenset({"b", "a"})), Online("ana", Role.OPERATOR)])
    assert decode_online(encode_online(found)) == tuple(found)


def test_the_most_of_several_connections_counts() -> None:
    north, south = (Online("ana", Role.OPERATOR, frozenset({shop})) for shop in ("north", "south"))
    assert people([north, south]) == [Online("ana", Role.OPERATOR, frozenset({"north", "south"}))]
    assert people([north, Online("ana", Role.ADMIN)]) == [Online("ana", Role.ADMIN)]
    assert people([Online("ana", Role.ADMIN), south]) == [Online("ana", Role.ADMIN)]


def test_where_a_node_is() -> None:
    assert address_of("10.1.2.3", 3001) == "http://10.1.2.3:3001"
    assert address_of("::1", 1) == "http://[::1]:1"
    assert not address_of("0.0.0.0", 1).startswith("http://0.0.0.0")
    assert not address_of("::", 1).startswith("http://[::]")
