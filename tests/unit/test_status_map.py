"""``ORDERCAST_STATUS_MAP``: a shop speaks its own names for statuses, and is answered in the workflow's."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from ordercast.api.application import create_api
from ordercast.config import load_settings
from ordercast.errors import SettingsError, UnknownStatus
from ordercast.orders.models import NewOrder, OrderQuery
from ordercast.orders.service import OrderService
from ordercast.orders.workflow import load_workflow
from ordercast.testing import memory_storage
from tests.rest import BACKEND, JSON, MAX_BODY, SHOP, Side, ask

NAMES = {"SHIPPED": "out_for_delivery", "in der Küche": "preparing", "ready": "ready", "Fertig": "ready"}


class Mapped(Side):
    def __init__(self) -> None:
        super().__init__(memory_storage())
        workflow = load_workflow(None, NAMES)
        self.orders = OrderService(self.storage.orders, workflow)
        self.services = replace(self.services, orders=self.orders, workflow=workflow)


async def test_it_counts_wherever_a_status_is_said() -> None:
    side = Mapped()
    app = create_api(side.services, max_body=MAX_BODY, cors_origins=())

    async def send(method: str, path: str, body: object = None, **more: bytes) -> tuple[int, dict[str, object]]:
        data = b"" if body is None else json.dumps(body).encode()
        status, _, answer = await ask(app, method, path, [data], BACKEND + JSON, **more)  # type: ignore[arg-type]
        return status, json.loads(answer)

    status, order = await send("PUT", "/api/orders/1", {"customerId": 42, "status": "in der Küche"})
    assert (status, order["status"]) == (201, "preparing")
    assert (await send("PUT", "/api/orders/1", {"customerId": 42, "status": "preparing"}))[1]["version"] == 1
    status, order = await send("PATCH", "/api/orders/1", {"status": "Fertig"})  # the short way
    assert (status, order["status"], order["version"]) == (200, "ready", 2)
    later = {"status": "Fertig", "expectedAt": "2026-01-02T03:04:05Z"}  # FastAPI's
    assert (await send("PATCH", "/api/orders/1", later))[1]["status"] == "ready"
    assert (await side.orders.change_status(1, "SHIPPED", "kitchen")).status == "out_for_delivery"
    for name in (b"SHIPPED", b"out_for_delivery", b"delivered,SHIPPED"):
        _, page = await send("GET", "/api/orders", query=b"status=" + name)
        assert [order["status"] for order in page["orders"]] == ["out_for_delivery"]  # type: ignore[attr-defined]
    status, problem = await send("PATCH", "/api/orders/1", {"status": "shipped"})
    assert status == 422
    assert problem["known"] == [*load_workflow().statuses, "SHIPPED", "in der Küche", "Fertig"]
    assert "in der Küche" in str(problem["detail"])
    status, problem = await send("PATCH", "/api/orders/1", {"status": "Fertig"})
    assert (status, problem["currentStatus"]) == (409, "out_for_delivery")
    assert {event.status for event in side.storage.log.events} == {"preparing", "ready", "out_for_delivery"}


async def test_the_workflow_still_says_no() -> None:
    storage = memory_storage()
    service = OrderService(storage.orders, load_workflow(None, NAMES))
    await service.put(NewOrder(order_id="1", customer_id="42"), SHOP)
    with pytest.raises(UnknownStatus):
        await service.find(OrderQuery(statuses=frozenset({"versandt"})), SHOP)
    assert (await service.update("1", SHOP, status="SHIPPED", force=True)).order.status == "out_for_delivery"


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ({"SHIPPED": "shipped"}, "maps 'SHIPPED' to 'shipped', which is none of received"),
        ({"ready": "delivered"}, "maps 'ready' to 'delivered', but the workflow has its own 'ready'"),
    ],
)
def test_a_map_that_cannot_be_meant_is_refused_at_start(names: dict[str, str], words: str) -> None:
    with pytest.raises(SettingsError, match=f"ORDERCAST_STATUS_MAP: {words}"):
        load_workflow(None, names)


def test_it_is_for_a_workflow_of_the_shops_own_too(tmp_path: Path) -> None:
    path = tmp_path / "workflow.toml"
    path.write_text(
        'initial = "new"\n[statuses.new]\nstep = 1\ncategory = "open"\n[statuses.done]\nstep = 4\ncategory = "done"\n'
        '[[transitions]]\nfrom = "new"\nto = "done"\n'
    )
    assert load_workflow(path, {"FINISHED": "done"}).status("FINISHED").name == "done"


@pytest.mark.parametrize(
    "text", ["SHIPPED=out_for_delivery,Fertig=ready", '{"SHIPPED": "out_for_delivery", "Fertig": "ready"}']
)
def test_it_is_written_as_the_map_of_roles(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("ORDERCAST_STATUS_MAP", text)
    assert load_settings().status_map == {"SHIPPED": "out_for_delivery", "Fertig": "ready"}
    monkeypatch.setenv("ORDERCAST_STATUS_MAP", "SHIPPED")
    with pytest.raises(SettingsError, match="ORDERCAST_STATUS_MAP: must be written as theirs=ours"):
        load_settings()
