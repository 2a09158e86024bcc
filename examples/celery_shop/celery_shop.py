"""A shop whose kitchen works through Celery: its tasks move orders along, in processes that serve nobody.

    export ORDERCAST_DATABASE_URL=postgresql://shop:password@127.0.0.1/shop ORDERCAST_REDIS_URL=redis://127.0.0.1:6379
    ordercast migrate && ordercast serve                                          # with ORDERCAST_JWT_SECRET
    celery --workdir examples/celery_shop --app celery_shop worker                # in another terminal
    celery --workdir examples/celery_shop --app celery_shop call celery_shop.move --args '[17, "accepted", "kitchen"]'

The server's clients hear of a change at once, since it is in the log that the server follows.
"""

from __future__ import annotations

import os

from celery import Celery

from ordercast import open_orders_sync
from ordercast.errors import StorageError
from ordercast.orders.ids import json_id
from ordercast.socketio.emitter import Emitter

REDIS = os.environ["ORDERCAST_REDIS_URL"]

app = Celery("celery_shop", broker=os.environ.get("CELERY_BROKER_URL", REDIS))


@app.task(name="celery_shop.move", autoretry_for=(StorageError,), retry_backoff=True)
def move(order_id: int | str, status: str, updated_by: str) -> str:
    """Business code: a dish moves along, and everyone concerned learns it.

    The same again changes nothing, so a task that ran twice does no harm. What the workflow does not have raises
    `TransitionNotAllowed`, and the task fails.
    """
    with open_orders_sync() as orders:  # where tasks come by the second, open them once a process instead
        order = orders.change_status(order_id, status, updated_by)
    if order.status == "ready":
        # An event of the shop's own, beside Ordercast's: over Redis, to whichever server has the customer.
        with Emitter(REDIS) as emitter:
            emitter.to(f"user:{order.customer_id}").emit("kitchen:bell", {"orderId": json_id(order.order_id)})
    return order.status
