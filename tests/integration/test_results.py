"""The recipe's results in little: everybody contacted once, all counted, nothing missing. No speed is asked for."""

from __future__ import annotations

import pytest

from bench.results import model
from bench.results.model import Moment
from bench.results.plan import Plan
from bench.results.run import Measured, measure

PLAN = Plan(4, operators=6, team=2, rate=180, interval=1)


@pytest.fixture(autouse=True)
def quick_people(monkeypatch: pytest.MonkeyPatch) -> None:
    """People who need a tenth of the time, for a test that many wait for."""
    for name in ("NOTICE", "REACH", "TALK"):
        slow: Moment = getattr(model, name)
        monkeypatch.setattr(model, name, Moment(slow.median / 10, slow.sigma))
    model.pace.cache_clear()


def whole(run: Measured) -> None:
    """What holds of any run. `measure` has failed already where an order or a screen was left out."""
    assert len(run.contacts) == len(run.reactions) == PLAN.orders
    moved = len(PLAN.stream) - PLAN.orders
    assert run.events == 3 * PLAN.orders + moved  # created, claimed, contacted
    assert len(run.updates) == run.events * PLAN.operators
    assert all(contact > reaction > 0 for contact, reaction in zip(run.contacts, run.reactions, strict=True))
    assert run.requests["POST"] > 0
    assert run.cpu > 0


def test_polling_screens_see_all_and_ask_for_it() -> None:
    run = measure(PLAN, live=False, patience=60)
    whole(run)
    assert run.requests["GET"] >= 60 * PLAN.operators / 2  # half of what they ask, should the machine be busy


def test_live_screens_see_all_and_never_ask() -> None:
    told: list[int] = []
    run = measure(PLAN, live=True, tell=lambda seconds, contacted: told.append(contacted), patience=60)
    whole(run)
    assert "GET" not in run.requests
    assert told[0] == 0
    assert told[-1] == PLAN.orders
