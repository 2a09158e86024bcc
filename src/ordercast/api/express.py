"""The short way for what comes by the thousand: ``PATCH``, ``PUT`` and ``GET /api/orders/{id}``, ``POST /api/orders``.

A change of status costs less than FastAPI's routing, dependencies and validation of it, so these four are answered
before it where nothing is unusual: a body that `ordercast.api.bodies` understands, a token that holds. Everything
else, with the body already read, goes on to FastAPI, which words every refusal of a request and documents the routes.
What the service raises is answered here as it is there. tests/unit/test_express.py holds both ways to the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ordercast.api.bodies import new_order, patch_arguments, put_arguments
from ordercast.api.context import KEY_LENGTH, Services, bound_key
from ordercast.api.problems import answer_to, internal_error
from ordercast.errors import AuthError, Problem, StorageError
from ordercast.orders.ids import parse_id
from ordercast.orders.models import Written

_ORDERS = "/api/orders"
_ORDER = "/api/orders/"
_METHODS = frozenset({"PATCH", "PUT", "POST", "GET"})

# As clients write it. Other spellings are FastAPI's to judge.
_JSON = frozenset({b"application/json", b"application/json; charset=utf-8", b"application/json;charset=utf-8"})
_LONGEST = 12  # digits of a Content-Length worth reading

Head = Mapping[bytes, bytes]


class Express:
    """ASGI: answers the busiest requests itself and hands the rest to ``app``.

    ``max_body`` in bytes. ``cors``: requests with an ``Origin`` are the rest too, since their answers need more.
    """

    def __init__(self, app: ASGIApp, services: Services, *, max_body: int, cors: bool) -> None:
        self.app = app
        self._services = services
        self._max_body = max_body
        self._cors = cors

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in _METHODS:
            await self.app(scope, receive, send)
            return
        root: str = scope.get("root_path", "")
        path: str = scope["path"]
        if root and path.startswith(root + "/"):
            path = path[len(root) :]
        if not path.startswith(_ORDERS):
            await self.app(scope, receive, send)
            return
        head: Head = dict(reversed(scope["headers"]))  # of several the first counts, as in Starlette
        if self._cors and b"origin" in head:
            await self.app(scope, receive, send)
        elif path == _ORDERS:
            if scope["method"] == "POST":
                await self._create(root, head, scope, receive, send)
            else:
                await self.app(scope, receive, send)
        elif scope["method"] == "POST" or parse_id(id := path[len(_ORDER) :]) is None or path[: len(_ORDER)] != _ORDER:
            await self.app(scope, receive, send)
        elif scope["method"] == "PATCH":
            await self._patch(id, head, scope, receive, send)
        elif scope["method"] == "PUT":
            await self._put(root, id, head, scope, receive, send)
        else:
            await self._get(id, head, scope, receive, send)

    async def _patch(self, id: str, head: Head, scope: Scope, receive: Receive, send: Send) -> None:
        body, receive = await self._body(head, receive)
        arguments = None if body is None else patch_arguments(body)
        if arguments is None:
            await self.app(scope, receive, send)
            return
        try:
            principal = await self._services.authenticate(_text(head, b"authorization"))
            written = await self._services.orders.update(id, principal, **arguments)
            answer = self._services.render(principal)(written.order)
        except AuthError:
            await self.app(scope, receive, send)
        except Exception as error:
            await _failed(error, scope, receive, send)
        else:
            await _reply(send, 200, answer)

    async def _put(self, root: str, id: str, head: Head, scope: Scope, receive: Receive, send: Send) -> None:
        body, receive = await self._body(head, receive)
        arguments = None if body is None else put_arguments(body)
        if arguments is None or arguments[0].order_id not in (None, id):
            await self.app(scope, receive, send)
            return
        try:
            principal = await self._services.authenticate(_text(head, b"authorization"))
            new = replace(arguments[0], order_id=id)
            written = await self._services.orders.put(new, principal, **arguments[1])
            answer = self._services.render(principal)(written.order)
        except AuthError:
            await self.app(scope, receive, send)
        except Exception as error:
            await _failed(error, scope, receive, send)
        else:
            headers = (_location(root, id),) if written.created else ()
            await _reply(send, 201 if written.created else 200, answer, headers)

    async def _create(self, root: str, head: Head, scope: Scope, receive: Receive, send: Send) -> None:
        key = _text(head, b"idempotency-key")
        if key is not None and (root or len(key) > KEY_LENGTH or not key.strip()):
            await self.app(scope, receive, send)
            return
        body, receive = await self._body(head, receive)
        new = None if body is None else new_order(body)
        if body is None or new is None:
            await self.app(scope, receive, send)
            return
        try:
            principal = await self._services.authenticate(_text(head, b"authorization"))
            bound = None if key is None else bound_key(key, principal, "POST", _ORDERS, body)
            render = self._services.render(principal)
            written: Written = await self._services.orders.create(new, principal, bound, render)
            answer = written.replayed if written.replayed is not None else render(written.order)
        except AuthError:
            await self.app(scope, receive, send)
        except Exception as error:
            await _failed(error, scope, receive, send)
        else:
            location = _location(root, written.order.order_id)
            again = () if written.replayed is None else ((b"idempotency-replayed", b"true"),)
            await _reply(send, 201, answer, (*again, location))

    async def _get(self, id: str, head: Head, scope: Scope, receive: Receive, send: Send) -> None:
        if b"content-length" in head or b"transfer-encoding" in head:
            await self.app(scope, receive, send)
            return
        try:
            principal = await self._services.authenticate(_text(head, b"authorization"))
            answer = self._services.render(principal)(await self._services.orders.get(id, principal))
        except AuthError:
            await self.app(scope, receive, send)
        except Exception as error:
            await _failed(error, scope, receive, send)
        else:
            await _reply(send, 200, answer)

    async def _body(self, head: Head, receive: Receive) -> tuple[bytes | None, Receive]:
        """The whole body, and a ``receive`` that gives it once more; ``None`` for one that is not read here."""
        length = head.get(b"content-length", b"")
        if head.get(b"content-type") not in _JSON or len(length) > _LONGEST or not length.isdigit():
            return None, receive
        if int(length) > self._max_body or b"transfer-encoding" in head:
            return None, receive
        messages: list[Message] = []
        size = 0
        while True:
            message = await receive()
            messages.append(message)
            size += len(message.get("body", b""))
            if message["type"] != "http.request" or size > self._max_body:
                return None, _replay(messages, receive)
            if not message.get("more_body", False):
                break
        body = messages[0]["body"] if len(messages) == 1 else b"".join(message["body"] for message in messages)
        return body, _replay(messages, receive)


def _replay(messages: list[Message], receive: Receive) -> Receive:
    """A ``receive`` that gives these messages first."""
    waiting = iter(messages)

    async def again() -> Message:
        for message in waiting:
            return message
        return await receive()

    return again


def _location(root: str, order_id: str) -> tuple[bytes, bytes]:
    return b"location", f"{root}{_ORDER}{order_id}".encode("latin-1")


def _text(head: Head, name: bytes) -> str | None:
    value = head.get(name)
    return None if value is None else value.decode("latin-1")


async def _failed(error: Exception, scope: Scope, receive: Receive, send: Send) -> None:
    """Answers an error; raises one that nobody foresaw again, for the server to log with its traceback."""
    if isinstance(error, (Problem, StorageError)):
        await answer_to(error)(scope, receive, send)
        return
    await internal_error()(scope, receive, send)
    raise error


async def _reply(send: Send, status: int, body: bytes, headers: Iterable[tuple[bytes, bytes]] = ()) -> None:
    own = ((b"content-length", b"%d" % len(body)), (b"content-type", b"application/json"))
    await send({"type": "http.response.start", "status": status, "headers": [*headers, *own]})
    await send({"type": "http.response.body", "body": body})
