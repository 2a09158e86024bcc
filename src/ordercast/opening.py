"""The orders for a process that serves nobody: a Celery task, a cron job, a management command."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from functools import partial, update_wrapper
from typing import Concatenate, ParamSpec, TypeVar

from anyio.from_thread import BlockingPortal, start_blocking_portal

from ordercast.config import Settings, load_settings
from ordercast.orders.kept import OwnStorage, checked
from ordercast.orders.service import OrderService
from ordercast.orders.workflow import load_workflow
from ordercast.storage import file_lock
from ordercast.storage.database import database_path, open_storage

P = ParamSpec("P")
T = TypeVar("T")

_NOT_BESIDE = (
    "Another process has the database {path} open. Where it is a server, change orders over its REST API, or keep them "
    "in PostgreSQL, where any process may write; what else it is, wait for its end."
)


@asynccontextmanager
async def open_orders(
    settings: Settings | None = None, *, storage: OwnStorage | None = None
) -> AsyncIterator[OrderService]:
    """The orders of a database, as ``Ordercast.orders``, without sockets, REST and everything else that serves.

    ::

        async with open_orders() as orders:
            await orders.change_status(17, "ready", updated_by="kitchen")

    What it commits to PostgreSQL reaches every server's clients at once. A file must have no server meanwhile; the next
    one tells its clients. ``settings`` need no keys. ``storage``: as `Ordercast` has it. Raises `SettingsError`,
    `StorageError`.
    """
    settings = settings or load_settings()
    workflow = load_workflow(settings.workflow, settings.status_map)
    async with AsyncExitStack() as stack:
        if storage is not None:
            kept = checked(await stack.enter_async_context(storage.opened(settings)))
            yield OrderService(kept.orders, workflow)
            return
        if not settings.may_have_nodes:
            path = database_path(settings)
            stack.enter_context(file_lock.held(path, _NOT_BESIDE.format(path=path)))
        ours = await stack.enter_async_context(open_storage(settings))
        yield OrderService(ours.orders, workflow)


@contextmanager
def open_orders_sync(settings: Settings | None = None, *, storage: OwnStorage | None = None) -> Iterator[WaitingOrders]:
    """The same for plain code: an event loop on a thread of its own does the work, and each call waits for it.

    ::

        with open_orders_sync() as orders:
            orders.change_status(17, "ready", updated_by="kitchen")

    A process that forks must do that before it opens them.
    """
    with (
        start_blocking_portal(name="ordercast-orders") as portal,
        portal.wrap_async_context_manager(open_orders(settings, storage=storage)) as orders,
    ):
        yield WaitingOrders(portal, orders)


def _waiting(
    method: Callable[Concatenate[OrderService, P], Awaitable[T]],
) -> Callable[Concatenate[WaitingOrders, P], T]:
    def call(self: WaitingOrders, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return self.portal.call(partial(method, self.orders, *args, **kwargs))

    return update_wrapper(call, method)


class WaitingOrders:
    """`OrderService` for plain code, from any thread: the same calls, which wait."""

    def __init__(self, portal: BlockingPortal, orders: OrderService) -> None:
        self.portal = portal
        self.orders = orders

    get = _waiting(OrderService.get)
    find = _waiting(OrderService.find)
    history = _waiting(OrderService.history)
    create = _waiting(OrderService.create)
    update = _waiting(OrderService.update)
    change_status = _waiting(OrderService.change_status)
    contact = _waiting(OrderService.contact)
    claim = _waiting(OrderService.claim)
    release = _waiting(OrderService.release)
