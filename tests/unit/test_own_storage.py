"""`Ordercast(settings, storage=…)` with whatever keeps the ports, and what it says of what is left out."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest

from ordercast import Ordercast
from ordercast.config import Settings
from ordercast.errors import SettingsError, StorageError
from ordercast.orders.kept import Kept
from ordercast.orders.models import NewOrder
from ordercast.orders.principal import Principal, Role
from ordercast.storage.database import open_storage
from ordercast.testing import MemoryLog, MemoryOrders, memory_storage
from ordercast.webhooks.models import Delivery, Endpoint, Settled
from tests.harness import SECRET, token
from tests.inside import listening, serving

SHOP = Principal("shop", Role.SERVICE)


class Some:
    """A storage of these parts."""

    def __init__(self, **parts: Any) -> None:
        memory = memory_storage()
        self.kept = replace(Kept(memory.orders, memory.log, memory.figures, memory.personal), **parts)

    @asynccontextmanager
    async def opened(self, settings: Settings) -> AsyncIterator[Kept]:
        yield self.kept


def settings(folder: Path) -> Settings:
    return Settings(jwt_secret=(SECRET,), database_url=f"sqlite:///{folder}/ours.db")


@asynccontextmanager
async def asking(port: int, role: str) -> AsyncIterator[httpx2.AsyncClient]:
    headers = {"Authorization": f"Bearer {token('7', role)}"}
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=60) as client:
        yield client


async def test_whatever_keeps_the_ports_is_served(tmp_path: Path) -> None:
    memory = memory_storage()
    app = Ordercast(settings(tmp_path), storage=memory)
    async with serving(app) as port, listening(f"http://127.0.0.1:{port}", 42, "customer") as ana:
        await app.orders.create(NewOrder(order_id="1", customer_id="42"), SHOP)
        await app.orders.change_status(1, "accepted", updated_by="kitchen")
        (updated,) = await ana.until("order:updated")
        assert (updated["status"], updated["version"], updated["position"]) == ("accepted", 2, 2)
        async with asking(port, "admin") as admin:
            assert (await admin.get("/api/stats")).json()["created"] == 1
            key = {"Idempotency-Key": "k"}
            twice = [await admin.post("/api/orders/1/contact", headers=key) for _ in range(2)]
            assert [answer.json()["version"] for answer in twice] == [3, 3]
            assert (await admin.delete("/api/customers/42")).status_code == 204
    assert {event.customer_id.partition("-")[0] for event in memory.log.events} == {"anonymous"}
    async with open_storage(settings(tmp_path), elsewhere=True) as ours:
        assert await ours.log.head() == 0


async def test_what_is_left_out_answers_501_in_words_and_does_nothing(tmp_path: Path) -> None:
    app = Ordercast(settings(tmp_path), storage=Some(figures=None, personal=None))
    async with serving(app) as port, asking(port, "admin") as admin, asking(port, "customer") as customer:
        await app.orders.create(NewOrder(order_id="1", customer_id="42", note="x"), SHOP)
        for answer in (await admin.get("/api/stats"), await admin.delete("/api/customers/42")):
            assert answer.status_code == 501
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["type"] == "urn:ordercast:not-kept"
            assert "tables of its own" in answer.json()["detail"]
        assert (await customer.get("/api/stats")).status_code == 403
        assert (await app.orders.get("1", SHOP)).note == "x"
        assert not app.storage.revocations.is_revoked(Principal("42", Role.CUSTOMER, issued_at=1))


class NoPut:
    """An `OrderRepository` that is not whole."""

    def __init__(self) -> None:
        self._orders = MemoryOrders(MemoryLog())

    def __getattr__(self, name: str) -> Any:
        if name in ("put", "history"):
            raise AttributeError(name)
        return getattr(self._orders, name)


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ({"orders": NoPut()}, "its orders lack put, history; docs/howto/own-tables.md"),
        ({"log": None}, "its log lack"),
        ({"figures": object()}, "its figures lack facts, standing"),
        ({"log": MemoryLog("a.b")}, "log.log_id must be"),
    ],
)
async def test_what_is_missing_is_named_at_start(tmp_path: Path, part: dict[str, Any], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        await Ordercast(settings(tmp_path), storage=Some(**part)).__aenter__()


def test_the_fakes_need_no_pytest() -> None:
    hide = "import sys; sys.modules['pytest'] = sys.modules['pytest_asyncio'] = None; "
    subprocess.run([sys.executable, "-c", f"{hide}import ordercast.testing"], check=True)
    done = subprocess.run([sys.executable, "-c", f"{hide}import ordercast.testing.contract"], capture_output=True)
    assert b"pytest" in done.stderr


async def test_old_orders_are_the_shops_to_remove(tmp_path: Path) -> None:
    keeps = settings(tmp_path).model_copy(update={"order_retention": 90 * 86_400.0})
    with pytest.raises(SettingsError, match="ORDER_RETENTION"):
        await Ordercast(keeps, storage=memory_storage()).__aenter__()
    async with Ordercast(settings(tmp_path), storage=memory_storage()) as app:
        with pytest.raises(SettingsError, match="ORDER_RETENTION"):
            await app.reload(lambda: keeps.model_copy(update={"max_watches": 1}))
        assert app.settings.max_watches != 1


async def test_our_database_beside_it_is_for_nobody_else(tmp_path: Path) -> None:
    async with Ordercast(settings(tmp_path), storage=memory_storage()):
        pass
    with pytest.raises(StorageError, match="tables of its own"):
        await Ordercast(settings(tmp_path)).__aenter__()
    async with Ordercast(settings(tmp_path), storage=memory_storage()):
        pass


async def test_webhooks_go_on_at_the_end_of_another_log(tmp_path: Path) -> None:
    """Positions of one log say nothing of another."""
    endpoint = Endpoint(
        id="wh_1", url="https://a.example/", description="", events=(), shops=None, secrets=(), cursor=5, created_at=1,
        enabled=False,
    )  # fmt: skip
    waits = Delivery(position=4, type="order.created", order_id="1", at=1)
    first, other = Some(), Some(log=MemoryLog("other"))
    async with Ordercast(settings(tmp_path), storage=first) as app:
        await app.storage.webhooks.add(endpoint)
        assert await app.storage.webhooks.lease("wh_1", "me")
        await app.storage.webhooks.settle("wh_1", "me", Settled(5, (waits,)))
        await app.storage.webhooks.release("wh_1", "me")
    for storage, cursor, waiting in ((first, 5, 1), (other, 0, 0)):
        async with Ordercast(settings(tmp_path), storage=storage) as app:
            found = await app.storage.webhooks.get("wh_1")
            assert found is not None
            assert found.cursor == cursor
            assert len(await app.storage.webhooks.deliveries("wh_1", "waiting", None, 9)) == waiting
