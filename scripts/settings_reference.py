"""docs/reference/settings.md, from the settings themselves and their catalogue."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic_core import PydanticUndefined

from ordercast.config import Settings, shown
from ordercast.config_catalogue import GROUPS, Entry

_HEAD = """\
# Settings

*Written by `python -m scripts.openapi` from the settings themselves; change those instead.*

The name is the one in a [settings file](../howto/settings.md). The environment has it in capitals behind `ORDERCAST_`,
so that `cors_origins` is `ORDERCAST_CORS_ORIGINS`; and where `ordercast serve` has an option, that is `--cors-origins`.
An option counts before the environment, that before the file, and that before the default. `--config`, or
`ORDERCAST_CONFIG`, names the file.

In the environment lists are separated by commas or blanks, tables written as `theirs=ours,other=ours` or as JSON; the
file may have them like that too, or as TOML's own. *s* are seconds, decimals allowed.

The last column says when a value counts that [a reload](../howto/settings.md#change-them-without-a-restart) brings.
"""


def settings_reference() -> str:
    """The page."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield _HEAD
    for title, entries in GROUPS.items():
        yield f"## {title}\n"
        yield from ("| setting | default | | after a reload |", "| --- | --- | --- | --- |")
        for name, entry in entries.items():
            yield f"| `{name}` | {_default(name, entry)} | {entry.meaning} | {_taken(entry)} |"
        yield ""


def _default(name: str, entry: Entry) -> str:
    field = Settings.model_fields[name]
    value = field.get_default(call_default_factory=True)
    if value is None or value is PydanticUndefined or value in ((), {}):
        return "–"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float | tuple):
        return f"{shown(value)} {entry.unit}".strip()
    return f"`{value}`"


def _taken(entry: Entry) -> str:
    return f"{entry.taken.value}; {entry.more}" if entry.more else entry.taken.value
