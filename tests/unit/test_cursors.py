"""Cursors: what is one, of which log, and what is none."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ordercast.orders.cursors import Cursor, format_cursor, parse_cursor

MAX_POSITION = 2**63 - 1  # what a database column holds

LOG_IDS = st.text("abcXYZ019_-", min_size=1, max_size=64)
POSITIONS = st.integers(0, MAX_POSITION)


@given(LOG_IDS, POSITIONS)
def test_what_is_written_is_read(log_id: str, position: int) -> None:
    assert parse_cursor(format_cursor(log_id, position)) == Cursor(log_id, position)


@given(POSITIONS)
def test_a_bare_position_is_a_number_or_its_text(position: int) -> None:
    assert parse_cursor(position) == parse_cursor(str(position)) == Cursor(None, position)


@pytest.mark.parametrize(
    ("value", "cursor"),
    [
        (0, Cursor(None, 0)),
        ("007", Cursor(None, 7)),
        ("123.4", Cursor("123", 4)),
        ("-_-.4", Cursor("-_-", 4)),
        (2**63 - 1, Cursor(None, 2**63 - 1)),
        (f"log.{2**63 - 1}", Cursor("log", 2**63 - 1)),
    ],
)
def test_cursors(value: object, cursor: Cursor) -> None:
    assert parse_cursor(value) == cursor


NO_CURSORS: list[Any] = [
    *("", " ", ".", "log.", ".5", "log", "log.-1", "-1", "+1", "1.5.2", "a b.1", "log.1\n", "log. 1", "log.1 ", "ü.1"),
    *("٣", "log.٣", "1e3", "0x10", f"{2**63}", f"log.{2**63}", "log." + "9" * 19, "9" * 5_000, "x" * 65 + ".1"),
    *(-1, 2**63, 10**5_000, True, False, 1.0, float("nan"), None, [], [1], {}, {"position": 1}, b"1", b"log.1"),
]


@pytest.mark.parametrize("value", NO_CURSORS, ids=lambda value: repr(value)[:20] if type(value) is not int else "int")
def test_no_cursors(value: object) -> None:
    with pytest.raises(ValueError, match=r"^not a cursor$"):
        parse_cursor(value)


@given(st.text() | st.integers() | st.floats() | st.binary() | st.none() | st.lists(st.integers()))
def test_nothing_else_is_ever_raised(value: object) -> None:
    try:
        cursor = parse_cursor(value)
    except ValueError:
        return
    assert 0 <= cursor.position <= MAX_POSITION


def test_whose_it_is() -> None:
    assert Cursor("here", 1).of("here")
    assert not Cursor("there", 1).of("here")
    assert Cursor(None, 1).of("here")
