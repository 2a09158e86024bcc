"""`ordercast.client.merge`: whatever comes, in whatever order, however often, is the server's own state in the end."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from functools import reduce
from typing import Any, Literal

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from ordercast.client.merge import NOTHING, Known
from tests.harness import Json

ANY_TIME = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # the machine may be busy
STEPS = {"received": 1, "accepted": 2, "ready": 3, "delivered": 4}


@dataclass(frozen=True)
class Piece:
    """One thing that a client may hear, and the version it tells of."""

    version: int
    kind: Literal["snapshot", "event", "glimpse"]
    into: Callable[[Known], Known]


@dataclass(frozen=True)
class Life:
    """``states[v - 1]``: the order at version v, as REST gives it; ``events[v - 2]``: what announced version v;
    ``others``: snapshots and glimpses of every version."""

    states: list[Json]
    events: list[list[Piece]]
    others: list[Piece]


def order(version: int = 1, **fields: Any) -> Json:
    made = {"orderId": 17, "status": "received", "step": 1, "note": None, "claimedBy": None, "version": version}
    at = "2026-01-01T00:00:00.000Z"
    return {**made, "statusSince": at, "updatedAt": at, **fields}


def snapshot(of: Json) -> Piece:
    return Piece(of["version"], "snapshot", lambda known: known.with_snapshot(of))


def announced(of: Json) -> Piece:
    return Piece(of["version"], "event", lambda known: known.with_event(of))


def glimpse(of: Json) -> Piece:
    return Piece(of["version"], "glimpse", lambda known: known.with_glimpse(of))


changes = st.fixed_dictionaries(
    {},
    optional={"status": st.sampled_from(list(STEPS)), "note": st.text(max_size=3), "claimedBy": st.integers(0, 3)},
).filter(bool)


@st.composite
def lives(draw: st.DrawFn) -> Life:
    """What a server does with an order: each change is a version, announced by one event or by two."""
    states, events = [order()], []
    for version, change in enumerate(draw(st.lists(changes, max_size=8)), 2):
        place = {"orderId": 17, "version": version, "position": version}
        fields = {name: value for name, value in change.items() if name != "status"}
        moved: Json = {}
        told = []
        if "status" in change:
            status = str(change["status"])
            at = f"2026-01-01T00:00:0{version}.000Z"
            told.append(announced({"status": status, "updatedAt": at, **place}))
            moved = {"status": status, "step": STEPS[status], "statusSince": at, "updatedAt": at}
        if fields:
            told.append(announced({"changes": fields, **place}))
        states.append({**states[-1], **moved, **fields, "version": version})
        events.append(told)
    return Life(states, events, [make(state) for state in states for make in (snapshot, glimpse)])


@st.composite
def hearings(draw: st.DrawFn) -> tuple[Life, list[Piece], list[Piece]]:
    """Some of what could be heard, some of it more than once, in two orders. The two events of a version come both."""
    life = draw(lives())
    groups = [*life.events, *([piece] for piece in life.others)]
    chosen = draw(st.lists(st.sampled_from(groups), max_size=2 * len(groups)))
    pieces = [piece for group in chosen for piece in group]
    return life, draw(st.permutations(pieces)), draw(st.permutations(pieces))


Hearing = tuple[Life, list[Piece], list[Piece]]


def all_of(pieces: list[Piece], known: Known = NOTHING) -> Known:
    return reduce(lambda now, piece: piece.into(now), pieces, known)


@ANY_TIME
@given(hearings())
def test_it_ends_in_the_same_state(hearing: Hearing) -> None:
    _, heard, again = hearing
    assert all_of(again) == all_of(heard)


@ANY_TIME
@given(hearings())
def test_it_changes_nothing_when_it_comes_once_more(hearing: Hearing) -> None:
    _, heard, again = hearing
    known = all_of(heard)
    assert all_of(again, known) == known


@ANY_TIME
@given(hearings())
def test_it_never_goes_back_to_an_older_version_in_any_field(hearing: Hearing) -> None:
    known = NOTHING
    for piece in hearing[1]:
        now = piece.into(known)
        assert now.version == max(known.version, piece.version)
        assert now.whole >= known.whole
        assert all(now.of[name] >= version for name, version in known.of.items())
        known = now


@settings(ANY_TIME, max_examples=500)
@given(hearings())
def test_it_is_the_servers_own_state_where_it_says_that_it_is_whole_and_says_so_where_it_can_be(
    hearing: Hearing,
) -> None:
    life, heard, _ = hearing
    known = all_of(heard)
    newest = max((piece.version for piece in heard), default=0)
    event(f"whole: {known.is_complete}")
    if known.is_complete:
        assert known.order(STEPS.get) == life.states[newest - 1]
    reach = base = max((piece.version for piece in heard if piece.kind == "snapshot"), default=0)
    told = {piece.version for piece in heard if piece.kind == "event"}
    while base > 0 and reach + 1 in told:
        reach += 1
    assert known.is_complete == (base > 0 and reach >= newest)


@ANY_TIME
@given(hearings())
def test_it_is_whole_after_a_snapshot_of_the_newest_version_whatever_was_missed(hearing: Hearing) -> None:
    life, heard, _ = hearing
    known = all_of(heard).with_snapshot(life.states[-1])
    assert known.is_complete
    assert known.order(STEPS.get) == life.states[-1]


SNAPSHOT = NOTHING.with_snapshot(order(3))


def accepted(version: int) -> Json:
    at = "2026-01-01T00:01:00.000Z"
    return {"orderId": 17, "status": "accepted", "updatedAt": at, "version": version, "position": version}


def test_a_snapshot_wins_over_an_event_of_its_own_version_that_carries_a_value_from_later_on() -> None:
    whole = order(3, note="then")
    event = {"orderId": 17, "changes": {"note": "later"}, "version": 3, "position": 3}
    for known in (NOTHING.with_snapshot(whole).with_event(event), NOTHING.with_event(event).with_snapshot(whole)):
        assert known.order() == whole


def test_a_status_after_a_gap_shows_and_something_is_known_to_be_missing() -> None:
    known = SNAPSHOT.with_event(accepted(5))
    shown = known.order()
    assert shown is not None
    assert (shown["status"], shown["version"]) == ("accepted", 5)
    assert not known.is_complete
    assert known.with_event({"orderId": 17, "changes": {"note": "ring"}, "version": 4, "position": 4}).is_complete


def test_there_is_no_order_before_a_snapshot_and_none_of_a_glimpse_alone() -> None:
    assert NOTHING.with_event(accepted(1)).order() is None
    assert NOTHING.with_glimpse(accepted(1)).order() is None
    assert not NOTHING.with_event(accepted(1)).is_complete


def test_a_glimpse_is_not_all_of_its_version() -> None:
    assert not SNAPSHOT.with_glimpse(accepted(4)).is_complete


def test_the_position_is_no_part_of_an_order_that_was_announced() -> None:
    shown = NOTHING.with_snapshot({**order(), "position": 9}).order()
    assert shown is not None
    assert "position" not in shown


def test_what_was_given_is_not_changed() -> None:
    before = deepcopy(SNAPSHOT)
    SNAPSHOT.with_event(accepted(4))
    assert before == SNAPSHOT
