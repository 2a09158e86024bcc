"""``serve --workers N``: several processes on one port. Starts them, starts anew what dies, ends them together."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from ctypes import c_byte
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from types import FrameType
from typing import NoReturn

import structlog

from ordercast import logs
from ordercast.config import Read, Settings
from ordercast.config_changes import changes
from ordercast.errors import OrdercastError
from ordercast.hangup import HANGUP, Terminal, hold, release
from ordercast.imports import uncollected

WRONG = 78
"""The exit status of a worker that says in words what is to be mended (``EX_CONFIG`` of sysexits.h)."""

_STEADY = 10.0  # s that a worker lives to be taken for a good one
_FIRST_PAUSE = 0.5  # s before a dead worker's successor
_LONGEST_PAUSE = 15.0  # s: after a database's outage all workers come back within this
_ORPHAN = 1.0  # s between a worker's looks whether its supervisor lives

_log = structlog.get_logger("ordercast")
_context = multiprocessing.get_context("spawn")  # a fork would copy event loops and connections

Start = Callable[[], BaseProcess]


class Workers:
    """``count`` processes that ``start`` starts, for as long as `run` runs."""

    def __init__(
        self, count: int, start: Start, served: Callable[[], bool], reload: Callable[[], None] = lambda: None
    ) -> None:
        """``served``: whether one has ever served. ``reload`` is called before SIGHUP goes on to all of them."""
        self._count = count
        self._start = start
        self._served = served
        self._reload = reload
        self._terminal = Terminal()
        self._running: dict[int, tuple[BaseProcess, float]] = {}  # by sentinel, with the time of the start
        self._due: list[float] = []  # when the successors of dead ones start
        self._pause = _FIRST_PAUSE
        self._stopping = False
        self._hung_up = False

    def run(self) -> int:
        """Runs until SIGINT or SIGTERM and returns 0; or 1 where a worker cannot start, which has then said why."""
        before = {number: signal.signal(number, self._stop) for number in (signal.SIGINT, signal.SIGTERM)}
        if HANGUP is not None:
            before[HANGUP] = signal.signal(HANGUP, self._hang_up)
        status = 0
        try:
            self._due = [time.monotonic()] * self._count
            while self._running or (self._due and not self._stopping):
                self._pass_on()
                self._start_due()
                until = min(self._due, default=time.monotonic() + 1) - time.monotonic()
                for sentinel in wait(list(self._running), timeout=min(max(until, 0.01), 1)):
                    assert isinstance(sentinel, int)
                    code, lived = self._ended(sentinel)
                    if self._stopping:
                        continue
                    if code == WRONG and not self._served():  # later the same is an outage, and passes
                        status = 1
                        self._stop(signal.SIGTERM, None)
                        continue
                    self._replace(code, lived)
        finally:
            for process, _ in self._running.values():
                process.kill()
            for number, handler in before.items():
                signal.signal(number, handler)
        return status

    def _hang_up(self, number: int, frame: FrameType | None) -> None:
        self._hung_up = True  # no more: whatever it interrupts may be half done, a reload too

    def _pass_on(self) -> None:
        """What SIGHUP asks for, once for all that came until now."""
        if HANGUP is None or not self._hung_up:
            return
        self._hung_up = False
        if self._stopping:
            return
        if self._terminal.closed:
            self._stop(HANGUP, None)
            return
        try:
            self._reload()
        except Exception:
            _log.exception("settings could not be read again for processes that start from now on")
        for process, _ in tuple(self._running.values()):
            if process.pid is not None and process.is_alive():
                os.kill(process.pid, HANGUP)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self._stopping = True
        for process, _ in tuple(self._running.values()):
            process.terminate()

    def _start_due(self) -> None:
        now = time.monotonic()
        due = [at for at in self._due if at <= now]
        self._due = [at for at in self._due if at > now]
        for _ in due:
            if self._stopping:
                return
            # One that is told meanwhile is told as soon as it can hear (`Reloader.listening`).
            hold()
            process = self._start()
            process.start()
            self._running[process.sentinel] = process, now
            release()
            if self._stopping:  # told so while it started
                process.terminate()

    def _ended(self, sentinel: int) -> tuple[int | None, float]:
        process, started = self._running.pop(sentinel)
        process.join()
        return process.exitcode, time.monotonic() - started

    def _replace(self, code: int | None, lived: float) -> None:
        self._pause = _FIRST_PAUSE if lived > _STEADY else min(self._pause * 2, _LONGEST_PAUSE)
        _log.warning("a worker ended; another one starts", status=code, after=round(self._pause, 1))
        self._due.append(time.monotonic() + self._pause)


def run_workers(settings: Settings, listener: socket.socket, read: Read) -> int:
    """Serves with ``settings.workers`` processes at the listener's address. ``read`` gives the settings anew. Returns
    the exit status."""
    now = settings
    served = _context.RawValue("b", 0)  # without a lock, which one that is killed might take along

    def start() -> BaseProcess:
        return _context.Process(target=_work, args=(now, listener, read, served), name="ordercast worker")

    def reload() -> None:
        nonlocal now
        now = for_successors(now, read)
        logs.configure(now.log_level, now.log_format)

    return Workers(settings.workers, start, lambda: bool(served.value), reload).run()


def for_successors(now: Settings, read: Read) -> Settings:
    """The settings of workers that start after a reload: those of ``now`` where the workers refuse the new ones, which
    they say, each for itself."""
    from ordercast.auth import TokenVerifier
    from ordercast.orders.workflow import load_workflow

    async def fetched(verifier: TokenVerifier) -> bool:
        try:
            return not await verifier.problems()
        finally:
            await verifier.close()

    try:
        after = read().settings
        load_workflow(after.workflow, after.status_map)
        verifier = TokenVerifier.from_settings(after)
    except OrdercastError:
        return now
    if after.jwks_url != now.jwks_url and not asyncio.run(fetched(verifier)):
        return now
    return changes(now, after).settings


def _work(settings: Settings, listener: socket.socket, read: Read, served: c_byte) -> NoReturn:
    with uncollected():  # all that the supervisor itself has no use for
        from ordercast.app import Ordercast
        from ordercast.reloading import Reloader
        from ordercast.serving import bind, run, serve

    async def listening() -> None:
        served.value = 1
        await _end_with_supervisor()

    logs.configure(settings.log_level, settings.log_format)
    try:
        # What other nodes ask of this process must not land on another one.
        own = bind(settings.model_copy(update={"port": 0}))
        ordercast = Ordercast(settings)
        run(serve(ordercast, listener, listening, own, Reloader(ordercast, read)))
    except OrdercastError as error:
        sys.stderr.write(f"ordercast: {error}\n")
        sys.exit(WRONG)
    sys.exit(0)


async def _end_with_supervisor() -> None:
    """Stops this process where the one that started it was killed: nobody would stop it else."""
    supervisor = multiprocessing.parent_process()
    while supervisor is not None and supervisor.is_alive():  # noqa: ASYNC110 - a process sets no event
        await asyncio.sleep(_ORPHAN)
    if supervisor is not None:
        os.kill(os.getpid(), signal.SIGTERM)
