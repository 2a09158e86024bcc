"""The commands, from the parser of `ordercast.cli`."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any

from typer.main import get_command

from ordercast.cli import app
from scripts.site.markdown import prose, table


def reference() -> str:
    """Every command with its arguments and options."""
    return "\n".join(_commands(get_command(app), "ordercast"))


def _commands(command: Any, name: str) -> Iterator[str]:
    yield f"## `{name}`\n"
    yield prose(inspect.cleandoc(command.help or "")) + "\n"
    below = getattr(command, "commands", {})
    if not below:
        yield f"```text\n{_usage(command, name)}\n```\n"
    yield table(("option", "takes", ""), (_option(one) for one in command.params if one.param_type_name == "option"))
    yield table(("argument", ""), ((f"`{_metavar(one)}`", one.help or "") for one in _arguments(command)))
    for child in below.values():
        yield from _commands(child, f"{name} {child.name}")


def _arguments(command: Any) -> list[Any]:
    return [one for one in command.params if one.param_type_name == "argument"]


def _metavar(argument: Any) -> str:
    return str(argument.metavar or argument.name.upper())


def _usage(command: Any, name: str) -> str:
    arguments = (_metavar(one) if one.required else f"[{_metavar(one)}]" for one in _arguments(command))
    return " ".join((name, *arguments, "[OPTIONS]" if len(_arguments(command)) < len(command.params) else "")).rstrip()


def _option(option: Any) -> tuple[str, str, str]:
    names = ", ".join(f"`{name}`" for name in (*option.opts, *option.secondary_opts))
    return names, "" if option.is_flag else _kind(option), (option.help or "") + _default(option)


def _kind(option: Any) -> str:
    kind = option.type_descriptor.annotation
    if inspect.isclass(kind) and issubclass(kind, Enum):
        return " or ".join(f"`{choice.value}`" for choice in kind)
    return {int: "integer", float: "number", Path: "path"}.get(kind, "text") + (", required" if option.required else "")


def _default(option: Any) -> str:
    """In brackets, as the help texts have those that are settings' own."""
    if option.is_flag or option.default in (None, "") or isinstance(option.default, (list, tuple)):
        return ""
    return f" [{getattr(option.default, 'value', option.default)}]"
