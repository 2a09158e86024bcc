"""The error tree, from `ordercast.errors`, and the problem of each."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

from ordercast import errors
from ordercast.errors import OrdercastError, Problem
from scripts.site.markdown import table


def tree() -> str:
    """The drawing in the module's docstring."""
    return inspect.cleandoc(errors.__doc__ or "").partition("::\n\n")[2]


def of(cls: type[OrdercastError]) -> Iterator[type[OrdercastError]]:
    """A class and all below it."""
    yield cls
    for below in cls.__subclasses__():
        if below.__module__ == errors.__name__:
            yield from of(below)


def problems() -> list[type[Problem]]:
    """Those that a request may be answered with, by their status."""
    found = [cls for cls in of(Problem) if issubclass(cls, Problem) and cls is not Problem]
    return sorted(found, key=lambda cls: cls.status)


def reference() -> str:
    """The tree, and a table of problems."""
    rows = [(str(cls.status), f"`urn:ordercast:{cls.type}`", cls.title, f"`{cls.__name__}`") for cls in problems()]
    return "\n".join(
        (
            f"```text\n{tree()}\n```\n",
            "## What a request may be answered with\n",
            table(("status", "`type`", "`title`", "in Python"), rows),
        )
    )
