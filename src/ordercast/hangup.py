"""SIGHUP: who takes it, and when. Imports little, since it must wait from a start's beginning on."""

from __future__ import annotations

import signal
import sys

HANGUP: signal.Signals | None = getattr(signal, "SIGHUP", None)
"""Windows has none."""


def hold() -> None:
    """Keeps the signal waiting until there is somebody to take it: until then it would end the process. Processes that
    are started meanwhile keep it waiting too."""
    if HANGUP is not None:
        signal.pthread_sigmask(signal.SIG_BLOCK, {HANGUP})


def release() -> None:
    """Takes one that waits, and those to come."""
    if HANGUP is not None:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {HANGUP})


class Terminal:
    """What this process says its words to. One that is closed sends the same signal, and there it means the end."""

    def __init__(self) -> None:
        self._there = sys.stderr.isatty()

    @property
    def closed(self) -> bool:
        """Whether there was one."""
        return self._there and not sys.stderr.isatty()
