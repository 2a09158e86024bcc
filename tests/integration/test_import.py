"""`ordercast import`, as a shop runs it: killed in the middle and run again, beside a server, with bad lines."""

from __future__ import annotations

import asyncio
import json
import os
import random
import re
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from ordercast.config import Settings
from ordercast.orders.models import EventKind, Order
from ordercast.storage.database import open_storage
from tests.contract.support import all_of
from tests.harness import Json, ServerProcess

COUNT = 20_000  # some commits of the largest kind
PATIENCE = 300.0  # s; bounds a failure only
STATUSES = ("received", "ready", "delivered", "cancelled")
BAD = {
    2_000: b'{"orderId": "A-1", "customerId": 1}',  # again
    3_000: b'{"orderId": "x", "customerId": 1, "note": "\\u0000"}',
    4_000: b'{"orderId": "long", "customerId": 1, "note": "' + b"x" * 10 * 1024 * 1024 + b'"}',
    5_000: b"{",
}


def order(n: int, **more: Any) -> bytes:
    dice = random.Random(n)
    told: Json = {
        "orderId": f"A-{n}",
        "customerId": dice.randrange(500),
        "reference": f"№ {n}",
        "items": [{"name": "Margherita", "quantity": dice.randrange(1, 4)}],
        "total": dice.randrange(100, 9_999) / 100,
        "currency": "EUR",
        "status": dice.choice(STATUSES),
        "createdAt": f"2025-{dice.randrange(1, 13):02}-{dice.randrange(1, 29):02}T12:00:00.000Z",
    }
    return json.dumps({**told, **more}).encode()


def write(path: Path, texts: Iterable[bytes]) -> Path:
    path.write_bytes(b"\n".join(texts) + b"\n")
    return path


def started(folder: Path, url: str, *arguments: str, stdin: int | None = None, **more: str) -> subprocess.Popen[str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.Popen(
        [sys.executable, "-m", "ordercast", "import", *arguments],
        env=kept | {"ORDERCAST_DATABASE_URL": url} | {f"ORDERCAST_{name.upper()}": text for name, text in more.items()},
        cwd=folder,
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(folder: Path, url: str, *arguments: str, given: str = "", **more: str) -> tuple[int, str, str]:
    """Its exit status, what it prints, and what it complains about."""
    process = started(folder, url, *arguments, stdin=subprocess.PIPE, **more)
    out, err = process.communicate(given, timeout=PATIENCE)
    return process.returncode, out, err


async def stored(url: str) -> list[Json]:
    """All orders without what differs from run to run, after a look at the log: each order once, and no hole."""
    async with open_storage(Settings(database_url=url)) as storage:
        events = await all_of(storage.log)
        assert [event.position for event in events] == [*range(1, len(events) + 1)]
        assert {event.kind for event in events} == {EventKind.IMPORTED}
        ids = [event.order_id for event in events]
        assert len(ids) == len({*ids})
        found: list[Order] = []
        for start in range(0, len(ids), 500):
            found += await storage.orders.get_all(ids[start : start + 500])
        assert {order.version for order in found} == {1}
        assert len(found) == len(ids)
        kept = [{name: getattr(order, name) for name in Order.__slots__ if name != "updated_at"} for order in found]
        return sorted(kept, key=lambda order: str(order["order_id"]))


async def begun(url: str, process: subprocess.Popen[str]) -> None:
    """Waits until something is stored, with a checkpoint."""
    deadline = time.monotonic() + PATIENCE
    async with open_storage(Settings(database_url=url)) as storage:
        while not await storage.orders._readers.fetch("SELECT 1 FROM meta WHERE key LIKE 'at:%'"):
            assert process.poll() is None, "it ended before anybody looked"
            assert time.monotonic() < deadline
            await asyncio.sleep(0.01)


async def test_killed_in_the_middle_and_run_again_nothing_is_doubled_or_lost(tmp_path: Path, database_url: str) -> None:
    url, other = database_url, f"sqlite:///{tmp_path}/fresh.db"
    source = write(tmp_path / "orders.ndjson", (BAD.get(n, order(n)) for n in range(COUNT)))
    process = started(tmp_path, url, source.name)
    await begun(url, process)
    process.kill()
    process.communicate()
    before = len(await stored(url))
    assert 1_000 < before < COUNT - len(BAD)

    code, said, err = await asyncio.to_thread(run, tmp_path, url, source.name)
    assert (code, err) == (1, "")
    match = re.match(
        r"orders\.ndjson: ([\d,]+) created, 0 changed, ([\d,]+) unchanged, ([\d,]+) stored by an earlier run, "
        r"4 refused; [\d.]+ s, [\d,]+ orders/s\.\nSee orders\.refused\.ndjson",
        said,
    )
    assert match, said
    created, unchanged, skipped = (int(number.replace(",", "")) for number in match.groups())
    assert (created, unchanged + skipped) == (COUNT - len(BAD) - before, before)
    refused = (tmp_path / "orders.refused.ndjson").read_bytes()
    report = [json.loads(line) for line in refused.splitlines()]
    assert [line["line"] - 1 for line in report] == [*BAD]
    assert "line 2 already" in report[0]["problem"]
    assert "NUL" in report[1]["problem"]
    assert f"the line has {len(BAD[4_000]) + 1:,} bytes, and an order may have 1,048,576" in report[2]["problem"]
    assert "not JSON" in report[3]["problem"]
    assert all(BAD[line["line"] - 1].decode().startswith(line["text"]) for line in report)
    assert len(refused) < 10_000

    code, said, _ = await asyncio.to_thread(run, tmp_path, other, "orders.ndjson", "--refused", "again.ndjson")
    assert (code, "stored by" in said) == (1, False)
    assert (tmp_path / "again.ndjson").read_bytes() == refused
    assert await stored(url) == await stored(other)

    # Once whole, it is looked at from the beginning, and nothing changes.
    code, said, _ = await asyncio.to_thread(run, tmp_path, url, source.name)
    assert f"0 created, 0 changed, {COUNT - len(BAD):,} unchanged, 4 refused" in said
    assert await stored(url) == await stored(other)


async def test_a_file_that_was_edited_after_it_was_stopped_is_read_from_its_beginning(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/orders.db"
    source = write(tmp_path / "orders.jsonl", (order(n) for n in range(COUNT)))
    process = started(tmp_path, url, source.name)
    await begun(url, process)
    process.kill()
    process.communicate()
    write(source, (order(n, note="mended") if n == 3 else order(n) for n in range(COUNT)))
    code, said, _ = await asyncio.to_thread(run, tmp_path, url, source.name)
    assert code == 0
    assert ", 1 changed, " in said
    assert "stored by an earlier run" not in said


async def test_beside_a_server_who_is_connected_hears_of_it(fresh_server: ServerProcess, tmp_path: Path) -> None:
    server = fresh_server
    url = server.environment["ORDERCAST_DATABASE_URL"]
    source = write(tmp_path / "orders.ndjson", (order(n) for n in range(3_000)))
    async with server.api() as api, server.listener("ana", "operator") as operator:
        resync = asyncio.Event()
        operator.client.on("resync", lambda data: resync.set())
        async with server.listener(0) as customer:
            live = await api.create(customerId=0)
            importing = asyncio.create_task(asyncio.to_thread(run, tmp_path, url, source.name))
            for n in range(30):  # while it goes on, the server is there for others
                live = await api.patch(live["orderId"], note=str(n))
            code, said, err = await importing
            assert (code, err) == (0, "")
            assert "3,000 created" in said
            async with asyncio.timeout(PATIENCE):
                await resync.wait()
            own = [n for n in range(3_000) if json.loads(order(n))["customerId"] == 0]
            told = await customer.until("order:created", 1 + len(own), PATIENCE)
            assert {order["orderId"] for order in told[1:]} == {f"A-{n}" for n in own}
        await operator.settle()
        assert [order["orderId"] for order in operator.of("order:created")] == [live["orderId"]]
        page = await api.get("/api/orders", params={"limit": 500, "status": "received"})
        assert len(page["orders"]) == 500
        events = (await api.get("/api/events", params={"after": 0}))["events"]
        assert {event["event"] for event in events} <= {"order:created", "order:changed"}
        history = (await api.get("/api/orders/A-7/events"))["events"]
        assert [event["kind"] for event in history] == ["imported"]
        assert await api.patch("A-7", status="received", force=True)


def test_from_standard_input_with_the_shops_own_names(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/orders.db"
    given = '{"orderId": 1, "customerId": 2, "status": "Fertig"}\n\n{"orderId": 2, "customerId": 2, "status": "?"}\n'
    code, said, _ = run(tmp_path, url, "-", given=given, status_map="Fertig=ready")
    assert code == 1
    assert said.startswith("standard input: 1 created, 0 changed, 0 unchanged, 1 refused; ")
    (line,) = (tmp_path / "stdin.refused.ndjson").read_text().splitlines()
    assert json.loads(line)["line"] == 3
    db = sqlite3.connect(tmp_path / "orders.db")
    assert db.execute("SELECT order_id, status FROM orders").fetchall() == [("1", "ready")]
    db.close()
    code, said, _ = run(tmp_path, url, "-", given='{"orderId": 1, "customerId": 2}')
    assert (code, "1 unchanged, 0 refused" in said) == (0, True)
    assert not (tmp_path / "stdin.refused.ndjson").exists()


@pytest.mark.parametrize(
    ("arguments", "settings", "words"),
    [
        (("nowhere.ndjson",), {}, "nowhere.ndjson cannot be read"),
        ((".",), {}, ". cannot be read"),
        (("orders.ndjson", "--refused", "orders.ndjson"), {}, "orders.ndjson is the file to import itself"),
        (("orders.ndjson", "--refused", "no/such/folder"), {}, "choose another file by --refused"),
        (("orders.ndjson",), {"status_map": "a=b"}, "ORDERCAST_STATUS_MAP: maps 'a' to 'b'"),
        (("orders.ndjson",), {"database_url": "sqlite:////no/such/folder/orders.db"}, "does not exist"),
    ],
)
def test_it_stops_with_one_sentence_that_says_what_to_do(
    tmp_path: Path, arguments: tuple[str, ...], settings: dict[str, str], words: str
) -> None:
    text = "{\n"
    (tmp_path / "orders.ndjson").write_text(text)
    code, said, err = run(tmp_path, f"sqlite:///{tmp_path}/orders.db", *arguments, **settings)
    assert (code, said) == (1, "")
    assert words in err
    assert err.count("\n") == 1
    assert (tmp_path / "orders.ndjson").read_text() == text
