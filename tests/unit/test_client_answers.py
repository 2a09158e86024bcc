"""What can be no order's id is never asked for, and an answer that is not the order's is none."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from ordercast.client.actions import Actions
from ordercast.client.answers import order_in
from ordercast.client.backoff import Backoff
from ordercast.client.errors import Unreachable
from ordercast.client.ids import Id, text_of
from ordercast.client.order_watch import OrderWatch
from ordercast.client.signals import Tasks
from ordercast.client.watches import Watches
from tests.fake_shop import WAIT, Shop, living, order
from tests.harness import Json

NO_IDS = ["", "A1/events", "../stats", "..", ".", "A1?x=1", "A1#x", "%2e%2e", "a b", "x" * 65, "17\n", -1, 10**70, True]


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> Shop:
    return Shop(monkeypatch)


class Asking(Actions):
    """REST as a function."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.asked: list[str] = []

    async def call(self, method: str, path: str, **_: Any) -> Any:
        self.asked.append(f"{method} {path}")
        return self.answer

    def _taker(self, id: Id) -> Any:
        return lambda order: None


@pytest.mark.parametrize("id", [0, 17, 10**20, "17", "A1", "a.b:c-d_e", "x" * 64, "..."])
def test_an_id_is_its_text(id: Id) -> None:
    assert text_of(id) == str(id)


@pytest.mark.parametrize("id", [*NO_IDS, None, 1.5, b"A1"])
def test_what_can_be_no_id_is_said_in_words(id: Any) -> None:
    with pytest.raises(ValueError, match="no order's id; give an integer from 0 up"):
        text_of(id)


@pytest.mark.parametrize("id", NO_IDS)
async def test_nothing_is_asked_for_what_can_be_no_id(shop: Shop, id: Id) -> None:
    asking = Asking({})
    for ask in (asking.get_order, asking.claim, asking.share, asking.history):
        with pytest.raises(ValueError, match="no order's id"):
            await ask(id)
    with pytest.raises(ValueError, match="no order's id"):
        await asking.put_order(id, {"customerId": 42})
    assert asking.asked == []
    async with living(shop) as it:
        with pytest.raises(ValueError, match="no order's id"):
            it.live.watch(id)
        assert it.live.connection.reason == "idle"


@pytest.mark.parametrize("answer", [None, [], {}, {"events": []}, {"orderId": 17}, order(orderId="17/x"), "<html>"])
async def test_an_answer_that_is_not_the_order_is_none(answer: Any) -> None:
    with pytest.raises(Unreachable):
        order_in(answer, "17")
    with pytest.raises(Unreachable):
        await Asking(answer).get_order(17)


@pytest.mark.parametrize("answer", [None, [], {}, {"orders": None}, {"orders": [{}]}, {"events": 3}])
async def test_what_is_no_answer_of_ordercasts_is_no_bare_error(answer: Any) -> None:
    asking = Asking(answer)
    for ask in (asking.list_orders(), asking.share(17), asking.create_order(42)):
        with pytest.raises(Unreachable, match="is the URL right"):
            await ask
    assert order_in(order(), "17")["orderId"] == 17


async def test_a_watch_waits_longer_and_longer_where_answers_are_of_something_else() -> None:
    waits: list[int] = []

    class Counted(Backoff):
        def delay(self, failures: int, random: float) -> float:
            waits.append(failures)
            return 0.0

    answers: list[Any] = [order(orderId=18), {}, [], order()]

    async def fetch(id: str) -> Mapping[str, Any]:
        answer: Json = answers.pop(0)
        return answer

    tasks = Tasks()
    watches = Watches(tasks, fetch, lambda name, id: None, lambda status: None, Counted())
    watches.resume()
    watch = OrderWatch(17, watches)
    async with asyncio.timeout(WAIT):
        assert (await watch.changed()).order_id == 17
    assert waits == [1, 2, 3]
    await tasks.close()


@pytest.mark.parametrize(
    "odd", [{}, [], {"cursor": "", "position": 1, "events": []}, {"cursor": "log.1", "events": []}]
)
async def test_who_polls_goes_on_after_an_answer_of_something_else(shop: Shop, odd: Any) -> None:
    shop.answers = [Unreachable("no")] * 2
    shop.pages.put_nowait(odd)
    shop.pages.put_nowait({"events": [], "position": 7, "cursor": "log.7"})
    async with living(shop, since="log.1") as it:
        it.live.connect()
        await it.until("polling")
        assert it.live.cursor == "log.7"
