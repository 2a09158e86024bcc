"""When the port is taken, and when it listens."""

from __future__ import annotations

import asyncio
import gc
import signal
import socket
from pathlib import Path
from typing import Any

import pytest

from ordercast import serving as module
from ordercast.app import Ordercast
from ordercast.config import Settings
from ordercast.errors import SettingsError, StorageError
from ordercast.serving import bind, serve
from tests.harness import SECRET

HOST = "127.0.0.1"


def settings(folder: Path, port: int = 0) -> Settings:
    return Settings(jwt_secret=SECRET, host=HOST, port=port, database_url=f"sqlite:///{folder}/orders.db")


class Watched(Ordercast):
    """Tries to connect while it opens, and then does not open."""

    port = 0
    refused = False

    async def __aenter__(self) -> Watched:
        with socket.socket() as client:
            self.refused = client.connect_ex((HOST, self.port)) != 0
        raise StorageError("The database cannot be opened.")


async def test_nobody_is_let_in_before_the_database_is_open(tmp_path: Path) -> None:
    chosen = settings(tmp_path)
    ordercast = Watched(chosen)
    with bind(chosen) as listener:
        ordercast.port = listener.getsockname()[1]
        with pytest.raises(StorageError):
            await serve(ordercast, listener)
        assert ordercast.refused


def test_a_port_that_another_listens_on_is_reported_before_anything_is_opened(tmp_path: Path) -> None:
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError, match=f"Port {port} is taken"):
            bind(settings(tmp_path, port))


async def test_of_two_that_start_at_once_the_later_one_says_so(tmp_path: Path) -> None:
    """Both may bind while neither listens."""
    with bind(settings(tmp_path)) as first:
        port = first.getsockname()[1]
        chosen = settings(tmp_path, port)
        with bind(chosen) as second:
            first.listen()
            with pytest.raises(SettingsError, match=f"Port {port} is taken"):
                await serve(Ordercast(chosen), second)


async def test_collections_leave_out_what_was_there_at_the_start(tmp_path: Path) -> None:
    chosen = settings(tmp_path)
    frozen: list[int] = []

    async def beside() -> None:
        frozen.append(gc.get_freeze_count())

    with bind(chosen) as listener:
        serving = asyncio.create_task(serve(Ordercast(chosen), listener, beside))
        async with asyncio.timeout(60):
            while not frozen and not serving.done():  # noqa: ASYNC110 - it ends by itself only where it failed
                await asyncio.sleep(0.01)
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
    assert frozen[0] > 0
    assert gc.get_freeze_count() == 0, "a host's garbage is its own again"


async def test_whoever_hears_that_it_listens_may_stop_it_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []

    class Log:
        def info(self, words: str) -> None:
            said.append(words)
            signal.raise_signal(signal.SIGTERM)

    def dies(*_: Any) -> None:
        raise RuntimeError("died of it")

    monkeypatch.setattr(module, "_log", Log())
    before = signal.signal(signal.SIGTERM, dies)
    try:
        chosen = settings(tmp_path)
        with bind(chosen) as listener:
            async with asyncio.timeout(60):
                await serve(Ordercast(chosen), listener)
        assert signal.getsignal(signal.SIGTERM) is dies, "a host's handler is its own again"
    finally:
        signal.signal(signal.SIGTERM, before)
    assert len(said) == 1
