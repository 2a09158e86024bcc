"""SIGHUP: a running server reads its settings file again, with clients connected all the while."""

from __future__ import annotations

import asyncio
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from socketio.exceptions import ConnectionError as Refused

from tests.harness import SECRET, Listener, ServerProcess, children_of, token
from tests.redis_server import RedisServer

NEWER = "a-newer-secret-of-the-tests-that-is-long-enough-987654321"
WAIT = 60.0  # s; bounds a failure only
WORKERS = 2


def write(folder: Path, text: str) -> Path:
    """The settings file, put in place whole, as editors do."""
    path, new = folder / "shop.toml", folder / "shop.toml.new"
    new.write_text(text)
    new.chmod(0o640)
    new.rename(path)
    return path


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    path = write(tmp_path, f'jwt_secret = "{SECRET}"\nmonitor_interval = 3600')
    with ServerProcess(tmp_path, jwt_secret="", config=str(path)) as server:
        yield server


async def until(server: ServerProcess, words: str, times: int = 1) -> None:
    """The log has said it so often."""
    async with asyncio.timeout(WAIT):
        while server.log.count(words) < times:  # noqa: ASYNC110 - another process's file
            await asyncio.sleep(0.05)


async def reload(server: ServerProcess, folder: Path, text: str, *, refused: bool = False) -> None:
    """Another file, and the signal; returns when the server has said what came of it."""
    words = "settings are not reloaded" if refused else "settings are reloaded"
    said = server.log.count(words)
    write(folder, text)
    os.kill(server.pid, signal.SIGHUP)
    await until(server, words, said + 1)


async def refused(url: str, secret: str, user: str = "bo") -> bool:
    """Whether a client with a token of this secret is."""
    listener = Listener(reconnection=False)
    try:
        await listener.connect(url, token(user, "operator", secret=secret))
    except Refused:
        return True
    await listener.close()
    return False


async def test_clients_stay_while_a_secret_is_rotated_and_the_rest_changes(
    server: ServerProcess, tmp_path: Path
) -> None:
    async with server.listener("ana", "operator") as ana, server.listener(42) as customer, server.api() as api:
        assert await refused(server.url, NEWER)
        both = f'jwt_secret = ["{NEWER}", "{SECRET}"]\nmonitor_interval = 0.2\nping_interval = 7\nport = 1\nworkers = 1'
        await reload(server, tmp_path, both)
        assert not await refused(server.url, NEWER)
        assert not await refused(server.url, SECRET)
        await until(server, "Connections: 2 | Operators online: 1")
        polling = (await api.client.get("/socket.io/?EIO=4&transport=polling")).text
        assert '"pingInterval":7000' in polling

        await api.create(orderId="o-1")
        await reload(server, tmp_path, f'jwt_secret = "{NEWER}"\nlog_level = "warning"')
        assert await refused(server.url, SECRET)
        assert not await refused(server.url, NEWER)
        assert (await api.send("GET", "/api/orders")).status_code == 401
        headers = {"Authorization": f"Bearer {token('shop', 'service', secret=NEWER)}"}
        change = await api.client.patch("/api/orders/o-1", json={"status": "accepted"}, headers=headers)
        assert change.status_code == 200
        await ana.until("order:status_changed")
        await customer.until("order:updated")
        assert ana.client.connected
        assert customer.client.connected
        assert not ana.of("force_disconnect") + customer.of("force_disconnect")
    said = server.log
    assert "jwt_secret (not shown)" in said
    assert "monitor_interval: 3600.0 → 0.2" in said
    assert "needs a restart" not in said, "the environment says the port, so the file's counts for nothing"
    assert "port in " in said
    assert SECRET not in said
    assert NEWER not in said
    assert "Traceback" not in said


async def test_a_bad_file_changes_nothing_and_what_needs_a_restart_is_named(
    server: ServerProcess, tmp_path: Path
) -> None:
    async with server.listener("ana", "operator") as ana:
        for text, words in (
            ("max_watchs = 1", "'max_watchs' is no setting; did you mean max_watches?"),
            ('max_watches = "many"', "max_watches: Input should be a valid integer"),
            ("max_watches = ", "is not TOML"),
            ("max_watches = 1", "No key to verify tokens with"),
            (f'jwt_secret = "{SECRET}"\nworkflow = "none.toml"\nmax_watches = 1', "none.toml cannot be read"),
        ):
            await reload(server, tmp_path, text, refused=True)
            assert words in server.log
        (tmp_path / "shop.toml").unlink()
        os.kill(server.pid, signal.SIGHUP)
        await until(server, "shop.toml cannot be read (No such file")
        assert [await ana.watch(id) for id in ("a", "b")] == [
            {"orderId": "a", "error": "not_found"},
            {"orderId": "b", "error": "not_found"},
        ]
        metrics = httpx2.get(f"{server.url}/metrics").text
        assert 'ordercast_config_reloads_total{outcome="refused"} 6.0' in metrics
        assert "ordercast_config_last_reload_successful 0.0" in metrics
        good = f'jwt_secret = "{SECRET}"\nredis_url = "redis://h"\nnode_name = "a"'
        await reload(server, tmp_path, good, refused=True)
        assert "REDIS_URL joins several nodes" in server.log
        await reload(server, tmp_path, f'jwt_secret = "{SECRET}"\nnode_name = "a"\nhost = "::1"')
        await until(server, "needs a restart: host, node_name")
        assert ana.client.connected
        assert "ordercast_config_last_reload_successful 1.0" in httpx2.get(f"{server.url}/metrics").text


async def test_without_a_file_it_says_what_cannot_change(tmp_path: Path) -> None:
    with ServerProcess(tmp_path) as server:
        os.kill(server.pid, signal.SIGHUP)
        await until(server, "a process's environment cannot change")
        assert httpx2.get(f"{server.url}/health/ready").status_code == 200


def workers_of(server: ServerProcess) -> list[int]:
    """Its processes that serve."""
    return [pid for pid in children_of(server.pid) if "spawn_main" in Path(f"/proc/{pid}/cmdline").read_text()]


async def test_all_workers_reload_and_who_starts_later_has_the_same(
    tmp_path: Path, postgres_url: str, redis: RedisServer
) -> None:
    path = write(tmp_path, f'jwt_secret = "{SECRET}"\nworkers = {WORKERS}')
    with ServerProcess(
        tmp_path, jwt_secret="", config=str(path), database_url=postgres_url, redis_url=redis.url
    ) as server:
        await until(server, "listens on", WORKERS)
        async with server.listener("ana", "operator") as ana:
            write(tmp_path, f'jwt_secret = ["{NEWER}"]\nworkers = 5\nmax_connections_per_user = 1')
            os.kill(server.pid, signal.SIGHUP)
            await until(server, "settings are reloaded", WORKERS)
            await until(server, "needs a restart: workers", WORKERS)
            # Whichever of them is asked.
            assert [await refused(server.url, SECRET) for _ in range(8)] == [True] * 8
            assert [await refused(server.url, NEWER, f"bo{n}") for n in range(8)] == [False] * 8
            only = Listener(reconnection=False)
            await only.connect(server.url, token("cy", "operator", secret=NEWER))
            assert [await refused(server.url, NEWER, "cy") for _ in range(4)] == [True] * 4
            assert only.client.connected, "it is too young to be evicted, on whichever worker"
            await only.close()
            workers = workers_of(server)
            assert len(workers) == WORKERS
            assert ana.client.connected
        os.kill(workers[0], signal.SIGKILL)
        await until(server, "listens on", WORKERS + 1)
        assert [await refused(server.url, SECRET) for _ in range(8)] == [True] * 8
        assert [await refused(server.url, NEWER, f"di{n}") for n in range(8)] == [False] * 8
        assert server.stop() == 0
        assert "Traceback" not in server.log


@pytest.mark.parametrize("logs", ["there", "elsewhere"])
def test_a_terminal_that_is_closed_ends_it_as_ever(tmp_path: Path, logs: str) -> None:
    """That sends the same signal, and nobody wants a server left behind, wherever its log is."""
    to, log = (None, None) if logs == "there" else ((tmp_path / "log").open("wb"), tmp_path / "log")
    ours, its = pty.openpty()
    environment = {"PATH": os.environ["PATH"], "ORDERCAST_JWT_SECRET": SECRET, "ORDERCAST_PORT": "0"}
    process = subprocess.Popen(
        # A session of its own, whose terminal this is; the tests may run where nobody hears SIGHUP, under nohup.
        ["env", "--default-signal=HUP", "setsid", "--ctty", sys.executable, "-m", "ordercast", "serve"],
        env=environment,
        cwd=tmp_path,
        stdin=its,
        stdout=its,
        stderr=its if to is None else to,
    )
    os.close(its)
    if to is not None:
        to.close()
    said = b""
    try:
        while b"listens on" not in said:
            if log is None:
                said += os.read(ours, 4096)
            else:
                assert process.poll() is None
                time.sleep(0.05)
                said = log.read_bytes()
        os.close(ours)
        assert process.wait(WAIT) == 0
    finally:
        process.kill()
        process.wait()
