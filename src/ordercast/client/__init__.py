"""A client for scripts and services. Needs ``pip install 'ordercast[client]'``.

``OrdercastClient`` is for asyncio, ``connect`` for scripts without it. Uses nothing of the server.
"""

try:
    import aiohttp as _aiohttp  # noqa: F401
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        "ordercast.client needs aiohttp: pip install 'ordercast[client]'", name=error.name
    ) from error

from ordercast.client.actions import KEPT
from ordercast.client.backoff import Backoff
from ordercast.client.client import OrdercastClient
from ordercast.client.connection import Connection, Reason, Status
from ordercast.client.cursors import Cursor
from ordercast.client.errors import Broken, ClientError, Ended, Problem, Resync, TokenError, Unreachable
from ordercast.client.following import Events
from ordercast.client.ids import Id
from ordercast.client.models import Event, Order, OrderPage, Share
from ordercast.client.order_watch import OrderWatch
from ordercast.client.script import ScriptClient, connect
from ordercast.client.tokens import Token

__all__ = [
    "KEPT",
    "Backoff",
    "Broken",
    "ClientError",
    "Connection",
    "Cursor",
    "Ended",
    "Event",
    "Events",
    "Id",
    "Order",
    "OrderPage",
    "OrderWatch",
    "OrdercastClient",
    "Problem",
    "Reason",
    "Resync",
    "ScriptClient",
    "Share",
    "Status",
    "Token",
    "TokenError",
    "Unreachable",
    "connect",
]
