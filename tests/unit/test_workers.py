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
from ordercast.config import Loaded, Read, Settings
from ordercast.config_file import Record
from ordercast.hangup import release
from ordercast.workers import WRONG, Workers, for_successors
from tests.harness import SECRET

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


# -- SIGHUP -------------------------------------------------------------------------------------------------


def _told(folder: Path) -> None:
    """A worker that ends when it has been told to read its settings again."""
    signal.signal(signal.SIGHUP, lambda *_: os._exit(0))
    release()
    (folder / str(os.getpid())).touch()
    while True:
        time.sleep(60)


def test_a_reload_that_fails_ends_nothing_and_the_workers_are_told(tmp_path: Path) -> None:
    reloads = 0

    def start() -> BaseProcess:
        return _context.Process(target=_noted if reloads else _told, args=(tmp_path, None) if reloads else (tmp_path,))

    def reload() -> None:
        nonlocal reloads
        reloads += 1
        raise ImportError("half imported")

    def watch() -> None:
        deadline = time.monotonic() + 120
        while len(_pids(tmp_path)) < 2 and time.monotonic() < deadline:
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGHUP)

    thread = threading.Thread(target=watch)
    thread.start()
    with _ended_once(tmp_path, 4):  # both had their successor
        assert Workers(2, start, lambda: True, reload).run() == 0
    thread.join()
    assert reloads == 1
    assert len(_pids(tmp_path)) == 4


def test_a_signal_during_a_reload_waits_for_its_end(tmp_path: Path) -> None:
    under_way, heard = 0, []

    def reload() -> None:
        nonlocal under_way
        under_way += 1
        heard.append(under_way)
        if len(heard) == 1:
            signal.raise_signal(signal.SIGHUP)
            signal.raise_signal(signal.SIGHUP)
        else:
            os.kill(os.getpid(), signal.SIGTERM)
        under_way -= 1

    def start() -> BaseProcess:
        if not heard:
            signal.raise_signal(signal.SIGHUP)
        return _context.Process(target=_noted, args=(tmp_path, None))

    assert Workers(1, start, lambda: True, reload).run() == 0
    assert heard == [1, 1], "one after the other, and once for all that came meanwhile"


def _reads(settings: Settings) -> Read:
    return lambda: Loaded(settings, Record())


def test_who_starts_later_has_the_new_settings_where_the_workers_take_them() -> None:
    now = Settings(jwt_secret=SECRET)
    assert for_successors(now, _reads(Settings(jwt_secret=SECRET, max_watches=7))).max_watches == 7
    silent = Settings(jwks_url="http://127.0.0.1:1/keys", jwt_issuer="i", jwt_audience="a", max_watches=7)
    for refused in (silent, Settings(), Settings(jwt_secret=SECRET, workflow=Path("none.toml"))):
        assert for_successors(now, _reads(refused)) is now
