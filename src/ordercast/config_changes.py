"""What other settings would change: which of that a running server takes over, and which needs a restart. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from ordercast.config import Settings, shown
from ordercast.config_catalogue import SETTINGS, Taken
from ordercast.config_file import secrets_of


@dataclass(frozen=True, slots=True)
class Changes:
    """``settings``: what counts then, the new ones but for what ``waits`` for a restart. ``taken`` and ``waits`` are
    names; ``words`` says of each that is taken from what to what, or of a secret only that."""

    settings: Settings
    taken: tuple[str, ...]
    waits: tuple[str, ...]
    words: tuple[str, ...]

    def also(self, name: str) -> Changes:
        """The same, where the file has changed that a setting names."""
        if name in self.taken:
            return self
        return Changes(self.settings, (*self.taken, name), self.waits, (*self.words, f"{name} (what is in its file)"))


def changes(before: Settings, after: Settings) -> Changes:
    """What ``after`` says differently."""
    different = [name for name in SETTINGS if getattr(before, name) != getattr(after, name)]
    waits = tuple(name for name in different if SETTINGS[name].taken is Taken.RESTART)
    taken = tuple(name for name in different if name not in waits)
    kept = {name: getattr(before, name) for name in waits}
    return Changes(after.model_copy(update=kept), taken, waits, tuple(_words(name, before, after) for name in taken))


def _words(name: str, before: Settings, after: Settings) -> str:
    if name in {*secrets_of(before), *secrets_of(after)}:
        return f"{name} (not shown)"
    return f"{name}: {_value(before, name)} → {_value(after, name)}"


def _value(settings: Settings, name: str) -> str:
    return shown(value) if (value := getattr(settings, name)) not in (None, (), {}) else "none"
