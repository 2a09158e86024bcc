"""The statuses an order can have and the steps between them: data, checked once at start."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar

from ordercast.errors import ReasonNeeded, SettingsError, TransitionNotAllowed, UnknownStatus
from ordercast.orders.models import Fulfilment, Order
from ordercast.orders.principal import OPERATORS, STAFF, Role

Kind = TypeVar("Kind", bound=StrEnum)


class Category(StrEnum):
    """Whether someone still has to act, and if not, how it went."""

    OPEN = "open"
    DONE = "done"
    ABORTED = "aborted"


@dataclass(frozen=True, slots=True)
class Status:
    """``step`` is where a customer sees the order on a progress bar; 0 is off it."""

    name: str
    label: str
    step: int
    category: Category


@dataclass(frozen=True, slots=True)
class Transition:
    """One allowed step. ``fulfilment`` ``None``: for every order."""

    source: str
    target: str
    roles: frozenset[Role]
    fulfilment: Fulfilment | None

    def fits(self, fulfilment: Fulfilment, role: Role) -> bool:
        """Whether the step is for such an order and such a caller."""
        return role in self.roles and self.fulfilment in (None, fulfilment)


class Workflow:
    """Statuses and transitions that fit together; made by `parse_workflow`. ``names`` are the shop's own words for
    the statuses (`with_names`)."""

    def __init__(
        self,
        initial: str,
        statuses: Mapping[str, Status],
        transitions: Iterable[Transition],
        corrections: bool = True,
        names: Mapping[str, str] | None = None,
    ) -> None:
        self.initial = initial
        self.statuses = dict(statuses)
        self.transitions = tuple(transitions)
        self.corrections = corrections
        """Whether operators may take a step back, with a reason."""
        self.names = dict(names or {})

    def status(self, name: str) -> Status:
        """The status of this name, ours or the shop's. Raises `UnknownStatus`, which lists the known ones."""
        found = self.statuses.get(self.names.get(name, name))
        if found is None:
            known = [*self.statuses, *(theirs for theirs in self.names if theirs not in self.statuses)]
            raise UnknownStatus(f"There is no status '{name}'. Known are: {', '.join(known)}.", known=known)
        return found

    def step(self, name: str) -> int:
        """Where a customer sees a status on the progress bar: 0, off it, for one that the workflow has no longer.

        Orders outlive workflows: one that is still in a status that was removed is shown, with that status.
        """
        status = self.statuses.get(name)
        return 0 if status is None else status.step

    def next(self, status: str, fulfilment: Fulfilment, role: Role) -> list[str]:
        """The statuses that this caller may move such an order to, in the workflow's order."""
        return [t.target for t in self.transitions if t.source == status and t.fits(fulfilment, role)]

    def back(self, status: str, fulfilment: Fulfilment, role: Role) -> list[str]:
        """The statuses that this caller may move such an order back to, as a correction: those from which the caller
        may take the step to where it is now."""
        if not self.corrections or role not in OPERATORS:
            return []
        sources = (t.source for t in self.transitions if t.target == status and t.fits(fulfilment, role))
        return [*dict.fromkeys(source for source in sources if source != status)]

    @property
    def closed(self) -> frozenset[str]:
        """The statuses in which nobody has to act on an order any more."""
        return frozenset(status.name for status in self.statuses.values() if status.category is not Category.OPEN)

    def waits_in(self, status: str) -> bool:
        """Whether an order in this status still waits for someone: it is open, or can move on from there."""
        known = self.statuses.get(status)
        if known is None:
            return False
        return known.category is Category.OPEN or any(t.source == status for t in self.transitions)

    def check(self, order: Order, to: str, role: Role, reason: str | None = None) -> None:
        """Raises `UnknownStatus`, `ReasonNeeded`, or `TransitionNotAllowed` with what is allowed instead."""
        to = self.status(to).name
        allowed = self.next(order.status, order.fulfilment, role)
        if to in allowed:
            return
        if to in self.back(order.status, order.fulfilment, role):
            if reason is not None and reason.strip():
                return
            raise ReasonNeeded(
                f"From '{order.status}' back to '{to}' is a correction: send it again with a reason, which the history "
                "keeps.",
                currentStatus=order.status,
                allowed=allowed,
            )
        instead = f"Allowed are: {', '.join(allowed)}." if allowed else "Nothing follows it."
        raise TransitionNotAllowed(
            f"An order that is '{order.status}' cannot become '{to}' here. {instead}",
            currentStatus=order.status,
            allowed=allowed,
        )

    def describe(self) -> dict[str, Any]:
        """The workflow as JSON, for pages that draw it."""
        return {
            "initial": self.initial,
            "corrections": self.corrections,
            "statuses": [
                {"name": s.name, "label": s.label, "step": s.step, "category": s.category.value}
                for s in self.statuses.values()
            ],
            "transitions": [
                {
                    "from": t.source,
                    "to": t.target,
                    "roles": sorted(t.roles),
                    "fulfilment": None if t.fulfilment is None else t.fulfilment.value,
                }
                for t in self.transitions
            ],
        }


def load_workflow(path: Path | None = None, names: Mapping[str, str] | None = None) -> Workflow:
    """The workflow in a TOML file, or the default one, with the shop's ``names`` for its statuses. Raises
    `SettingsError`, which says what to mend."""
    if path is None:
        text = files("ordercast.orders").joinpath("workflow.toml").read_text("utf-8")
        return with_names(parse_workflow(text), names or {})
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, ValueError) as error:  # no text, or no path that there can be
        raise SettingsError(f"ORDERCAST_WORKFLOW: {path} cannot be read ({error}); name a TOML file") from None
    return with_names(parse_workflow(text), names or {})


def with_names(workflow: Workflow, names: Mapping[str, str]) -> Workflow:
    """The same workflow, which takes the shop's ``names`` too. Raises `SettingsError`."""
    for theirs, ours in names.items():
        if ours not in workflow.statuses:
            known = ", ".join(workflow.statuses)
            raise SettingsError(f"ORDERCAST_STATUS_MAP: maps {theirs!r} to {ours!r}, which is none of {known}")
        if theirs in workflow.statuses and theirs != ours:
            # Pages speak the workflow's names: theirs would turn into another status on the way.
            raise SettingsError(
                f"ORDERCAST_STATUS_MAP: maps {theirs!r} to {ours!r}, but the workflow has its own {theirs!r}; "
                "leave it out, or name that status differently in a workflow of yours"
            )
    return Workflow(workflow.initial, workflow.statuses, workflow.transitions, workflow.corrections, names)


def parse_workflow(text: str) -> Workflow:
    """Reads and checks a workflow. Raises `SettingsError` with a sentence for the first thing that is wrong."""
    try:
        data = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # also a number of 5,000 digits, and 1,000 brackets
        raise _wrong(f"is not TOML: {error}") from None
    _known_keys(data, {"initial", "corrections", "statuses", "transitions"}, "the file")
    corrections = data.get("corrections", True)
    if type(corrections) is not bool:
        raise _wrong(f"has {corrections!r} as corrections; it must be true or false")
    tables = data.get("statuses")
    if not isinstance(tables, dict) or not tables:
        raise _wrong("has no statuses; add a table [statuses.NAME] for each")
    statuses = {name: _status(name, table) for name, table in tables.items()}
    initial = data.get("initial")
    if not isinstance(initial, str) or initial not in statuses:
        raise _wrong(
            f"begins at {initial!r}, which is none of its statuses; set initial to one of {', '.join(statuses)}"
        )
    entries = data.get("transitions", [])
    if not isinstance(entries, list):
        raise _wrong("has transitions that are no list; write each as [[transitions]]")
    transitions = [t for entry in entries for t in _transitions(entry, statuses)]
    _check_graph(initial, statuses, transitions)
    return Workflow(initial, statuses, transitions, corrections)


def _wrong(what: str) -> SettingsError:
    return SettingsError(f"The workflow {what}.")


def _known_keys(table: Any, known: set[str], where: str) -> None:
    if not isinstance(table, dict):
        raise _wrong(f"has {where} that is no table")
    if unknown := sorted(table.keys() - known):
        raise _wrong(f"has an unknown key {unknown[0]!r} in {where}; known are {', '.join(sorted(known))}")


def _status(name: str, table: Any) -> Status:
    where = f"[statuses.{name}]"
    if not 1 <= len(name) <= 64:
        raise _wrong(f"has a status named {name!r}; a name has 1 to 64 characters")
    _known_keys(table, {"label", "step", "category"}, where)
    label, step = table.get("label", name), table.get("step")
    if not isinstance(label, str) or not label:
        raise _wrong(f"has no usable label in {where}; give it a text")
    if type(step) is not int or step < 0:
        raise _wrong(f"has no usable step in {where}; give it a whole number from 0 up")
    return Status(name, label, step, _one_of(Category, table.get("category"), f"category in {where}"))


def _one_of(kind: type[Kind], value: Any, what: str) -> Kind:
    try:
        return kind(value)
    except ValueError:
        raise _wrong(f"has {value!r} as {what}; it must be one of {', '.join(kind)}") from None


def _transitions(entry: Any, statuses: Mapping[str, Status]) -> Iterable[Transition]:
    _known_keys(entry, {"from", "to", "roles", "fulfilment"}, "a transition")
    source, targets = entry.get("from"), entry.get("to")
    targets = [targets] if isinstance(targets, str) else targets
    if not isinstance(targets, list) or not targets:
        raise _wrong(f'has a transition from {source!r} to nowhere; set to = ["status"]')
    for name in (source, *targets):
        if not isinstance(name, str) or name not in statuses:
            raise _wrong(f"has a transition with {name!r}, which is none of its statuses; add it or correct the name")
    roles = entry.get("roles", sorted(STAFF))
    if not isinstance(roles, list) or not roles:
        raise _wrong(f"has a transition from {source!r} that no role may make; list at least one in roles")
    allowed = frozenset(_one_of(Role, role, f"role of a transition from {source!r}") for role in roles)
    how = entry.get("fulfilment")
    fulfilment = None if how is None else _one_of(Fulfilment, how, f"fulfilment of a transition from {source!r}")
    return [Transition(source, target, allowed, fulfilment) for target in targets]


def _check_graph(initial: str, statuses: Mapping[str, Status], transitions: Sequence[Transition]) -> None:
    """Every status can be reached, and from every open one the order can come to an end, either fulfilment alike."""
    steps = {
        # A step that only customers might make is none: they watch their orders and change nothing.
        how: [(t.source, t.target) for t in transitions if t.fulfilment in (None, how) and t.roles & STAFF]
        for how in Fulfilment
    }
    reached = {how: _closure({initial}, steps[how]) for how in Fulfilment}
    if lost := [name for name in statuses if not any(name in here for here in reached.values())]:
        raise _wrong(f"has a status {lost[0]!r} that no step leads to; add a transition to it or remove it")
    ends = {name for name, status in statuses.items() if status.category is not Category.OPEN}
    for fulfilment, here in reached.items():
        finishing = _closure(ends, [(target, source) for source, target in steps[fulfilment]])
        if stuck := [name for name in statuses if name in here and name not in finishing]:
            raise _wrong(
                f"has a dead end: from {stuck[0]!r} an order for {fulfilment.value} can reach nothing that is "
                "done or aborted; add a transition"
            )


def _closure(start: set[str], steps: list[tuple[str, str]]) -> set[str]:
    reached, frontier = set(start), set(start)
    while frontier:
        frontier = {target for source, target in steps if source in frontier} - reached
        reached |= frontier
    return reached
