"""Cancellations that redis-py would lose."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def kept() -> Iterator[None]:
    """Raises at its end, as ``CancelledError``, a cancellation of this task that came inside and was lost there.

    redis-py sends within `asyncio.wait_for`, which before Python 3.12 loses one that comes as it ends
    (https://github.com/python/cpython/issues/86296).
    """
    task = asyncio.current_task()
    before = 0 if task is None else task.cancelling()
    yield
    if task is not None and task.cancelling() > before:
        raise asyncio.CancelledError
