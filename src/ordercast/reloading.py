"""SIGHUP, as daemons take it: reads the settings again, and has a running server take over what it can.

The environment of a process and its options stay what they were at its start; what may change is the settings file, and
the files that settings name.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from ordercast import logs
from ordercast.app import Ordercast
from ordercast.config import Read, Settings
from ordercast.config_changes import Changes
from ordercast.errors import SettingsError
from ordercast.hangup import HANGUP, Terminal, hold, release

_NO_FILE = (
    "there is no settings file, and a process's environment cannot change: only the files that settings name are read "
    "again. Start with --config or ORDERCAST_CONFIG to change settings without a restart"
)
_log = structlog.get_logger("ordercast")


class Reloader:
    """Reloads an `Ordercast` whenever it is asked to, one time after the other. ``read`` gives the settings as they
    are by then. ``terminal``: one whose closing ends the server, unless another process sees to that."""

    def __init__(self, ordercast: Ordercast, read: Read, terminal: Terminal | None = None) -> None:
        self._ordercast = ordercast
        self._read = read
        self._notes: list[str] = []
        self._terminal = terminal
        self._asked = asyncio.Event()

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Reloads at SIGHUP while the context is open."""
        if HANGUP is None:
            yield
            return
        loop = asyncio.get_running_loop()
        task = loop.create_task(self._keep_at(), name="ordercast reloads")
        loop.add_signal_handler(HANGUP, self._signalled)
        release()
        try:
            yield
        finally:
            hold()  # a server that stops must not die of it,
            loop.add_signal_handler(HANGUP, lambda: None)  # nor where a thread gets it that does not hold it
            task.cancel()

    def _signalled(self) -> None:
        if self._terminal is not None and self._terminal.closed:
            os.kill(os.getpid(), signal.SIGTERM)
        else:
            self._asked.set()

    async def _keep_at(self) -> None:
        while True:
            await self._asked.wait()
            self._asked.clear()
            await self.reload()

    async def reload(self) -> None:
        """Reloads once, and says in the log what came of it. Never raises."""
        before = self._ordercast.settings
        try:
            changes = await self._ordercast.reload(self._settings)
        except SettingsError as error:
            _log.error("settings are not reloaded, and all stays as it was", error=str(error))
            return
        except Exception:
            _log.exception("settings could not be reloaded")
            return
        now = changes.settings
        if logs.is_louder(now.log_level, before.log_level):
            logs.configure(now.log_level, now.log_format)
        self._tell(changes)
        logs.configure(now.log_level, now.log_format)

    def _tell(self, changes: Changes) -> None:
        if changes.settings.config is None:
            _log.warning(_NO_FILE)
        if changes.waits:
            _log.warning(f"needs a restart: {', '.join(changes.waits)}")
        for note in self._notes:
            _log.warning(note)
        _log.info("settings are reloaded", changed="; ".join(changes.words) or "nothing")

    def _settings(self) -> Settings:
        loaded = self._read()
        self._notes = loaded.notes()
        return loaded.settings
