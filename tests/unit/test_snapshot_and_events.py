"""A snapshot and the events since make what a fresh snapshot shows: for everyone, whenever they were away."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, event, given, settings
from hypothesis import strategies as st

from ordercast.app import Ordercast
from ordercast.orders.announcements import HIDDEN_FROM_CUSTOMERS
from ordercast.orders.models import EventKind, Fulfilment, NewOrder, Written
from ordercast.orders.principal import Principal, Role
from tests.contract.support import Clock, retention
from tests.harness import Json
from tests.inside import ordercast, stop_all_clocks
from tests.merging import Orders, merged, shown
from tests.visitor import Visitor

SHOP, ANA = Principal("shop", Role.SERVICE), Principal("ana", Role.OPERATOR)
PAGE = 3  # orders on a page, so that there are several


class Follower:
    """A client that keeps a list of orders: from a snapshot on by events alone, until it is told that it cannot."""

    def __init__(self, visitor: Visitor, sees_all: bool) -> None:
        self.visitor = visitor
        self.sees_all = sees_all  # also what is the shop's own business
        self.orders: Orders = {}
        self.cursor: object = None

    @property
    def step(self) -> Callable[[str], int]:
        return self.visitor.app.workflow.step

    async def snapshot(self) -> tuple[Orders, int]:
        """All orders as REST shows them, and the position from which events are missing."""
        orders: Orders = {}
        first, query = None, f"limit={PAGE}"
        while True:
            status, page = await self.visitor.get("/api/orders", query)
            assert status == 200, page
            for order in page["orders"]:
                orders = shown(orders, order)
            first = page["position"] if first is None else first
            if page["next"] is None:
                return orders, first
            query = f"limit={PAGE}&cursor={page['next']}"

    async def fresh(self) -> Orders:
        """What it should have."""
        return (await self.snapshot())[0]

    async def begin(self) -> None:
        self.orders, self.cursor = await self.snapshot()

    async def go(self) -> None:
        """Away, without having read what was sent last."""

    async def back(self, how: str) -> None:
        """On from where it was."""

    async def listen(self) -> None:
        """Takes what there is."""
        status, page = await self.visitor.get("/api/events", f"after={self.cursor}")
        event(f"GET /api/events: {status}")
        if status == 410:
            return await self.begin()
        for one in page["events"]:
            self.take(one["event"], one["data"])
        self.cursor = page["cursor"]
        return None

    def take(self, name: str, data: Json) -> None:
        self.orders = merged(self.orders, name, data, self.step)


class Listener(Follower):
    """The same over Socket.IO."""

    here = False
    pid: str | None = None

    async def begin(self) -> None:
        if not self.here:
            await self._come()
        await super().begin()

    async def _come(self, **auth: Any) -> None:
        self.pid = (await self.visitor.come(**auth))["pid"]
        self.here = True

    async def go(self) -> None:
        if self.here:
            self.visitor.go()
        self.here = False

    async def back(self, how: str) -> None:
        if not self.here:
            offset = self.cursor if isinstance(self.cursor, str) else None
            if how == "since":
                await self._come(since=self.cursor)
            else:
                await self._come(pid=self.pid, offset=offset)

    async def listen(self) -> None:
        if not self.here:
            return
        for name, data in await self.visitor.hear():
            if name == "position":
                self.cursor = data
            elif name in ("resync", "caught_up"):
                event(f"{type(self).__name__}: {name}")
                if name == "resync":
                    await self.begin()
            else:
                self.take(name, data)


class Watcher(Listener):
    """A backend that watches each order it knows of: what ``watch:order`` answers is its snapshot."""

    async def snapshot(self) -> tuple[Orders, int]:
        orders: Orders = {}
        listed, position = await super().snapshot()
        for id in listed:
            orders = shown(orders, await self.visitor.call("watch:order", id))
        return orders, position

    async def fresh(self) -> Orders:
        return {id: await self.visitor.call("watch:order", id) for id in self.orders}

    async def back(self, how: str) -> None:
        await super().back("pid")  # nobody else's watches are kept

    def take(self, name: str, data: Json) -> None:
        if name == "watching":
            self.orders = shown(self.orders, data)
        else:
            super().take(name, data)


class Shop:
    """What happens to orders, a second after what happened before."""

    def __init__(self, app: Ordercast, clock: Clock) -> None:
        self.app = app
        self.clock = clock
        self.ids: list[str] = []
        self.hidden: set[str] = set()  # orders whose newest event is for operators alone

    async def create(self, new: NewOrder) -> None:
        self._done(await self.app.orders.create(new, SHOP))

    async def change(self, which: int, status: str | None, fields: Json, reason: str | None) -> None:
        if self.ids:
            id = self.ids[which % len(self.ids)]
            self._done(await self.app.orders.update(id, SHOP, status=status, fields=fields, reason=reason, force=True))

    async def contact(self, which: int) -> None:
        if self.ids:
            self._done(await self.app.orders.contact(self.ids[which % len(self.ids)], ANA))

    async def claim(self, which: int) -> None:
        """Ana takes it, or gives it back."""
        if self.ids:
            id = self.ids[which % len(self.ids)]
            hers = (await self.app.orders.get(id, ANA)).claimed_by == ANA.user_id
            self._done(await (self.app.orders.release if hers else self.app.orders.claim)(id, ANA))

    async def forget(self, seconds: int) -> None:
        """The log's beginning is removed."""
        await retention(self.app.storage, seconds + 0.5).remove_old()

    def _done(self, written: Written) -> None:
        self.clock.tick(1)
        if written.event is not None:
            id = written.order.order_id
            self.ids += [id] if id not in self.ids else []
            self.hidden.discard(id)
            own = EventKind.CONTACTED, EventKind.CLAIMED, EventKind.RELEASED
            if written.event.kind in own and {*written.event.fields} <= HIDDEN_FROM_CUSTOMERS:
                self.hidden.add(id)


FOLLOWERS = 7


@asynccontextmanager
async def shop_and_followers(clock: Clock) -> AsyncIterator[tuple[Shop, list[Follower]]]:
    with tempfile.TemporaryDirectory() as folder:
        async with ordercast(Path(folder), log_retention=0) as app:
            followers = [
                Listener(Visitor(app, 42), sees_all=False),
                Listener(Visitor(app, 43), sees_all=False),
                Listener(Visitor(app, "ana", "operator"), sees_all=True),
                Listener(Visitor(app, "ben", "operator", shops=["north"]), sees_all=True),
                Watcher(Visitor(app, "backend", "service"), sees_all=False),
                Follower(Visitor(app, 42), sees_all=False),
                Follower(Visitor(app, "ana", "operator"), sees_all=True),
            ]
            assert len(followers) == FOLLOWERS
            yield Shop(app, clock), followers


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=5)
TIMES = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))
CONTACTS = st.dictionaries(TEXTS, st.none() | st.integers(-5, 5) | TEXTS | st.lists(TEXTS, max_size=2), max_size=2)
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "note": st.none() | TEXTS,
    "contact": st.none() | CONTACTS,
    "expected_at": st.none() | TIMES,
}
NEW = st.builds(
    NewOrder,
    customer_id=st.sampled_from(["42", "43"]),
    shop_id=st.sampled_from([None, "north", "south"]),
    reference=st.none() | TEXTS,
    fulfilment=st.sampled_from(Fulfilment),
    items=st.lists(CONTACTS, max_size=2),
    total=st.none() | st.floats(0, 1e6),
    currency=st.sampled_from([None, "EUR"]),
    **FIELDS,
)
STATUSES = st.none() | st.sampled_from(["accepted", "preparing", "ready", "cancelled", "received"])
WHICH = st.integers(0, 4)
WHO = st.just(range(FOLLOWERS)) | st.integers(0, FOLLOWERS - 1).map(lambda one: range(one, one + 1))
CHANGE = st.tuples(st.just("change"), WHICH, STATUSES, st.fixed_dictionaries({}, optional=FIELDS), st.none() | TEXTS)
STEPS = (
    st.tuples(st.just("create"), NEW)
    | CHANGE
    | CHANGE
    | st.tuples(st.sampled_from(["contact", "claim"]), WHICH)
    | st.tuples(st.just("forget"), st.integers(0, 4))
    | st.tuples(st.sampled_from(["begin", "go", "go", "listen"]), WHO)
    | st.tuples(st.just("back"), WHO, st.sampled_from(["pid", "since"]))
)
ENDS = st.sampled_from(["here", "away", "long away"])


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return stop_all_clocks(monkeypatch)


@settings(
    max_examples=40,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # shrinking takes minutes: each example has a server
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(NEW, max_size=2), st.lists(STEPS, min_size=5, max_size=30), ENDS)
async def test_a_snapshot_and_the_events_since_are_a_fresh_snapshot(
    clock: Clock, orders: list[NewOrder], steps: list[tuple[Any, ...]], end: str
) -> None:
    async with shop_and_followers(clock) as (shop, followers):
        for order in orders:
            await shop.create(order)
        for follower in followers:
            await follower.begin()
        for what, *how in steps:
            if what in ("begin", "go", "listen", "back"):
                for who in how[0]:
                    await getattr(followers[who], what)(*how[1:])
            else:
                await getattr(shop, what)(*how)
        if end != "here":
            for follower in followers:
                await follower.listen()
                await follower.go()
            await shop.create(NewOrder(customer_id="42", shop_id="north"))
            await shop.change(0, "accepted", {"note": "both at once"}, "a reason")
            await shop.contact(0)
        if end == "long away":
            await shop.forget(0)
        for follower in followers:
            await follower.back("pid")
            await follower.listen()
            compare(await follower.fresh(), follower, shop.hidden)


def compare(fresh: Orders, follower: Follower, hidden: set[str]) -> None:
    """All is as in the fresh snapshot but for what no event says: when fields other than the status changed, and a
    version that changed nothing its client may see."""
    assert follower.orders.keys() == fresh.keys()
    for id, order in fresh.items():
        kept = follower.orders[id]
        unsaid = {"updatedAt"} - kept.keys()
        if str(id) in hidden and not follower.sees_all:
            unsaid |= {"updatedAt", "version"}
            assert kept["version"] <= order["version"]
        unsaid |= {"position"}  # of an answer to a watch: it belongs to the log
        assert {k: kept.get(k) for k in order.keys() - unsaid} == {k: order[k] for k in order.keys() - unsaid}
