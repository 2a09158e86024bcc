"""SIGHUP: who takes it, and when. Imports little, since it must wait from a start's beginning on."""

from __future__ import annotations

import os
import signal

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
    """The one that this process was started from. When it is closed it sends the same signal, and there that means the
    end; but not where ``nohup`` had the signal ignored. To be made before anybody takes the signal."""

    def __init__(self) -> None:
        self._there = HANGUP is not None and signal.getsignal(HANGUP) is not signal.SIG_IGN and _has_terminal()

    @property
    def closed(self) -> bool:
        """Whether there was one."""
        return self._there and not _has_terminal()


def _has_terminal() -> bool:
    # Wherever the output goes.
    try:
        os.close(os.open(os.ctermid(), os.O_RDONLY | os.O_NOCTTY))
    except OSError:
        return False
    return True
