"""The checker of histories: a correct one has no violation, and each kind of fault is reported as what it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.histories import Findings, read
from tests.played import World, a_day


def test_a_day_without_a_fault_has_none() -> None:
    world = a_day()
    findings = world.end()
    assert findings.violations == []
    assert (findings.connections, findings.repeats, findings.caught_up) == (5, 0, 1)
    assert findings.heard == len([r for r in world.records if r["what"] == "event"])


steps = st.lists(
    st.tuples(st.sampled_from(["change"] * 6 + ["cut", "torn", "back"]), st.integers(0, 3)), min_size=1, max_size=80
)


@given(steps)
def test_nothing_is_found_where_everyone_gets_theirs(moves: list[tuple[str, int]]) -> None:
    world = a_day()
    for move, which in moves:
        client = list(world.online)[which]
        if move == "change":
            world.change(str(which % 3 + 1))
        elif move == "back" and not world.online[client]:
            world.connect(client)
        elif move == "cut" and world.online[client]:
            world.disconnect(client)
        elif move == "torn" and world.online[client]:  # the event arrives, the cursor behind it does not
            world.online[client] = False
            entry = world.change(str(which % 3 + 1))
            world.tell(client, entry, closed=False)
            world.disconnect(client)
    assert world.end().violations == []


def test_what_comes_again_after_a_reconnect_is_counted_and_no_fault() -> None:
    world = a_day()
    world.online["bob"] = False
    world.tell("bob", world.change("2"), closed=False)
    world.disconnect("bob")
    assert world.end() == replace(world.check(), violations=[], repeats=1)


# -- faults, put into a day that had none -----------------------------------------------------------------


def lost_acknowledgement(world: World) -> str:
    world.acknowledged.append({"writer": "w", "orderId": "1", "version": 99, "status": "ready"})
    return "order 1 version 99 was acknowledged as ready and is not in the log"


def other_status(world: World) -> str:
    world.acknowledged[3]["status"] = "ready"
    return "order 1 version 2 was acknowledged as ready and is accepted in the log"


def other_position(world: World) -> str:
    world.acknowledged[3]["position"] = 1
    return "order 1 version 2 was acknowledged at position 1 and is at 4 in the log"


def hole_in_positions(world: World) -> str:
    world.log = [replace(e, position=e.position + (e.position > 5)) for e in world.log]
    return "the log has position 7 where 6 belongs"


def hole_in_versions(world: World) -> str:
    world.log[-1] = replace(world.log[-1], version=5)
    return "order 1 has the versions [1, 2, 3, 5] in the log"


def lost_at_the_end(world: World) -> str:
    del world.records[world.events("ann")[-1]]
    return "ann is at the end and has never heard of order 1 version [4]"


def lost_in_the_middle(world: World) -> str:
    del world.records[world.events("bob")[0]]
    return "bob is at the end and has never heard of order 2 version [2]"


def replay_skipped(world: World) -> str:
    missed = world.events("ann")[2]
    assert world.records[missed - 1]["what"] == "connect"
    del world.records[missed : missed + 2]
    return "ann was told to be caught up at position 8 and has never heard of order 1 version [3]"


def cursor_too_far(world: World) -> str:
    (back,) = [r for r in world.records if r["client"] == "ann" and r.get("since") is not None]
    back["since"] = "log.7"
    return "ann came back with position 7 and has never heard of order 1 version [3]"


def twice(world: World) -> str:
    last = world.events("op")[-1]
    world.records.insert(last + 1, world.records[last] | {"applied": False})
    return "op heard order:status_changed of order 1 version 4 twice in one connection"


def again_after_its_cursor(world: World) -> str:
    _first, second, missed, _ = world.events("ann")
    world.records.insert(missed, world.records[second] | {"applied": False})
    return "ann heard order:updated of order 3 version 2 at position 6, which it had reached (cursor 6, caught up at 0)"


def applied_twice(world: World) -> str:
    last = world.events("ann")[-1]
    world.records[last + 2 : last + 2] = [
        {"client": "ann", "what": "disconnect"},
        {"client": "ann", "what": "connect", "since": "log.8"},
        world.records[last],
    ]
    return "ann applied order:updated of order 1 version 4 after version 4"


def reordered(world: World) -> str:
    first, second = world.events("op")[-2:]
    world.records[first], world.records[second] = world.records[second], world.records[first]
    return "op heard order:status_changed of order 2 version 3 at position 8 after position 9"


def foreign_event(world: World) -> str:
    last = world.events("ann")[-1]
    world.records.append(world.records[last] | {"client": "bob"})
    return "bob heard order:updated of order 1 version 4 of customer ann, which it may not see"


def foreign_to_a_watcher(world: World) -> str:
    last = world.events("ann")[-1]
    world.records.append(world.records[last] | {"client": "backend"})
    return "backend heard order:updated of order 1 version 4 of customer ann, which it may not see"


def operators_event(world: World) -> str:
    last = world.events("op")[-1]
    world.records.append(world.records[last] | {"client": "ann"})
    return "ann heard order:status_changed of order 1 version 4 of customer ann, which it may not see"


def foreign_snapshot(world: World) -> str:
    world.say("bob", "snapshot", orders=[{"orderId": 1, "version": 1, "status": "received"}])
    return "bob was shown order 1 by a snapshot, which it may not see"


def never_written(world: World) -> str:
    world.records[world.events("op")[-1]]["version"] = 5
    return "op heard order:status_changed of order 1 version 5, which is not in the log"


def other_content(world: World) -> str:
    world.records[world.events("op")[-1]]["status"] = "received"
    return "op heard order:status_changed of order 1 version 4 as received, and it is ready in the log"


def other_place(world: World) -> str:
    world.records[world.events("op")[-1]]["position"] = 8
    return "op heard order:status_changed of order 1 version 4 at position 8, and it is at 9 in the log"


def wrong_snapshot(world: World) -> str:
    world.say("ann", "snapshot", orders=[{"orderId": 1, "version": 1, "status": "ready"}])
    return "ann was shown order 1 version 1 as ready by a snapshot; the log has received"


def stale_watcher(world: World) -> str:
    del world.records[world.events("backend")[-1]]
    return "backend ends with order 2 as accepted version 2; the log has ('preparing', 3)"


def ignored(world: World) -> str:
    world.records[world.events("ann")[-1]]["applied"] = False
    return "ann ends with order 1 as preparing version 3; the log has ('ready', 4)"


FAULTS: list[Callable[[World], str]] = [
    lost_acknowledgement,
    other_status,
    other_position,
    hole_in_positions,
    hole_in_versions,
    lost_at_the_end,
    lost_in_the_middle,
    replay_skipped,
    cursor_too_far,
    twice,
    again_after_its_cursor,
    applied_twice,
    reordered,
    foreign_event,
    foreign_to_a_watcher,
    operators_event,
    foreign_snapshot,
    never_written,
    other_content,
    other_place,
    wrong_snapshot,
    stale_watcher,
    ignored,
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_a_fault_is_reported(fault: Callable[[World], str]) -> None:
    world = a_day()
    expected = fault(world)
    assert expected in world.end().violations


def test_a_cursor_behind_a_newer_one_is_counted() -> None:
    world = a_day()
    world.say("op", "position", cursor="log.3")
    assert world.end() == replace(world.check(), violations=[], cursors_back=1)


def far_behind(*, newest: bool) -> Findings:
    """The operator is away for 2,000 changes and gets every fifth of them, or the newest ones too."""
    world = a_day()
    world.disconnect("op")
    for _ in range(2_000):
        world.change("1")
    world.connect("op")
    missed = [index for index in world.events("op") if world.records[index]["position"] > 9]
    drop = {*missed[:-1]}.difference(missed[:-1:5]) | (set() if newest else {missed[-1]})
    world.records = [record for i, record in enumerate(world.records) if i not in drop]
    return world.end()


def test_a_client_that_is_far_behind_may_get_the_newest_of_an_order_only() -> None:
    findings = far_behind(newest=True)
    assert findings.violations == []
    assert findings.conflated > 1_500


def test_the_newest_of_an_order_is_never_dropped() -> None:
    assert len(far_behind(newest=False).violations) == 2


def test_a_client_that_did_not_come_to_an_end_is_reported() -> None:
    assert "op did not come to an end" in a_day().check().violations


@settings(max_examples=200)
@given(steps, st.data())
def test_any_event_that_is_taken_out_is_missed(moves: list[tuple[str, int]], data: st.DataObject) -> None:
    world = a_day()
    for move, which in moves:
        client = list(world.online)[which]
        if move == "change":
            world.change(str(which % 3 + 1))
        elif move == "back" and not world.online[client]:
            world.connect(client)
        elif move == "cut" and world.online[client]:
            world.disconnect(client)
    # Not the watcher's: the snapshot that it gets when it comes back stands in for what it missed.
    events = [index for client in ("ann", "bob", "op") for index in world.events(client)]
    del world.records[data.draw(st.sampled_from(events))]
    assert len(world.end().violations) >= 1


def test_histories_are_read_line_by_line() -> None:
    assert read(['{"client": "a", "what": "end"}\n', "\n"]) == [{"client": "a", "what": "end"}]
