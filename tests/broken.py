"""`ordercast serve` with one thing broken, to show that the checker reports it.

``python -m tests.broken FAULT --port 0``. The faults are put in from outside, before it serves.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Collection
from typing import Any

from ordercast.cli import main
from ordercast.live.replay import Replay, Resume
from ordercast.socketio import Socket
from ordercast.socketio.operator import BroadcastOperator
from ordercast.storage.sqlite_writer import SqliteWriter

COMMIT_DELAY = 0.2  # s by which a commit comes after its replies


def reply_before_commit() -> None:
    """A change is acknowledged while its transaction is still open."""
    original: Callable[..., Any] = SqliteWriter._apply_all

    def apply_all(self: SqliteWriter, *args: Any, **kwargs: Any) -> Any:
        outcomes, events = original(self, *args, **kwargs)
        if events:
            self._loop.call_soon_threadsafe(self._deliver, outcomes, [])
            time.sleep(COMMIT_DELAY)
        return outcomes, events

    _replace(SqliteWriter, "_apply_all", apply_all)


def no_replay() -> None:
    """Who comes back is told to be caught up, and gets nothing of what it missed."""
    original: Callable[..., Any] = Replay._play

    async def play(self: Replay, socket: Socket, position: int, until: int) -> None:
        await original(self, socket, until, until)

    _replace(Replay, "_play", play)


def once_per_room() -> None:
    """A socket in two of an event's rooms gets it twice."""

    def targets(self: BroadcastOperator) -> Collection[Socket]:
        left_out = {socket for room in self._except for socket in self._namespace.members(room)}
        found = [socket for room in self._rooms for socket in self._namespace.members(room) if socket not in left_out]
        return found if self._rooms else self._namespace.sockets.values()

    _replace(BroadcastOperator, "_targets", targets)


def replay_again() -> None:
    """Who comes back gets some of what it had, too."""
    original: Callable[..., Any] = Replay.begin

    def begin(self: Replay, socket: Socket, resume: Resume) -> None:
        position = None if resume.position is None else max(resume.position - 100, 0)
        original(self, socket, Resume(position, resume.watching))

    _replace(Replay, "begin", begin)


def no_rooms() -> None:
    """Everyone gets everything."""

    def targets(self: BroadcastOperator) -> Collection[Socket]:
        return self._namespace.sockets.values()

    _replace(BroadcastOperator, "_targets", targets)


def nothing() -> None:
    """All as it should be."""


def _replace(owner: type, name: str, value: Any) -> None:
    assert callable(getattr(owner, name)), "there is nothing of this name to break any more"
    setattr(owner, name, value)


FAULTS: dict[str, Callable[[], None]] = {
    fault.__name__: fault for fault in (reply_before_commit, no_replay, once_per_room, replay_again, no_rooms, nothing)
}

if __name__ == "__main__":
    FAULTS[sys.argv.pop(1)]()
    sys.argv[0:1] = ["ordercast", "serve"]
    main()
