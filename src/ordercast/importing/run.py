"""Orders from a file into the database: in large commits, and from where an earlier run was stopped.

A run that was stopped is gone on with by running it again: each order is put, which twice is once. A checkpoint in the
database, which follows the commits, spares what is in the database already: how much of the file is, and the hash
of that part, so that a file that was edited meanwhile is read from its beginning.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO

import msgspec

from ordercast.config import Settings
from ordercast.errors import Problem, StorageError
from ordercast.importing.checks import Checks, Refused, Told
from ordercast.importing.lines import Line, lines
from ordercast.orders.principal import Principal, Role
from ordercast.orders.service import OrderService
from ordercast.orders.workflow import load_workflow
from ordercast.storage import file_lock, postgres
from ordercast.storage.database import Storage, database_path, open_storage

SHOP = Principal("import", Role.SERVICE)
"""Who the history says it was, where a line does not say."""

_AT_ONCE = 4_096  # orders in a commit: a page of an index that is written then has some of them, not one
_SHARED = 1_024  # the same where other nodes' commits wait for the end of ours, some 10 ms
_BESIDE = 256  # the same beside a server with one writer, whose changes wait for all of ours
_BYTES = 4 << 20  # of lines in a commit, and one more: with long ones there are fewer, for the memory's sake
_LOOK = 1.0  # s between two checkpoints, and between two looks whether there is a server
_PIECE = 1 << 20  # bytes


class Checkpoint(msgspec.Struct, frozen=True):
    """The first ``offset`` bytes of the file, whose SHA-256 is ``digest``, are stored."""

    offset: int
    digest: str


@dataclass(slots=True)
class Tally:
    """What has become of the lines by now. ``skipped`` were stored by an earlier run; ``read`` is in bytes, ``seconds``
    what it took to store the others."""

    created: int = 0
    changed: int = 0
    unchanged: int = 0
    refused: int = 0
    skipped: int = 0
    read: int = 0
    seconds: float = 0.0

    @property
    def stored(self) -> int:
        """Orders that this run put."""
        return self.created + self.changed + self.unchanged


@dataclass(frozen=True, slots=True)
class _Batch:
    """Some lines, read. ``point`` is behind them."""

    told: Sequence[Told]
    refused: Sequence[Refused]
    skipped: int
    point: Checkpoint


class Import:
    """One run over one file. ``name`` tells it from others in the database; none: it cannot be gone on with.

    ``report`` is called with each refused line, ``progress`` after each batch.
    """

    def __init__(
        self,
        settings: Settings,
        file: BinaryIO,
        name: str | None,
        report: Callable[[Refused], None],
        progress: Callable[[Tally], None],
    ) -> None:
        self.tally = Tally()
        self._settings = settings
        self._file = file
        self._name = name
        self._report = report
        self._progress = progress
        self._workflow = load_workflow(settings.workflow, settings.status_map)
        self._since: float | None = None  # the first order was stored, on the monotonic clock, likewise below
        self._kept = 0.0
        self._looked = 0.0
        self._shared = postgres.is_postgres(settings)
        self._beside = False

    async def run(self) -> Tally:
        """Imports the file. Raises `SettingsError`, `StorageError`."""
        async with open_storage(self._settings, bulk=True) as storage:
            begin = await self._begin(storage)
            try:
                with Checks(self._workflow, self._settings.max_body) as checks:
                    await self._store_all(storage, self._batches(checks, begin))
            except StorageError as error:
                raise StorageError(
                    f"{error} What was imported until then is in; run the same again to go on."
                ) from error
            if self._name is not None:
                await storage.checkpoints.drop(self._name)
        return self.tally

    async def _begin(self, storage: Storage) -> int:
        """How many bytes at the beginning of the file are stored already."""
        text = None if self._name is None else await storage.checkpoints.get(self._name)
        if text is None:
            return 0
        point = msgspec.json.decode(text, type=Checkpoint)
        digest, left = hashlib.sha256(), point.offset
        while left and (piece := self._file.read(min(left, _PIECE))):
            digest.update(piece)
            left -= len(piece)
        self._file.seek(0)
        return point.offset if digest.hexdigest() == point.digest else 0

    def _batches(self, checks: Checks, begin: int) -> Iterator[_Batch]:
        """The file, read. What is stored already is read too, since later lines may name the same orders."""
        digest = hashlib.sha256()
        found = lines(self._file, self._settings.max_body, digest)
        count = 1
        while count:
            most = _BESIDE if self._beside else _SHARED if self._shared else _AT_ONCE
            count, skipped, end = 0, 0, 0
            told: list[Told] = []
            refused: list[Refused] = []
            for line in _portion(found, most):
                count, end = count + 1, line.end
                checked = checks.read(line)
                if isinstance(checked, Refused):
                    refused.append(checked)
                elif checked is not None and line.end <= begin:
                    skipped += 1
                elif checked is not None:
                    told.append(checked)
            if count:
                yield _Batch(told, refused, skipped, Checkpoint(end, digest.hexdigest()))

    async def _store_all(self, storage: Storage, batches: Iterator[_Batch]) -> None:
        orders = OrderService(storage.orders, self._workflow)
        self._look()
        batch = await asyncio.to_thread(next, batches, None)
        while batch is not None:
            reading = asyncio.ensure_future(asyncio.to_thread(next, batches, None))
            try:
                await self._store(storage, orders, batch)  # while the next one is read
            finally:
                batch = await reading

    async def _store(self, storage: Storage, orders: OrderService, batch: _Batch) -> None:
        began = time.monotonic()
        if self._since is None and batch.told:
            self._since = began
        for refused in batch.refused:
            self._refuse(refused)
        outcomes = await orders.put_all([(told.new, told.arguments) for told in batch.told], SHOP)
        for told, outcome in zip(batch.told, outcomes, strict=True):
            if isinstance(outcome, Problem):
                self._refuse(Refused(told.line, outcome.detail))
            elif outcome.created:
                self.tally.created += 1
            elif outcome.event is not None:
                self.tally.changed += 1
            else:
                self.tally.unchanged += 1
        self.tally.skipped += batch.skipped
        self.tally.read = batch.point.offset
        now = time.monotonic()
        self.tally.seconds = 0.0 if self._since is None else now - self._since
        self._progress(self.tally)
        if self._name is not None and now - self._kept > _LOOK and not batch.skipped:
            self._kept = now
            await storage.checkpoints.set(self._name, msgspec.json.encode(batch.point).decode())
        if now - self._looked > _LOOK:
            self._look()
        if self._beside:
            await asyncio.sleep(now - began)  # half of the time is the server's

    def _refuse(self, refused: Refused) -> None:
        self.tally.refused += 1
        self._report(refused)

    def _look(self) -> None:
        """Sees whether a server has the same file open."""
        self._looked = time.monotonic()
        self._beside = not self._shared and file_lock.is_held(database_path(self._settings))


def _portion(found: Iterator[Line], most: int) -> Iterator[Line]:
    """The lines of one commit."""
    size = 0
    for line in islice(found, most):
        size += len(line.text)
        yield line
        if size > _BYTES:
            return
