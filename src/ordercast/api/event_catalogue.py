"""Every Socket.IO event of the contract: who says it, who hears it, what it carries. One line each in the tables below.

A new event is a model in `ordercast.api.event_schemas` and an entry here; the AsyncAPI document, ``/docs/events``,
docs/reference/events.md and the TypeScript types follow (``python -m scripts.openapi``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ordercast.api import event_schemas as schemas

CUSTOMER, WATCHERS, GUESTS = "customer", "watchers", "guests"
OPERATORS, BOARDS, CLIENT, FORMER = "operators", "boards", "client", "former"

AUDIENCES = {
    CUSTOMER: "Whose order it is, on every device.",
    WATCHERS: "Whoever watches the order after `watch:order`.",
    GUESTS: "Whoever has a share link of the order.",
    OPERATORS: "Operators and admins; where their token names `shops`, of the orders of those shops.",
    BOARDS: "Every operator and admin, of whichever shop.",
    FORMER: "Whose order it was before: its customer, and the operators of its shop.",
    CLIENT: "The client that it concerns, whatever its role; one with a share link too.",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """An acknowledgement, or another answer: what it is called, what it may be (each a payload), an example of each."""

    name: str
    summary: str
    payloads: tuple[Any, ...]
    examples: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Event:
    """One event. ``payload``: the type of its one argument. ``who``: those who may say it, or who hear it."""

    name: str
    who: tuple[str, ...]
    summary: str
    payload: Any
    example: Any
    more: str = ""
    answer: Answer | None = None


_TIME = "2026-11-25T18:30:00.000Z"
_PLACE = {"version": 3, "position": 1041}
_WATCHING = {"orderId": 17, "status": "preparing", **_PLACE}
_DENIED = {"orderId": 17, "error": "not_found"}
_JWT = "eyJhbGciOiJIUzI1NiJ9.…"
_ORDER = {
    "orderId": 17,
    "shopId": "north",
    "customerId": 42,
    "reference": "A-17",
    "fulfilment": "delivery",
    "status": "received",
    "statusSince": _TIME,
    "step": 1,
    "version": 1,
    "items": [{"name": "Pizza Margherita", "quantity": 2}],
    "total": 19.5,
    "currency": "EUR",
    "note": None,
    "contact": None,
    "expectedAt": "2026-11-25T19:10:00.000Z",
    "claimedBy": None,
    "firstContactAt": None,
    "createdAt": _TIME,
    "updatedAt": _TIME,
}

FROM_SERVER: tuple[Event, ...] = (
    Event(
        "order:created",
        (OPERATORS, CUSTOMER),
        "There is a new order.",
        schemas.OrderCreated,
        {**_ORDER, "position": 1039},
        more="`claimedBy` is the shop's own business: for the customer it is null.",
    ),
    Event(
        "order:updated",
        (CUSTOMER, WATCHERS, GUESTS),
        "An order has another status.",
        schemas.OrderUpdated,
        {"orderId": 17, "status": "preparing", "updatedAt": _TIME, **_PLACE},
        more="Once per socket, also for one that is the customer's and watches.",
    ),
    Event(
        "order:status_changed",
        (OPERATORS,),
        "An order has another status; with whose it is and who did it.",
        schemas.OrderStatusChanged,
        {"orderId": 17, "status": "preparing", "customerId": 42, "updatedBy": "ana", "updatedAt": _TIME, **_PLACE},
    ),
    Event(
        "order:changed",
        (OPERATORS, CUSTOMER, WATCHERS, GUESTS),
        "Something besides an order's status has changed.",
        schemas.OrderChanged,
        {"orderId": 17, "changes": {"expectedAt": "2026-11-25T19:20:00.000Z"}, **_PLACE},
        more="Customers and watchers hear what customers may see, guests what is not personal; where nothing of the "
        "change is, they hear nothing. Operators always hear it, so that no version is missing.",
    ),
    Event(
        "order:gone",
        (FORMER,),
        "An order has become another customer's or shop's.",
        schemas.OrderGone,
        {"orderId": 17, **_PLACE},
        more="Who keeps a list removes it. It tells nothing of whose the order is now. Where the order's last event is "
        "older than `ORDERCAST_LOG_RETENTION`, nobody knows any more whose it was, and nobody is told.",
    ),
    Event(
        "board:changed",
        (BOARDS,),
        "An admin has set how long an order may take in each status.",
        schemas.BoardChanged,
        {"targets": {"received": 120, "preparing": 1_200}},
        more="Not in the log: who was away asks `GET /api/board` again.",
    ),
    Event(
        "watching",
        (CLIENT,),
        "The answer to `watch:order`: how the order stands.",
        schemas.Watching,
        _WATCHING,
        more="Comes also where a client is back after `resync` and still watches the order.",
    ),
    Event(
        "watch:denied",
        (CLIENT,),
        "The answer to `watch:order` where there is nothing to watch.",
        schemas.WatchDenied,
        _DENIED,
        more="Comes also, with `not_found`, for an order that is watched and may not be seen any more: it has become "
        "another customer's or shop's, or `auth:refresh` came with fewer rights.",
    ),
    Event(
        "token:expiring",
        (CLIENT,),
        "The token in use ends in a minute.",
        schemas.TokenExpiring,
        {"expiresAt": 1_795_631_400},
    ),
    Event(
        "caught_up",
        (CLIENT,),
        "What was missed since `since` has been told.",
        schemas.CaughtUp,
        {"position": 1041},
    ),
    Event(
        "resync",
        (CLIENT,),
        "What was missed cannot be told whole: fetch anew what is shown.",
        schemas.Resync,
        {"position": 1041},
        more="Away too long, too much missed, or another database.",
    ),
    Event(
        "position",
        (CLIENT,),
        "Where the client now is in the log: the cursor to come back with.",
        schemas.Cursor,
        "Yw3kP0aZ.1041",
        more="Follows order events and comes now and then. `socket.io-client` from 4.6 on keeps it by itself.",
    ),
    Event(
        "force_disconnect",
        (CLIENT,),
        "The server ends the connection, and why.",
        schemas.ForceDisconnect,
        {"reason": "new_login"},
        more="A DISCONNECT packet follows: `socket.io-client` reports `io server disconnect` and stays away. A server "
        "that restarts only closes the transport, and clients come back.",
    ),
)

FROM_CLIENT: tuple[Event, ...] = (
    Event(
        "watch:order",
        (CLIENT,),
        "Watch an order that the client may see.",
        schemas.OrderId,
        17,
        more="Always answered by `watching` or `watch:denied`; acknowledged with the same, if asked.",
        answer=Answer(
            "watch:order acknowledgement",
            "How the order stands, or why it is not watched.",
            (schemas.Watching, schemas.WatchDenied),
            (_WATCHING, _DENIED),
        ),
    ),
    Event(
        "unwatch:order",
        (CLIENT,),
        "Stop watching an order.",
        schemas.OrderId,
        17,
        more="Acknowledged, if asked, with nothing. Not watching it is no error.",
    ),
    Event(
        "auth:refresh",
        (CLIENT,),
        "Go on with a new token of the same user.",
        schemas.Token,
        _JWT,
        answer=Answer(
            "auth:refresh acknowledgement",
            "When the new token ends, or why it does not do.",
            (schemas.TokenRefreshed, schemas.TokenRefused),
            ({"expiresAt": 1_795_635_000}, {"error": "Invalid token"}),
        ),
    ),
)

CONNECT = Event(
    "connect",
    (CLIENT,),
    "The CONNECT packet's `auth`: who the client is, and where it was.",
    schemas.Auth,
    {"token": _JWT, "since": "Yw3kP0aZ.1041"},
    more="No event but the beginning of a connection; refused by a CONNECT_ERROR packet.",
    answer=Answer(
        "connect_error",
        "Why there is no connection.",
        (schemas.ConnectRefused,),
        ({"message": "Token expired"},),
    ),
)
