"""A thousand orders of others, asked for by every role in every way that takes an id: nothing is seen of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from itertools import cycle
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.harness import Json, Listener, ServerProcess, token

COUNT = 1_000
FOREIGN = [f"{n}" if n % 2 else f"foreign-{n}" for n in range(1, COUNT + 1)]
UNKNOWN = "no-such-order"
BESIDES = 8
"""Requests under way at once."""

# Who asks; the orders are those of customer 42 in the shop north.
WHO: dict[str, tuple[object, str, dict[str, Any]]] = {
    "customer": (43, "customer", {}),
    "operator": ("s", "operator", {"shops": ["south"]}),
    "admin": ("sa", "admin", {"shops": ["south"]}),
    "service": ("sb", "service", {"shops": ["south"]}),
}

OTHERS = ("/api/customers/", "/api/webhooks/", "/api/hooks/")
"""Where the id is not an order's."""

# Every route that takes an order's id, with bodies that would be answered otherwise if the order were theirs.
BY_ID: dict[tuple[str, str], list[Json | None]] = {
    ("GET", "/api/orders/{id}"): [None],
    ("PATCH", "/api/orders/{id}"): [
        {"status": "accepted"},
        {"status": "no-such-status"},
        {"note": "seen", "expectedVersion": 99},
        {"status": "delivered", "reason": "because"},
        {},
    ],
    ("GET", "/api/orders/{id}/events"): [None],
    ("POST", "/api/orders/{id}/contact"): [None],
    ("POST", "/api/orders/{id}/claim"): [None, {"from": "n"}],
    ("POST", "/api/orders/{id}/release"): [None],
    ("POST", "/api/orders/{id}/share"): [None],
}


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server with the foreign orders, some of them taken by an operator of theirs."""
    with ServerProcess(tmp_path_factory.mktemp("full"), max_watches="0", max_message_rate="0") as process:
        asyncio.run(_fill(process))
        yield process
        assert "Traceback" not in process.log


async def _fill(server: ServerProcess) -> None:
    async with Asker(server, "shop", "service") as shop, Asker(server, "n", "operator", shops=["north"]) as north:
        order = {"customerId": 42, "shopId": "north", "reference": "foreign", "contact": {"name": "foreign"}}
        for status, _ in await shop.all("POST", "/api/orders", [order | {"orderId": id} for id in FOREIGN]):
            assert status == 201
        for id in FOREIGN[::10]:
            assert (await north.ask("POST", f"/api/orders/{id}/claim"))[0] == 200


class Asker:
    """REST as one caller, thousands of times."""

    def __init__(self, server: ServerProcess, user: object, role: str, **claims: Any) -> None:
        self.token = token(user, role, **claims)
        self._url = server.url

    async def __aenter__(self) -> Asker:
        headers = {"Authorization": f"Bearer {self.token}"}
        self._session = aiohttp.ClientSession(self._url, headers=headers)
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._session.close()

    async def ask(self, method: str, path: str, body: Any = None) -> tuple[int, str]:
        """An answer's status and text."""
        async with self._session.request(method, path, **({} if body is None else {"json": body})) as answer:
            return answer.status, await answer.text()

    async def json(self, path: str) -> Json:
        """What is read."""
        async with self._session.get(path) as answer:
            assert answer.status == 200, await answer.text()
            found: Json = await answer.json()
            return found

    async def all(self, method: str, path: str, bodies: list[Any], ids: list[str] | None = None) -> list[Any]:
        """The answers to as many requests, in order; ``{id}`` in the path is each of ``ids``."""
        waiting = iter(enumerate(bodies))
        answers: list[Any] = [None] * len(bodies)

        async def work() -> None:
            for at, body in waiting:
                answers[at] = await self.ask(method, path.replace("{id}", ids[at]) if ids else path, body)

        await asyncio.gather(*(work() for _ in range(BESIDES)))
        return answers


@asynccontextmanager
async def asking(server: ServerProcess, who: str) -> AsyncIterator[Asker]:
    user, role, claims = WHO[who]
    async with Asker(server, user, role, **claims) as asker:
        yield asker


async def test_the_table_has_every_route_that_takes_an_id(full: ServerProcess) -> None:
    async with asking(full, "customer") as asker:
        paths = (await asker.json("/openapi.json"))["paths"]
    taken = {(method.upper(), path) for path, methods in paths.items() for method in methods if "{" in path}
    taken = {(method, path) for method, path in taken if not path.startswith(OTHERS)}
    assert taken == {*BY_ID, ("PUT", "/api/orders/{id}")}  # which has a test below


@pytest.mark.parametrize("who", WHO)
async def test_foreign_is_answered_as_unknown_and_changes_nothing(full: ServerProcess, who: str) -> None:
    async with asking(full, who) as asker:
        for (method, path), bodies in BY_ID.items():
            unknown = [await asker.ask(method, path.replace("{id}", UNKNOWN), body) for body in bodies]
            assert {status for status, _ in unknown} == {404}, (method, path)
            each = [body for body, _ in zip(cycle(bodies), FOREIGN, strict=False)]
            answers = await asker.all(method, path, each, FOREIGN)
            told = [id for id, answer, plain in zip(FOREIGN, answers, cycle(unknown), strict=False) if answer != plain]
            assert told == [], (method, path)
    await nothing_changed(full)


async def nothing_changed(server: ServerProcess) -> None:
    """They are all there, as they were."""
    async with Asker(server, "shop", "service") as shop:
        seen, cursor = 0, ""
        while cursor is not None:
            page = await shop.json(f"/api/orders?limit=500{cursor and f'&cursor={cursor}'}")
            assert all(order["version"] <= 2 and order["note"] is None for order in page["orders"])
            assert {order["status"] for order in page["orders"]} == {"received"}
            seen, cursor = seen + len(page["orders"]), page["next"]
    assert seen == COUNT


@pytest.mark.parametrize("who", WHO)
async def test_nobody_puts_something_in_their_place(full: ServerProcess, who: str) -> None:
    """A backend that may create orders learns that an id is taken, as it must, and nothing of the order."""
    body = {"customerId": 43, "shopId": "south", "status": "accepted", "note": "mine"}
    async with asking(full, who) as asker:
        answers = await asker.all("PUT", "/api/orders/{id}", [body] * COUNT, FOREIGN)
        told = {(status, text.replace(f"'{id}'", "ID")) for id, (status, text) in zip(FOREIGN, answers, strict=True)}
        assert len(told) == 1, "all the same but for the id that was sent"
        assert {status for status, _ in told} == {409 if who == "service" else 403}
    await nothing_changed(full)


@pytest.mark.parametrize("who", WHO)
async def test_nobody_learns_whether_there_is_a_customer_or_reaches_a_room(full: ServerProcess, who: str) -> None:
    async with asking(full, who) as asker:
        known, unknown = [await asker.ask("DELETE", f"/api/customers/{id}") for id in (42, "nobody")]
        assert known == unknown
        assert known[0] == 403
        sent = [{"rooms": [f"order:{id}"], "event": "bell"} for id in (*FOREIGN[:20], UNKNOWN)]
        answers = await asker.all("POST", "/api/emit", sent)
        told = {
            (status, text.replace(body["rooms"][0], "ROOM")) for body, (status, text) in zip(sent, answers, strict=True)
        }
        assert len(told) == 1
        assert {status for status, _ in told} == {422 if who == "service" else 403}
    await nothing_changed(full)


@pytest.mark.parametrize("who", WHO)
async def test_no_list_and_no_figure_has_them(full: ServerProcess, who: str) -> None:
    async with asking(full, who) as asker:
        for query in ("", "limit=500", "customerId=42", "q=foreign", f"q={FOREIGN[0]}", "status=received"):
            page = await asker.json(f"/api/orders?{query}")
            assert (page["orders"], page["next"]) == ([], None), query
        page = {"cursor": "0", "position": 0}
        head = (await asker.json("/api/events"))["position"]
        assert head >= COUNT
        while page["position"] < head:
            page = await asker.json(f"/api/events?after={page['cursor']}")
            assert page["events"] == []
        if WHO[who][1] in ("operator", "admin"):
            figures = await asker.json("/api/stats")
            assert set(figures["orders"].values()) <= {0}
            assert (figures["created"], figures["firstContact"]["waiting"]) == (0, 0)


@pytest.mark.parametrize("who", WHO)
async def test_no_socket_hears_of_them(full: ServerProcess, who: str, tmp_path: Path) -> None:
    user, role, claims = WHO[who]
    async with (
        Asker(full, "shop", "service") as shop,
        full.listener("n", "operator", shops=["north"]) as theirs,
        full.listener(user, role, **claims) as listener,
    ):
        since = (await shop.json("/api/events"))["cursor"]
        for id in (*FOREIGN, UNKNOWN):
            answer = await listener.watch(id)
            assert answer == {"orderId": int(id) if id.isdigit() else id, "error": "not_found"}
            await listener.client.emit("unwatch:order", id)
        await listener.settle()
        assert {event for event, _ in listener.heard} == {"watch:denied"}
        listener.heard.clear()
        notes = await shop.all("PATCH", "/api/orders/{id}", [{"note": f"for {who}"}] * COUNT, FOREIGN)
        assert {status for status, _ in notes} == {200}
        undone = await shop.all("PATCH", "/api/orders/{id}", [{"note": None}] * COUNT, FOREIGN)
        head = max((await shop.json("/api/events"))["position"], 0)
        assert {status for status, _ in undone} == {200}
        await theirs.until("order:changed", 2 * COUNT, wait=120)  # so all that there is to hear has been said
        await listener.settle()
        assert listener.heard == []

    missed = Listener()
    told: list[Any] = []
    for event in ("caught_up", "resync"):
        missed.client.on(event, lambda data, event=event: told.append((event, data["position"])))
    await missed.connect(f"{full.url}?since={since}", token(user, role, **claims))
    await missed.settle()
    assert missed.heard == []
    assert told == [("caught_up", head)]
    await missed.close()
