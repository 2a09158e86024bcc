"""Times, as our JSON and the database keep them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ordercast.orders import models
from ordercast.orders.models import iso, now, to_utc

HALF_HOUR_EAST = timezone(timedelta(hours=5, minutes=30))


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        (datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC), "2026-02-03T04:05:06.000Z"),
        (datetime(2026, 2, 3, 4, 5, 6, 7_000, tzinfo=UTC), "2026-02-03T04:05:06.007Z"),
        (datetime(2026, 2, 3, 4, 5, 6, 999_999, tzinfo=UTC), "2026-02-03T04:05:06.999Z"),
        (datetime(2026, 1, 1, 2, 0, tzinfo=HALF_HOUR_EAST), "2025-12-31T20:30:00.000Z"),
        (datetime(1969, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC), "1969-12-31T23:59:59.999Z"),
        # Four digits for the year (RFC 3339, section 5.6), whatever the C library thinks of early ones.
        (datetime(1, 1, 1, tzinfo=UTC), "0001-01-01T00:00:00.000Z"),
        (datetime(987, 6, 5, tzinfo=UTC), "0987-06-05T00:00:00.000Z"),
        (datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC), "9999-12-31T23:59:59.999Z"),
    ],
)
def test_iso(time: datetime, expected: str) -> None:
    assert iso(time) == expected


@given(st.datetimes(timezones=st.just(UTC)))
def test_iso_reads_back_and_sorts_like_time(time: datetime) -> None:
    text = iso(time)
    assert len(text) == len("2026-02-03T04:05:06.007Z")
    assert datetime.fromisoformat(text) == to_utc(time)
    assert timedelta() <= time - to_utc(time) < timedelta(milliseconds=1)


def test_now_is_utc_in_whole_milliseconds(monkeypatch: pytest.MonkeyPatch) -> None:
    class Stopped(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Stopped:
            return cls(2026, 2, 3, 4, 5, 6, 789_999, tzinfo=tz)

    monkeypatch.setattr(models, "datetime", Stopped)
    assert now() == datetime(2026, 2, 3, 4, 5, 6, 789_000, tzinfo=UTC)
    assert now().tzinfo is UTC


def test_now_is_this_moment() -> None:
    before = datetime.now(UTC)
    time = now()
    assert before - timedelta(milliseconds=1) < time <= datetime.now(UTC)


def test_to_utc() -> None:
    time = datetime(2026, 1, 1, 2, 0, 0, 1_999, tzinfo=HALF_HOUR_EAST)
    assert to_utc(time) == datetime(2025, 12, 31, 20, 30, 0, 1_000, tzinfo=UTC)
    assert to_utc(time).tzinfo is UTC
    with pytest.raises(OverflowError):
        to_utc(datetime(1, 1, 1, tzinfo=HALF_HOUR_EAST))
