"""The supervisor of several processes: starts what is missing, ends all, and does not fight what cannot start."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from ordercast import workers
from ordercast.workers import WRONG, Workers

_context = multiprocessing.get_context("spawn")


def _noted(folder: Path, code: int | None) -> None:
    """A worker that says that it was there, and ends with ``code`` or when it is told to."""
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    (folder / str(os.getpid())).touch()
    if code is not None:
        os._exit(code)
    while True:
        time.sleep(60)


def _workers(folder: Path, *codes: int | None, served: bool = False) -> Workers:
    """Two, of which the first end with these codes; those that come later live on."""
    left = list(codes)

    def start() -> BaseProcess:
        return _context.Process(target=_noted, args=(folder, left.pop(0) if left else None))

    return Workers(2, start, lambda: served)


def _pids(folder: Path) -> list[int]:
    return [int(path.name) for path in folder.iterdir()]


@contextmanager
def _ended_once(folder: Path, count: int) -> Iterator[None]:
    """Sends us SIGTERM when that many workers have been there."""

    def watch() -> None:
        deadline = time.monotonic() + 120
        while len(_pids(folder)) < count and time.monotonic() < deadline:
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGTERM)

    thread = threading.Thread(target=watch)
    thread.start()
    yield
    thread.join()


def _alive(folder: Path) -> list[int]:
    return [pid for pid in _pids(folder) if Path(f"/proc/{pid}").exists()]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "_FIRST_PAUSE", 0.01)


def test_all_end_when_the_supervisor_is_told_to(tmp_path: Path) -> None:
    with _ended_once(tmp_path, 2):
        assert _workers(tmp_path).run() == 0
    assert len(_pids(tmp_path)) == 2
    assert _alive(tmp_path) == []


@pytest.mark.parametrize("code", [0, 1, 137])
def test_who_dies_has_a_successor(tmp_path: Path, code: int) -> None:
    with _ended_once(tmp_path, 4):
        assert _workers(tmp_path, code, None, code).run() == 0
    assert len(_pids(tmp_path)) == 4
    assert _alive(tmp_path) == []


def test_one_that_says_what_is_wrong_ends_all(tmp_path: Path) -> None:
    assert _workers(tmp_path, None, WRONG).run() == 1
    assert _alive(tmp_path) == []


def test_once_one_has_served_the_same_is_an_outage_that_passes(tmp_path: Path) -> None:
    with _ended_once(tmp_path, 3):
        assert _workers(tmp_path, WRONG, served=True).run() == 0
    assert len(_pids(tmp_path)) == 3
