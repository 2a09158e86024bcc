"""Which channels a node must hear, against those it has asked Redis for, pure."""

from __future__ import annotations

from collections.abc import Iterator

_CHUNK = 500  # names in one command: some 25 kB, so that one command does not hold up Redis


class Subscriptions:
    """Channels or (``pattern``) patterns. Changes gather until they are taken: what comes and goes between is free."""

    __slots__ = ("_actual", "_changed", "_commands", "_wanted")

    def __init__(self, *, pattern: bool = False) -> None:
        self._commands = (b"PSUBSCRIBE", b"PUNSUBSCRIBE") if pattern else (b"SUBSCRIBE", b"UNSUBSCRIBE")
        self._wanted: set[bytes] = set()
        self._actual: set[bytes] = set()
        self._changed: set[bytes] = set()

    def set(self, name: bytes, wanted: bool) -> None:
        """Begins or ends to want a name."""
        if wanted:
            self._wanted.add(name)
        else:
            self._wanted.discard(name)
        self._changed.add(name)

    def restart(self) -> None:
        """A new connection, which has none of them yet."""
        self._actual.clear()
        self._changed = set(self._wanted)

    @property
    def changed(self) -> bool:
        """Whether there is something to take."""
        return bool(self._changed)

    def take(self) -> Iterator[tuple[bytes, list[bytes]]]:
        """The commands that are due: each with its names, which Redis confirms one by one."""
        changed, self._changed = self._changed, set()
        add = [name for name in changed if name in self._wanted and name not in self._actual]
        remove = [name for name in changed if name not in self._wanted and name in self._actual]
        self._actual.update(add)
        self._actual.difference_update(remove)
        for command, names in zip(self._commands, (add, remove), strict=True):
            for start in range(0, len(names), _CHUNK):
                yield command, names[start : start + _CHUNK]

    def __len__(self) -> int:
        return len(self._wanted)
