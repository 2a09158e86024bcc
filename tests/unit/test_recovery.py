"""Pids: signed, bound to a user, never a reason to raise."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ordercast.live.recovery import Pid, Pids
from ordercast.orders.cursors import format_cursor

PIDS = Pids("a secret key of the tests that is long enough")


@given(st.from_regex(r"[A-Za-z0-9_.:-]{1,64}", fullmatch=True), st.integers(0, 2**63 - 1))
def test_a_pid_says_what_it_was_issued_with(user: str, position: int) -> None:
    cursor = format_cursor("log-1", position)
    pid = PIDS.issue(user, cursor)
    assert PIDS.read(pid) == Pid(user, cursor)
    assert PIDS.issue(user, cursor) != pid
    assert Pids("another key, of another installation, as long").read(pid) is None


@given(st.data())
def test_a_pid_that_was_touched_is_none(data: st.DataObject) -> None:
    pid = PIDS.issue("42", "log.17")
    at = data.draw(st.integers(0, len(pid) - 1))
    other = data.draw(st.characters(codec="utf-8").filter(lambda c: c != pid[at]))
    assert PIDS.read(pid[:at] + other + pid[at + 1 :]) is None
    assert PIDS.read(pid[:at]) is None


@pytest.mark.parametrize("value", [None, 17, True, [], {}, b"x", "", ".", "a.b", "é.é", "x" * 10_000, "\x00"])
def test_what_is_no_pid(value: object) -> None:
    assert PIDS.read(value) is None
