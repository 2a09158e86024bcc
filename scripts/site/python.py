"""The Python library's public face, drawn by Sphinx's autodoc."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator
from importlib import import_module
from typing import Any, NamedTuple

from scripts.site.inside import INSIDE


class Section(NamedTuple):
    """Some names of one module; none named: all that it has for others."""

    title: str
    says: str
    module: str
    names: tuple[str, ...] = ()


SECTIONS = (
    Section(
        "In your own application",
        "`Settings` has a field for each of [the variables](../../src/ordercast/config.py).",
        "ordercast",
        ("Ordercast", "open_orders", "open_orders_sync"),
    ),
    Section("Orders", "What `Ordercast.orders` is.", "ordercast.orders.service", ("OrderService",)),
    Section(
        "Who asks",
        "",
        "ordercast.orders.principal",
        ("Principal", "Role"),
    ),
    Section(
        "What orders are made of",
        "",
        "ordercast.orders.models",
        ("NewOrder", "Order", "Written", "OrderQuery", "OrderPage", "OrderEvent", "Snapshot", "IdempotencyKey"),
    ),
    Section("Statuses and steps", "", "ordercast.orders.workflow", ("Workflow", "load_workflow")),
    Section("Ports", "What the orders ask of storage.", "ordercast.orders.ports"),
    Section(
        "A shop's own table",
        "How to use it: [orders in your own table](../howto/own-tables.md).",
        "ordercast.storage.own",
    ),
    Section("Who keeps orders", "What `Ordercast` takes for ``storage``.", "ordercast.orders.kept"),
    Section("Tokens", "", "ordercast.auth", ("sign_token",)),
    Section(
        "A Socket.IO server",
        "With examples, and beside Node.js and python-socketio: [a Socket.IO server](socketio.md).",
        "ordercast.socketio",
    ),
    Section("From other processes", "", "ordercast.socketio.emitter", ("Emitter", "AsyncEmitter")),
    Section("A client", "How to use it: [Python](../howto/python.md).", "ordercast.client"),
    Section("For tests", "", "ordercast.testing"),
)


def reference() -> str:
    """All of it."""
    return "\n".join(text for section in SECTIONS for text in _drawn(section))


def _drawn(section: Section) -> Iterator[str]:
    module = import_module(section.module)
    yield f"## {section.title}\n"
    yield f"{section.says}\n"
    if not section.names:
        yield _rst(f".. automodule:: {section.module}", ":no-members:")
    for name in section.names or _public(module):
        yield _rst(*_directive(section.module, name, getattr(module, name)))


def _public(module: Any) -> list[str]:
    """What a module is for others: its ``__all__``, or what it defines itself."""
    if hasattr(module, "__all__"):
        return [name for name in module.__all__ if inspect.isclass(getattr(module, name)) or _is_def(module, name)]
    return [
        name for name, value in vars(module).items() if inspect.isclass(value) and value.__module__ == module.__name__
    ]


def _is_def(module: Any, name: str) -> bool:
    return inspect.isfunction(getattr(module, name))


def _directive(module: str, name: str, value: Any) -> Iterable[str]:
    if not inspect.isclass(value):
        yield f".. autofunction:: {module}.{name}"
        return
    yield f".. autoclass:: {module}.{name}"
    yield ":members:"
    if bases := [one for one in value.__mro__[1:] if one.__module__.startswith("ordercast.")]:
        # What ours inherit of ours, and nothing of the language's own.
        others = {one.__name__ for one in value.__mro__[1:] if one not in bases}
        yield f":inherited-members: {', '.join(sorted(others))}"
    if hidden := INSIDE.get(value):
        yield f":exclude-members: {', '.join(sorted(hidden))}"


def _rst(directive: str, *options: str) -> str:
    return "\n".join(("```{eval-rst}", directive, *(f"   {option}" for option in options), "```\n"))
