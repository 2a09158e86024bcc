"""What `ordercast import` shows and leaves behind: a bar, a file of refused lines, a sentence."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import msgspec
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from ordercast.errors import SettingsError
from ordercast.importing.checks import Refused
from ordercast.importing.run import Tally

_SHOWN = 1_000  # bytes of a refused line: enough to know it again, little where it is refused for its size


class Source:
    """A file to import, or standard input where it is ``-``. Raises `SettingsError`."""

    def __init__(self, file: str) -> None:
        path = None if file == "-" else Path(file)
        try:
            self.size = None if path is None else path.stat().st_size
            if path is not None and path.is_dir():
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        except OSError as error:
            raise _unreadable(file, error) from None
        self._path = path
        self.name = "standard input" if path is None else path.name
        self.key = None if path is None else f"import {path.resolve()}"
        """By which the database knows how far it came; standard input is another each time."""
        stem = "stdin" if path is None else path.stem if path.suffix in (".ndjson", ".jsonl") else path.name
        name = f"{stem}.refused.ndjson"
        self.refused = Path(name) if path is None else path.with_name(name)

    def is_at(self, path: Path) -> bool:
        """Whether the source is this file."""
        return self._path is not None and path.exists() and path.samefile(self._path)

    @contextmanager
    def opened(self) -> Iterator[BinaryIO]:
        """The file at its beginning."""
        if self._path is None:
            yield sys.stdin.buffer
            return
        try:
            file = self._path.open("rb")
        except OSError as error:
            raise _unreadable(str(self._path), error) from None
        with file:
            yield file


def _unreadable(file: str, error: OSError) -> SettingsError:
    return SettingsError(f"{file} cannot be read ({error.strerror}): name a file with one order a line")


class RefusedLines:
    """A file with a JSON object for each refused line: ``line`` is its number, ``problem`` why, ``text`` its beginning.

    There where the first one is; what an earlier run left is removed at once.
    """

    def __init__(self, path: Path, source: Source) -> None:
        """Raises `SettingsError`."""
        self.path = path
        self._file: BinaryIO | None = None
        if source.is_at(path):
            raise SettingsError(f"{path} is the file to import itself: choose another one by --refused")
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise self._unusable(error) from None

    def add(self, refused: Refused) -> None:
        """Notes one. Raises `SettingsError`."""
        line = refused.line
        text = line.text[:_SHOWN].decode(errors="replace").rstrip("\r\n")
        said = msgspec.json.encode({"line": line.number, "problem": refused.problem, "text": text})
        try:
            if self._file is None:
                self._file = self.path.open("wb")
            self._file.write(said + b"\n")
        except OSError as error:
            raise self._unusable(error) from None

    def close(self) -> None:
        """All is written."""
        if self._file is not None:
            self._file.close()

    def _unusable(self, error: OSError) -> SettingsError:
        return SettingsError(f"{self.path} cannot be written ({error.strerror}): choose another file by --refused")


@contextmanager
def bar(console: Console, name: str, size: int | None) -> Iterator[Progress]:
    """A progress bar over the bytes of a file, with the rate in orders. ``size`` ``None``: nobody knows how long."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        progress.add_task(name, total=size, rate="")
        yield progress


def show(progress: Progress, tally: Tally) -> None:
    """Moves the bar."""
    (task,) = progress.task_ids
    progress.update(task, completed=tally.read, rate=f"{rate(tally):,.0f} orders/s, {tally.refused:,} refused")


def rate(tally: Tally) -> float:
    """Orders per second, of those that this run stored."""
    return tally.stored / tally.seconds if tally.seconds else 0.0


def summary(name: str, tally: Tally) -> str:
    """How it went, in a sentence or two."""
    parts = [f"{tally.created:,} created", f"{tally.changed:,} changed", f"{tally.unchanged:,} unchanged"]
    if tally.skipped:
        parts.append(f"{tally.skipped:,} stored by an earlier run")
    parts.append(f"{tally.refused:,} refused")
    return f"{name}: {', '.join(parts)}; {tally.seconds:.1f} s, {rate(tally):,.0f} orders/s."
