"""The figures of the day, against what comes out by going through everything."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ordercast.errors import Forbidden, StorageError
from ordercast.orders.figures import Fact, Standing, day_begin, percentile
from ordercast.orders.models import NewOrder
from ordercast.orders.principal import Principal, Role, guest
from ordercast.orders.service import OrderService
from ordercast.orders.stats import BATCH, Stats
from ordercast.orders.workflow import Category, load_workflow
from ordercast.testing import MemoryStorage, memory_storage

WORKFLOW = load_workflow()
SHOP = Principal("shop", Role.SERVICE)
ANA, ADA = Principal("ana", Role.OPERATOR), Principal("ada", Role.ADMIN, shops=frozenset({"south", "east"}))
NORA = Principal("nora", Role.OPERATOR, shops=frozenset({"north"}))
BERLIN = ZoneInfo("Europe/Berlin")
OPEN = [s.name for s in WORKFLOW.statuses.values() if s.category is Category.OPEN]
WAITING = [*OPEN, "failed_delivery"]


class Shop:
    """Orders in memory, with a clock that moves when told."""

    def __init__(self, patch: pytest.MonkeyPatch, at: datetime, kept: float = 0) -> None:
        self.time = at
        for module in ("ordercast.testing.orders", "ordercast.orders.service"):
            patch.setattr(f"{module}.now", self.clock)
        self.storage: MemoryStorage = memory_storage()
        self.orders = OrderService(self.storage.orders, WORKFLOW)
        self.stats = Stats(self.storage.figures, WORKFLOW, "Europe/Berlin", self.clock, kept)

    def clock(self) -> datetime:
        return self.time

    async def create(self, id: str, shop_id: str | None = None) -> None:
        await self.orders.create(NewOrder(customer_id="42", order_id=id, shop_id=shop_id), SHOP)

    async def move(self, id: str, status: str) -> None:
        await self.orders.update(id, SHOP, status=status, force=True)


def percentile_by_counting(values: Sequence[float], p: int) -> float | None:
    """The least value that at least ``p`` per cent are not above."""
    reached = [v for v in values if 100 * sum(other <= v for other in values) >= p * len(values)]
    return min(reached, default=None)


def times(values: Sequence[float]) -> dict[str, Any]:
    median, p90 = percentile_by_counting(values, 50), percentile_by_counting(values, 90)
    return {"count": len(values), "median": median, "p90": p90}


async def by_going_through_everything(shop: Shop, by: Principal) -> dict[str, Any]:
    today = shop.time.astimezone(BERLIN).date()

    def is_today(at: datetime) -> bool:
        return at.astimezone(BERLIN).date() == today

    events = [event for event in shop.storage.log.events if by.in_shop(event.shop_id)]
    orders = [order for order in shop.storage.orders.all() if by.in_shop(order.shop_id)]
    stays: dict[str, list[float]] = {status: [] for status in WAITING}
    ended: dict[str, str] = {}
    came: dict[str, datetime] = {}
    for event in events:
        if event.previous_status is not None or event.version == 1:
            if event.previous_status in stays and is_today(event.at):
                stays[event.previous_status].append((event.at - came[event.order_id]).total_seconds())
            if is_today(event.at):
                ended[event.order_id] = event.status
            came[event.order_id] = event.at
    now = [order.status for order in orders]
    came_today = [*ended.values()]
    how = {name: status.category for name, status in WORKFLOW.statuses.items()}
    first = [o for o in orders if o.first_contact_at is not None and is_today(o.first_contact_at)]
    return {
        "orders": {name: (now if name in OPEN else came_today).count(name) for name in WORKFLOW.statuses},
        "created": sum(is_today(order.created_at) for order in orders),
        "done": sum(how[status] is Category.DONE for status in came_today),
        "aborted": sum(how[status] is Category.ABORTED for status in came_today),
        "firstContact": times(
            [(o.first_contact_at - o.created_at).total_seconds() for o in first if o.first_contact_at]
        )
        | {"waiting": sum(o.first_contact_at is None and o.status in OPEN for o in orders)},
        "timeInStatus": {status: times(found) for status, found in stays.items()},
    }


ID = st.integers(0, 5).map(str)
ACTIONS = st.one_of(
    st.tuples(st.just("create"), ID, st.sampled_from(["north", "south", None])),
    st.tuples(st.just("move"), ID, st.sampled_from([*WORKFLOW.statuses])),
    st.tuples(st.just("contact"), ID, st.none()),
    st.tuples(st.just("claim"), ID, st.none()),
    st.tuples(st.just("wait"), st.just(""), st.floats(0, 40_000).map(lambda s: round(s, 3))),
    st.tuples(st.just("ask"), st.just(""), st.none()),
)


async def play(shop: Shop, actions: list[tuple[str, str, Any]]) -> None:
    there: set[str] = set()
    for action, id, value in [*actions, ("ask", "", None)]:
        if action == "wait":
            shop.time += timedelta(seconds=value)
        elif action == "ask":
            for by in (ANA, NORA, ADA):
                figures = await shop.stats.today(by)
                head = {name: figures.pop(name) for name in ("day", "timeZone", "since", "asOf", "position")}
                assert figures == await by_going_through_everything(shop, by)
                assert head["position"] == shop.storage.log.newest
                assert head["day"] == shop.time.astimezone(BERLIN).date().isoformat()
        elif action == "create" and id not in there:
            there.add(id)
            await shop.create(id, value)
        elif id in there and action == "move":
            await shop.move(id, value)
        elif id in there and action in ("contact", "claim"):
            await (shop.orders.contact(id, ANA) if action == "contact" else shop.orders.claim(id, ANA))


@settings(deadline=None)
@given(st.lists(ACTIONS, max_size=40))
def test_any_days(actions: list[tuple[str, str, Any]]) -> None:
    """Also over midnight, and over the night of 29 March, which has an hour less."""
    with pytest.MonkeyPatch.context() as patch:
        asyncio.run(play(Shop(patch, datetime(2026, 3, 28, 20, tzinfo=UTC)), actions))


@given(st.lists(st.floats(0, 1e6), max_size=30), st.integers(1, 100))
def test_percentiles_are_the_nearest_rank(values: list[float], p: int) -> None:
    assert percentile(sorted(values), p) == percentile_by_counting(values, p)


@pytest.mark.parametrize(
    ("zone", "at", "begin"),
    [
        ("UTC", datetime(2026, 2, 3, tzinfo=UTC), datetime(2026, 2, 3, tzinfo=UTC)),
        ("Europe/Berlin", datetime(2026, 7, 1, 22, 30, tzinfo=UTC), datetime(2026, 7, 1, 22, tzinfo=UTC)),
        ("Asia/Kolkata", datetime(2026, 7, 1, 18, 29, tzinfo=UTC), datetime(2026, 6, 30, 18, 30, tzinfo=UTC)),
        # The clocks go forward at midnight, so that the day begins at one.
        ("America/Santiago", datetime(2026, 9, 6, 12, tzinfo=UTC), datetime(2026, 9, 6, 4, tzinfo=UTC)),
        # Midnight comes twice; the first one begins the day.
        ("America/Havana", datetime(2026, 11, 1, 5, 30, tzinfo=UTC), datetime(2026, 11, 1, 4, tzinfo=UTC)),
    ],
)
def test_where_a_day_begins(zone: str, at: datetime, begin: datetime) -> None:
    assert day_begin(at, ZoneInfo(zone)) == begin
    before: date = (begin - timedelta(milliseconds=1)).astimezone(ZoneInfo(zone)).date()
    assert before < begin.astimezone(ZoneInfo(zone)).date() == at.astimezone(ZoneInfo(zone)).date()


class Counting:
    """`Figures` that say how often they were asked, and wait until they may answer."""

    def __init__(self, facts: Sequence[Fact] = ()) -> None:
        self.all = facts
        self.asked: list[tuple[int, int]] = []
        self.fails = False

    async def facts(self, since: datetime, position: int, limit: int) -> tuple[Sequence[Fact], int]:
        self.asked.append((position, limit))
        await asyncio.sleep(0)
        if self.fails:
            raise StorageError("away")
        found = [fact for fact in self.all if fact.position > position][:limit]
        return found, found[-1].position if found else position

    async def standing(self, statuses: object) -> Sequence[Standing]:
        return [Standing("north", "received", 2, 1), Standing(None, "ready", 3, 0)]


def stats(figures: Counting, clock: Callable[[], datetime] | None = None, kept: float = 1e9) -> Stats:
    return Stats(figures, WORKFLOW, "UTC", clock or (lambda: datetime(2026, 2, 3, tzinfo=UTC)), kept)


async def test_fifty_boards_cost_one_reading() -> None:
    figures = Counting()
    today = stats(figures)
    answers = await asyncio.gather(*(today.today(by) for by in (ANA, NORA) * 25))
    assert len(figures.asked) == 1
    assert [answer["orders"]["ready"] for answer in answers] == [3, 0] * 25
    assert [answer["firstContact"]["waiting"] for answer in answers[:2]] == [1, 1]


async def test_what_was_read_is_not_read_again() -> None:
    facts = [Fact(position=n, order_id="1", shop_id=None, status="ready") for n in range(1, 2 * BATCH + 2)]
    figures = Counting(facts)
    today = stats(figures, kept=0)
    await today.today(ANA)
    assert figures.asked == [(0, BATCH), (BATCH, BATCH), (2 * BATCH, BATCH)]
    await today.today(ANA)
    assert figures.asked[3:] == [(2 * BATCH + 1, BATCH)]


async def test_a_reading_that_fails_is_tried_again_and_counts_nothing_twice() -> None:
    fact = Fact(position=1, order_id="1", shop_id=None, status="received", created_at=datetime(2026, 2, 3, tzinfo=UTC))
    figures = Counting([fact])
    today = stats(figures, kept=0)
    assert (await today.today(ANA))["created"] == 1
    figures.fails = True
    with pytest.raises(StorageError):
        await today.today(ANA)
    figures.fails = False
    assert (await today.today(ANA))["created"] == 1


@pytest.mark.parametrize(
    "by", [SHOP, Principal("42", Role.CUSTOMER), guest("7", "42", 2e9, "t")], ids=["shop", "42", "guest"]
)
async def test_others_are_told_that_figures_are_not_theirs(by: Principal) -> None:
    figures = Counting()
    with pytest.raises(Forbidden, match="Only operators and admins see figures"):
        await stats(figures).today(by)
    assert figures.asked == []
