"""Workflows: the default one, what a shop may write into its own, and what is refused with which words."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from ordercast.errors import SettingsError, TransitionNotAllowed, UnknownStatus
from ordercast.orders.models import Fulfilment, Order
from ordercast.orders.principal import STAFF, Role
from ordercast.orders.workflow import Category, Workflow, load_workflow, parse_workflow

DEFAULT = load_workflow()
DELIVERY, PICKUP = Fulfilment.DELIVERY, Fulfilment.PICKUP
NOON = datetime(2026, 2, 3, 12, tzinfo=UTC)


def order(status: str, fulfilment: Fulfilment = DELIVERY) -> Order:
    return Order(
        order_id="1",
        customer_id="42",
        fulfilment=fulfilment,
        status=status,
        version=1,
        created_at=NOON,
        status_since=NOON,
        updated_at=NOON,
    )


# -- the default one ----------------------------------------------------------------------------------------

STATUSES = {
    "received": (1, Category.OPEN),
    "accepted": (2, Category.OPEN),
    "preparing": (2, Category.OPEN),
    "ready": (3, Category.OPEN),
    "out_for_delivery": (3, Category.OPEN),
    "delivered": (4, Category.DONE),
    "collected": (4, Category.DONE),
    "rejected": (0, Category.ABORTED),
    "cancelled": (0, Category.ABORTED),
    "failed_delivery": (0, Category.ABORTED),
}
NEXT = {
    "received": ["accepted", "rejected", "cancelled"],
    "accepted": ["preparing", "cancelled"],
    "preparing": ["ready", "cancelled"],
    "out_for_delivery": ["delivered", "failed_delivery"],
    "failed_delivery": ["out_for_delivery", "cancelled"],
}


def test_default_statuses() -> None:
    assert DEFAULT.initial == "received"
    assert {s.name: (s.step, s.category) for s in DEFAULT.statuses.values()} == STATUSES
    assert list(DEFAULT.statuses) == list(STATUSES)
    assert all(status.label[0].isupper() for status in DEFAULT.statuses.values())


@pytest.mark.parametrize(("status", "fulfilment", "role"), [*product(STATUSES, Fulfilment, Role)])
def test_default_steps(status: str, fulfilment: Fulfilment, role: Role) -> None:
    ready = ["out_for_delivery" if fulfilment is DELIVERY else "collected", "cancelled"]
    expected = (NEXT | {"ready": ready}).get(status, []) if role in STAFF else []
    assert DEFAULT.next(status, fulfilment, role) == expected
    back = DEFAULT.back(status, fulfilment, role)
    for to in STATUSES:
        if to in expected:
            DEFAULT.check(order(status, fulfilment), to, role)
            continue
        with pytest.raises(TransitionNotAllowed) as caught:
            DEFAULT.check(order(status, fulfilment), to, role)
        assert caught.value.extra == {"currentStatus": status, "allowed": expected}
        if to in back:
            assert f"From '{status}' back to '{to}' is a correction: send it again with a reason" in str(caught.value)
        else:
            assert f"'{status}' cannot become '{to}'" in str(caught.value)
            assert all(name in str(caught.value) for name in expected)


def test_statuses_that_there_are_not() -> None:
    for name in ("", "Received", "lost"):
        with pytest.raises(UnknownStatus, match="received, accepted") as caught:
            DEFAULT.status(name)
        assert caught.value.extra == {"known": list(STATUSES)}
        with pytest.raises(UnknownStatus, match="received, accepted"):
            DEFAULT.check(order("ready"), name, Role.ADMIN)


def test_a_status_that_was_removed_is_off_the_progress_bar() -> None:
    workflow = load_workflow()
    assert [workflow.step(name) for name in ("received", "out_for_delivery", "cancelled")] == [1, 3, 0]
    assert workflow.step("removed") == 0


def test_described_as_json() -> None:
    described = json.loads(json.dumps(DEFAULT.describe()))
    assert described["initial"] == "received"
    assert described["statuses"][4] == {
        "name": "out_for_delivery",
        "label": "Out for delivery",
        "step": 3,
        "category": "open",
    }
    steps = [(t["from"], t["to"], t["fulfilment"]) for t in described["transitions"]]
    assert ("ready", "collected", "pickup") in steps
    assert ("ready", "cancelled", None) in steps
    assert {tuple(t["roles"]) for t in described["transitions"]} == {("admin", "operator", "service")}


# -- a shop's own -------------------------------------------------------------------------------------------

OWN = """
initial = "a"
[statuses.a]
step = 1
category = "open"
[statuses."b c"]
label = "Über"
step = 0
category = "done"
[[transitions]]
from = "a"
to = "b c"
roles = ["operator", "customer"]
"""


def test_a_workflow_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(OWN, "utf-8")
    own = load_workflow(path)
    assert [(s.name, s.label, s.step, s.category) for s in own.statuses.values()] == [
        ("a", "a", 1, Category.OPEN),
        ("b c", "Über", 0, Category.DONE),
    ]
    for role in Role:
        allowed = ["b c"] if role in (Role.OPERATOR, Role.CUSTOMER) else []
        assert own.next("a", PICKUP, role) == allowed
    with pytest.raises(TransitionNotAllowed, match=r"Nothing follows it\."):
        own.check(order("b c"), "a", Role.ADMIN)


def test_a_path_that_there_cannot_be() -> None:
    with pytest.raises(SettingsError, match=r"ORDERCAST_WORKFLOW: .* cannot be read"):
        load_workflow(Path("a\0b"))


@pytest.mark.parametrize("text", ["initial = " + "1" * 5_000, "initial = " + "[" * 3_000])
def test_toml_that_is_beyond_what_python_reads(text: str) -> None:
    with pytest.raises(SettingsError, match="is not TOML"):
        parse_workflow(text)


@pytest.mark.parametrize("content", [None, b"\xff", "folder"])
def test_files_that_cannot_be_read(tmp_path: Path, content: bytes | str | None) -> None:
    path = tmp_path / "own.toml"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content == "folder":
        path.mkdir()
    with pytest.raises(SettingsError, match=r"ORDERCAST_WORKFLOW: .*own\.toml cannot be read"):
        load_workflow(path)


def status(name: str, category: str = "open", step: str = "1") -> str:
    return f'[statuses.{name}]\nstep = {step}\ncategory = "{category}"\n'


def step(source: str, to: str, **more: str) -> str:
    extra = "".join(f"{key} = {value}\n" for key, value in more.items())
    return f'[[transitions]]\nfrom = "{source}"\nto = ["{to}"]\n{extra}'


A, B, END = status("a"), status("b"), status("end", "done")
START = 'initial = "a"\n'
SMALL = START + A + END + step("a", "end")

BAD = {
    "no TOML": ("initial = ", "is not TOML"),
    "an unknown key": ("colour = 1\n" + SMALL, "unknown key 'colour' in the file; known are corrections, initial"),
    "empty": ("", "has no statuses"),
    "no statuses": ('initial = "a"\nstatuses = {}', "has no statuses"),
    "statuses a list": ("statuses = [1]", "has no statuses"),
    "no initial": (A + END, "begins at None, which is none of its statuses; set initial to one of a, end"),
    "initial unknown": ('initial = "x"\n' + A + END, "begins at 'x'"),
    "initial a number": ("initial = 1\n" + A + END, "begins at 1"),
    "a status a text": (START + '[statuses]\na = "x"\n', "has [statuses.a] that is no table"),
    "a status with an unknown key": (SMALL.replace("step = 1", "stpe = 1", 1), "unknown key 'stpe' in [statuses.a]"),
    "a status without step": (SMALL.replace("step = 1", "", 1), "no usable step in [statuses.a]"),
    "a negative step": (START + status("a", step="-1"), "no usable step in [statuses.a]; give it a whole number"),
    "half a step": (START + status("a", step="1.5"), "no usable step in [statuses.a]"),
    "a true step": (START + status("a", step="true"), "no usable step in [statuses.a]"),
    "an empty label": (SMALL.replace("step", 'label = ""\nstep', 1), "no usable label in [statuses.a]"),
    "a number as label": (SMALL.replace("step", "label = 1\nstep", 1), "no usable label in [statuses.a]"),
    "no category": (SMALL.replace('category = "open"', "", 1), "has None as category in [statuses.a]"),
    "an unknown category": (START + status("a", "shut"), "'shut' as category in [statuses.a]; it must be one of open"),
    "a category of other type": (SMALL.replace('"open"', "[]", 1), "has [] as category"),
    "a status without name": (START + A + status('""'), "1 to 64 characters"),
    "a status with a long name": (START + A + status("x" * 65), "1 to 64 characters"),
    "transitions a table": (START + A + "[transitions]\n", "has transitions that are no list"),
    "transitions of texts": ('transitions = ["a"]\n' + START + A, "has a transition that is no table"),
    "a transition with an unknown key": (SMALL + "form = 1", "unknown key 'form' in a transition"),
    "a transition to nowhere": (START + A + '[[transitions]]\nfrom = "a"\n', "a transition from 'a' to nowhere"),
    "a transition to no status": (START + A + '[[transitions]]\nfrom = "a"\nto = []\n', "from 'a' to nowhere"),
    "a transition to a number": (START + A + '[[transitions]]\nfrom = "a"\nto = 1\n', "from 'a' to nowhere"),
    "a transition to numbers": (START + A + '[[transitions]]\nfrom = "a"\nto = [1]\n', "a transition with 1, which"),
    "a transition to the unknown": (START + A + step("a", "x"), "a transition with 'x', which is none of its statuses"),
    "a transition from the unknown": (START + A + step("x", "a"), "a transition with 'x'"),
    "a transition from nowhere": (START + A + '[[transitions]]\nto = "a"\n', "a transition with None"),
    "nobody may": (SMALL + "roles = []", "from 'a' that no role may make"),
    "a role as text": (SMALL + 'roles = "admin"', "that no role may make; list at least one"),
    "an unknown role": (SMALL + 'roles = ["chef"]', "'chef' as role of a transition from 'a'; it must be one of"),
    "an unknown fulfilment": (SMALL + 'fulfilment = "drone"', "'drone' as fulfilment of a transition from 'a'"),
    "a lost status": (SMALL + B, "has a status 'b' that no step leads to"),
    "a status that leads but is not led to": (
        START + A + B + END + step("a", "end") + step("b", "end"),
        "has a status 'b' that no step leads to",
    ),
    "a lost island": (
        START + A + B + status("c") + END + step("a", "end") + step("b", "c") + step("c", "b") + step("b", "end"),
        "has a status 'b' that no step leads to",
    ),
    "a status that only a delivered pickup would reach": (
        START + A + B + status("c") + END + step("a", "end") + step("c", "end") + step("b", "end")
        + step("a", "b", fulfilment='"delivery"') + step("b", "c", fulfilment='"pickup"'),
        "has a status 'c' that no step leads to",
    ),
    "no end": (START + A, "has a dead end: from 'a'"),
    "a dead end": (START + A + B + END + step("a", "end") + step("a", "b"), "from 'b' an order for delivery"),
    "a circle": (START + A + B + step("a", "b") + step("b", "a"), "has a dead end: from 'a'"),
    "a dead end after an end": (
        START + A + B + END + step("a", "end") + step("end", "b"), "has a dead end: from 'b'"
    ),
    "an end for one fulfilment only": (
        START + A + END + step("a", "end", fulfilment='"delivery"'), "from 'a' an order for pickup can reach nothing"
    ),
    "an end that only customers could reach": (SMALL + 'roles = ["customer"]', "'end' that no step leads to"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad(name: str) -> None:
    text, words = BAD[name]
    with pytest.raises(SettingsError) as caught:
        parse_workflow(text)
    assert str(caught.value).startswith("The workflow ")
    assert words in str(caught.value)


def test_small_is_good() -> None:
    """What most of the bad ones were made from."""
    assert parse_workflow(SMALL).next("a", PICKUP, Role.SERVICE) == ["end"]


# -- any graph ----------------------------------------------------------------------------------------------

NAMES = ("a", "b", "c", "d", "e")


@st.composite
def graphs(draw: st.DrawFn) -> str:
    names = NAMES[: draw(st.integers(1, len(NAMES)))]
    text = f'initial = "{names[0]}"\n'
    for name in names:
        text += status(name, draw(st.sampled_from([*Category])))
    targets = st.lists(st.sampled_from(names), min_size=1, max_size=3)
    for _ in range(draw(st.integers(0, 6))):
        text += f'[[transitions]]\nfrom = "{draw(st.sampled_from(names))}"\nto = {json.dumps(draw(targets))}\n'
        if fulfilment := draw(st.sampled_from([None, None, *Fulfilment])):
            text += f'fulfilment = "{fulfilment}"\n'
        if roles := draw(st.lists(st.sampled_from([*Role]), max_size=2)):
            text += f"roles = {json.dumps(roles)}\n"
    return text


def walks(workflow: Workflow, start: str, fulfilment: Fulfilment) -> set[str]:
    """Every status that an order can come to, moved by whoever may move it."""
    reached: set[str] = set()
    todo = [start]
    while todo:
        here = todo.pop()
        if here not in reached:
            reached.add(here)
            todo += [to for role in STAFF for to in workflow.next(here, fulfilment, role)]
    return reached


def faults(workflow: Workflow) -> Iterator[str]:
    seen: set[str] = set()
    for fulfilment in Fulfilment:
        here = walks(workflow, workflow.initial, fulfilment)
        seen |= here
        for name in here:
            ends = [n for n in walks(workflow, name, fulfilment) if workflow.status(n).category is not Category.OPEN]
            if not ends:
                yield f"dead end for {fulfilment} {name}"
    yield from (f"unreachable {name}" for name in workflow.statuses if name not in seen)


def refusal(text: str) -> str | None:
    """The sentence that a workflow is refused with, ``None`` where it is not."""
    try:
        parse_workflow(text)
    except SettingsError as error:
        return str(error)
    return None


@given(graphs())
def test_what_is_accepted_has_no_dead_end_and_no_status_out_of_reach(text: str) -> None:
    """And what is refused has one of them, the one that the sentence names."""
    said = refusal(text)
    event("accepted" if said is None else "refused")
    found = list(faults(unchecked(text)))
    if said is None:
        assert found == []
    else:
        kind = "dead end" if "dead end" in said else "unreachable"
        assert any(fault.startswith(kind) and f"'{fault.split()[-1]}'" in said for fault in found)


def unchecked(text: str) -> Workflow:
    """The same graph, as it would be without the check."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ordercast.orders.workflow._check_graph", lambda *graph: None)
        return parse_workflow(text)


@given(st.text())
def test_any_text(text: str) -> None:
    with pytest.raises(SettingsError):
        parse_workflow(text)


JSON = st.recursive(
    st.one_of(st.integers(-9, 9), st.booleans(), st.text("ab", max_size=2)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(NAMES), inner, max_size=3)),
    max_leaves=4,
)


def inline(value: Any) -> str:
    """A value as TOML on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {inline(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(inline, value)) + "]"
    return json.dumps(value)


@given(st.sampled_from(["step", "category", "label", "from", "to", "roles", "fulfilment", "initial"]), JSON)
def test_any_value_anywhere_is_taken_or_refused_in_a_sentence(key: str, value: Any) -> None:
    whole = {
        "initial": "a",
        "statuses": {"a": {"step": 1, "category": "open"}, "b": {"step": 1, "category": "done"}},
        "transitions": [{"from": "a", "to": "b"}],
    }
    places: list[Any] = [whole, whole["statuses"]["a"], whole["transitions"][0]]  # type: ignore[index]
    place = places[0] if key == "initial" else places[1] if key in ("step", "category", "label") else places[2]
    place[key] = value
    said = refusal("\n".join(f"{name} = {inline(part)}" for name, part in whole.items()))
    assert said is None or (said.startswith("The workflow ") and said.endswith("."))
