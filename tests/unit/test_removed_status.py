"""An order in a status that the workflow has no longer: shown as it is, off the progress bar."""

from __future__ import annotations

import json

from ordercast.api.application import create_api
from ordercast.orders.announcements import announcements
from ordercast.orders.models import NewOrder
from ordercast.orders.workflow import load_workflow
from ordercast.testing import memory_storage
from tests.rest import JSON, MAX_BODY, Side, ask, bearer


async def test_it_can_be_read_listed_noted_and_forced_on() -> None:
    side = Side(memory_storage())
    created = await side.storage.orders.create(NewOrder(customer_id="42"), "removed", "shop")
    id = created.order.order_id
    api = create_api(side.services, max_body=MAX_BODY)
    for caller in (bearer("service", "shop"), bearer("operator"), bearer("customer", 42)):
        status, _, body = await ask(api, "GET", f"/api/orders/{id}", headers=caller)
        order = json.loads(body)
        assert (status, order["status"], order["step"]) == (200, "removed", 0)
        status, _, body = await ask(api, "GET", "/api/orders", headers=caller)
        assert (status, json.loads(body)["orders"]) == (200, [order])
        status, _, body = await ask(api, "GET", "/api/events", headers=caller, query=b"after=0")
        assert (status, json.loads(body)["events"][0]["data"]["step"]) == (200, 0)
    for change, outcome in (
        ({"note": "x"}, 200),
        ({"status": "accepted"}, 409),
        ({"status": "removed"}, 422),
        ({"status": "accepted", "force": True}, 200),
    ):
        patch = json.dumps(change).encode()
        status, _, body = await ask(api, "PATCH", f"/api/orders/{id}", [patch], bearer("service", "shop") + JSON)
        assert status == outcome, body
    assert json.loads(body)["step"] == 2


async def test_it_is_announced() -> None:
    storage = memory_storage()
    written = await storage.orders.create(NewOrder(customer_id="42"), "removed", "shop")
    assert written.event is not None
    steps = [said.data["step"] for said in announcements(written.event, written.order, load_workflow().step)]
    assert steps == [0, 0]
