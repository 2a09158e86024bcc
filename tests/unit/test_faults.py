"""What `tests.faults` measures with, on histories made by hand."""

from __future__ import annotations

import pytest

from tests.faults.bus import Replies
from tests.faults.health import NO_ANSWER, READY, Said, Worst, during
from tests.faults.measure import longest_pause, recoveries
from tests.histories import Entry, Log, Record
from tests.survive import Moment

REPLIES = (
    b"+OK\r\n",
    b":12\r\n",
    b"-ERR no\r\n",
    b"$-1\r\n",
    b"*-1\r\n",
    b"*0\r\n",
    b"$4\r\n\r\n\r\n\r\n",
    b"*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$5\r\n*1\r\n+\r\n",
    b"*2\r\n*2\r\n:1\r\n:2\r\n$0\r\n\r\n",
)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1_000])
def test_replies_come_whole_however_they_were_cut(size: int) -> None:
    data, replies = b"".join(REPLIES), Replies()
    found = [reply for start in range(0, len(data), size) for reply in replies.feed(data[start : start + size])]
    assert tuple(found) == REPLIES


# -- recovery -------------------------------------------------------------------------------------------------

LOG = Log([Entry(1, "7", 1, "received", "42"), Entry(2, "7", 2, "accepted", "42"), Entry(3, "7", 3, "ready", "42")])
OUTAGE = Moment("outage", 100.0, 103.0, 2)


def of(what: str, at: float, **more: object) -> Record:
    return {"client": "c", "what": what, "at": at * 1e3, **more}


def heard(version: int, at: float) -> Record:
    return of("event", at, event="order:updated", orderId=7, version=version, position=version)


HELLO = of("hello", 90, user=42, role="customer", watches=[])
SNAPSHOT = of("snapshot", 91, orders=[{"orderId": 7, "version": 1, "status": "received"}])
ACKNOWLEDGED = [{"orderId": 7, "version": n, "at": at * 1e3} for n, at in ((1, 80), (2, 101), (3, 104))]


def test_who_had_everything_and_was_there_needed_no_time() -> None:
    history = [HELLO, of("connect", 90), SNAPSHOT, heard(2, 101.5), heard(3, 104.25)]
    (found,) = recoveries(LOG, ACKNOWLEDGED, history, [OUTAGE])
    assert (found.everyone, found.fresh, found.waited) == (0, 1.25, 0.5)


def test_what_came_late_counts() -> None:
    history = [HELLO, of("connect", 90), SNAPSHOT, heard(2, 105), heard(3, 105)]
    (found,) = recoveries(LOG, ACKNOWLEDGED, history, [OUTAGE])
    assert (found.everyone, found.fresh, found.waited) == (2, 2, 4)


def test_and_who_came_back_late() -> None:
    history = [HELLO, of("connect", 90), SNAPSHOT, heard(2, 101.5), of("disconnect", 102), of("connect", 107)]
    (found,) = recoveries(LOG, ACKNOWLEDGED, [*history, heard(3, 107)], [OUTAGE])
    assert (found.everyone, found.fresh) == (4, 4)


def test_and_what_never_came() -> None:
    (found,) = recoveries(LOG, ACKNOWLEDGED, [HELLO, of("connect", 90), SNAPSHOT], [OUTAGE])
    assert (found.everyone, found.fresh) == (float("inf"), float("inf"))


def test_a_pause_counts_from_shortly_before_the_fault() -> None:
    times = [{"at": at * 1e3} for at in (50, 99.5, 100, 102.5, 103)]
    assert longest_pause(times, [OUTAGE]) == 2.5


# -- what nodes say -------------------------------------------------------------------------------------------


def test_the_slowest_node_counts_and_the_last_to_be_ready() -> None:
    said = [Said(90, node, READY) for node in range(3)]
    said += [Said(101, 0, NO_ANSWER), Said(102, 1, "degraded"), Said(102.5, 0, "degraded")]
    said += [Said(103.5, 1, READY), Said(104, 0, READY), Said(110, 2, NO_ANSWER)]
    assert during(said, OUTAGE) == ([Worst(NO_ANSWER, 1, 1), Worst("degraded", 2.5, 2)], 1)


def test_who_is_ready_throughout_says_nothing_else() -> None:
    assert during([Said(90, 0, READY), Said(120, 0, NO_ANSWER)], OUTAGE) == ([], 0)
