"""How live the Python client is, how long it waits, where it is in the log: all pure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ordercast.client import OrdercastClient
from ordercast.client.arrivals import Arrivals
from ordercast.client.backoff import Backoff
from ordercast.client.connection import IDLE, Connection, ended_by
from ordercast.client.cursors import moved_to, newest, placed, read
from ordercast.client.following import Events
from ordercast.client.rest import Rest

ANY_TIME = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # the machine may be busy
T1 = datetime(2026, 1, 1, tzinfo=UTC)
T2 = T1 + timedelta(minutes=1)

HAPPENINGS: dict[str, Callable[[Connection], Connection]] = {
    "connected": lambda state: state.connected(),
    "synced": lambda state: state.synced(T2),
    "lost": lambda state: state.lost(T2),
    "polled": lambda state: state.polled(T2),
    "unreachable": lambda state: state.failed("unreachable"),
    "token": lambda state: state.failed("token"),
    "revoked": lambda state: state.ended("revoked", T2),
}

LIVE = Connection("live", T1)
RESUMING = Connection("resuming", T1)
POLLING = Connection("polling", T1)
OFFLINE = Connection("offline", T1, "unreachable", retrying=True)


@pytest.mark.parametrize(
    ("before", "happening", "after"),
    [
        (RESUMING, "connected", RESUMING),
        (OFFLINE, "connected", RESUMING),
        (POLLING, "connected", POLLING),  # up to date until the socket is
        (RESUMING, "synced", Connection("live", T2)),
        (POLLING, "synced", Connection("live", T2)),
        (LIVE, "lost", Connection("resuming", T2)),  # all there was, up to when it was last heard
        (POLLING, "lost", POLLING),
        (RESUMING, "polled", Connection("polling", T2)),
        (OFFLINE, "polled", Connection("polling", T2)),
        (RESUMING, "unreachable", OFFLINE),
        (RESUMING, "token", Connection("offline", T1, "token", retrying=True)),
        (LIVE, "revoked", Connection("offline", T2, "revoked")),
        (RESUMING, "revoked", Connection("offline", T1, "revoked")),
    ],
)
def test_one_thing_after_the_other(before: Connection, happening: str, after: Connection) -> None:
    assert HAPPENINGS[happening](before) == after


@ANY_TIME
@given(st.lists(st.sampled_from(sorted(HAPPENINGS))), st.booleans())
def test_what_comes_after_the_end_changes_nothing_but_being_told_to_connect(late: list[str], refused: bool) -> None:
    over = RESUMING.ended("new_login", T1) if refused else IDLE
    state = over
    for happening in late:
        state = HAPPENINGS[happening](state)
    assert state == over
    assert state.opening().status == "resuming"
    assert state.ended("closed", T2).reason == "closed"


@ANY_TIME
@given(st.lists(st.sampled_from(sorted(set(HAPPENINGS) - {"revoked"}))))
def test_it_goes_on_trying_until_told_otherwise(happenings: list[str]) -> None:
    state = IDLE.opening()
    for happening in happenings:
        state = HAPPENINGS[happening](state)
        assert not state.is_over
        assert (state.reason is not None) == (state.status == "offline")


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("new_login", "new_login"),
        ("revoked", "revoked"),
        ("Token expired", "token_expired"),
        ("Invalid token", "unauthorized"),
        ("Authentication required", "unauthorized"),
        ("shutting down", None),
    ],
)
def test_which_words_are_the_end(words: str, reason: str | None) -> None:
    assert ended_by(words) == reason


@ANY_TIME
@given(st.integers(0, 10_000), st.floats(0, 1))
def test_waiting_doubles_up_to_a_limit_and_half_of_it_is_chance(failures: int, random: float) -> None:
    backoff = Backoff(0.5, 30)
    wait = backoff.delay(failures, random)
    full = min(30, 0.5 * 2 ** min(max(failures - 1, 0), 10))
    assert full / 2 <= wait <= full
    assert backoff.delay(failures, 0) == full / 2


def test_cursors() -> None:
    assert newest(None, "a.5") == "a.5"
    assert newest("a.7", "a.5") == "a.7"
    assert newest("a.7", "b.5") == "b.5", "of another log: the newer one"
    assert placed("x.y.7", 9) == "x.y.9"
    assert moved_to("a.7", 9) == "a.9"
    assert moved_to("a.7", 5) == "a.7"
    assert moved_to(None, 5) is None
    assert moved_to("12", 15) is None, "which log is not known"


@ANY_TIME
@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 5)), max_size=30))
def test_what_arrives_in_order_is_told_once(events: list[tuple[str, int]]) -> None:
    arrivals, told = Arrivals(), []
    for name, position in sorted(events, key=lambda e: e[1]) + events:
        after = arrivals.with_event(name, position)
        if after is not None:
            arrivals = after
            told.append((name, position))
    assert sorted(told) == sorted(set(events))


@pytest.mark.parametrize("stored", ["log.5", "log.5\n", 0, "0", "a-B_9.12"])
def test_a_stored_cursor_is_taken_as_it_was_given(stored: str | int) -> None:
    assert read(stored) == str(stored).strip()


@pytest.mark.parametrize("stored", ["", "\n", "log.", "log", ".5", "log.5.6x", "a b.5", -1, True, "log.x"])
def test_what_is_no_cursor_is_said_before_anything_is_asked(stored: str | int) -> None:
    with pytest.raises(ValueError, match="is no cursor; give one as it was given"):
        read(stored)
    with pytest.raises(ValueError, match="is no cursor"):
        Events(cast("Rest", None), Backoff(), stored)
    with pytest.raises(ValueError, match="is no cursor"):
        OrdercastClient("http://127.0.0.1", "t", since=str(stored))


@pytest.mark.parametrize("said", ["", "x", "log.x"])
def test_what_the_server_says_that_is_no_cursor_is_kept_by_nobody(said: str) -> None:
    for kept in (None, "log.1"):
        with pytest.raises(ValueError, match="invalid literal"):
            newest(kept, said)
