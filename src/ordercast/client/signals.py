"""What wakes those who wait for news, and what runs beside."""

from __future__ import annotations

import asyncio
import inspect
import logging
import threading
from collections import defaultdict
from collections.abc import Callable, Coroutine
from contextlib import suppress
from contextvars import copy_context
from typing import Any, TypeVar

_log = logging.getLogger("ordercast.client")

T = TypeVar("T")

Listener = Callable[..., object]


def is_cancelled() -> bool:
    """Whether the task that asks is to end, rather than something that it waited for was cancelled."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def in_thread(call: Callable[[], T]) -> T:
    """What a function that may block returns. One that hangs keeps no program from ending, as it would on a thread of
    ``asyncio.to_thread``."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: Exception | None) -> None:
        if answer.done():
            return  # given up meanwhile
        if error is None:
            answer.set_result(result)  # type: ignore[arg-type]
        else:
            answer.set_exception(error)

    def work() -> None:
        result: T | None = None
        failure: Exception | None = None
        try:
            result = call()
        except Exception as error:
            failure = RuntimeError(repr(error)) if isinstance(error, StopIteration) else error  # no future takes that
        except BaseException as error:
            failure = RuntimeError(repr(error))  # it is to end this thread, not the loop
        with suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(settle, result, failure)

    threading.Thread(target=copy_context().run, args=(work,), name="ordercast-client-call", daemon=True).start()
    return await answer


class Signal:
    """Counts changes; who has seen one waits for the next."""

    def __init__(self) -> None:
        self.count = 0
        self._next = asyncio.Event()

    def set(self) -> None:
        """There is news."""
        self.count += 1
        self._next.set()
        self._next = asyncio.Event()

    async def after(self, count: int) -> int:
        """Waits until more than ``count`` changes have been; how many that are now."""
        while self.count == count:
            await self._next.wait()
        return self.count


def stopped(task: asyncio.Task[None] | None) -> asyncio.Task[None] | None:
    """Cancels a task, unless it is what calls: that one ends by itself."""
    if task is not None and task is not asyncio.current_task():
        task.cancel()
    return None


class Tasks:
    """Tasks that end with their owner."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()

    def spawn(self, doing: Coroutine[Any, Any, None], broke: Callable[[], None] | None = None) -> asyncio.Task[None]:
        """Runs something beside. ``broke``: tells who waits for it that nothing will come, where it raises."""
        task = asyncio.create_task(doing)
        self._running.add(task)
        task.add_done_callback(lambda task: self._done(task, broke))
        return task

    def _done(self, task: asyncio.Task[None], broke: Callable[[], None] | None) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("this is a bug in ordercast.client", exc_info=error)
            if broke is not None:
                broke()

    async def close(self) -> None:
        """Ends all, and waits until they have."""
        while others := self._running - {asyncio.current_task()}:
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)


class Emitter:
    """Listeners by name. Each hears in order, those that are ``async`` one event after the other; one that raises harms
    no other."""

    def __init__(self, tasks: Tasks) -> None:
        self._tasks = tasks
        self._listeners: dict[str, list[Listener]] = defaultdict(list)

    def on(self, name: str, listener: Listener) -> Callable[[], None]:
        """Adds a listener; returns what takes it away."""
        told: Listener = listener
        if inspect.iscoroutinefunction(listener) or inspect.iscoroutinefunction(type(listener).__call__):
            waiting: asyncio.Queue[tuple[Any, ...]] = asyncio.Queue()
            task = self._tasks.spawn(_serve(name, listener, waiting))
            told = lambda *args: waiting.put_nowait(args)  # noqa: E731
            ends: Callable[[], object] = task.cancel
        else:
            ends = bool
        self._listeners[name].append(told)

        def off() -> None:
            if told in self._listeners[name]:
                self._listeners[name].remove(told)
                ends()

        return off

    def emit(self, name: str, *args: Any) -> None:
        """Tells all who listen."""
        for listener in tuple(self._listeners[name]):
            try:
                listener(*args)
            except (Exception, asyncio.CancelledError):  # of a future that it asked, say
                _log.exception("a listener to %r raised", name)


async def _serve(name: str, listener: Callable[..., Any], waiting: asyncio.Queue[tuple[Any, ...]]) -> None:
    while True:
        args = await waiting.get()
        try:
            await listener(*args)
        except (Exception, asyncio.CancelledError):
            if is_cancelled():
                raise
            _log.exception("a listener to %r raised", name)
