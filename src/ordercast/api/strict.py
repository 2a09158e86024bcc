"""Bodies read as RFC 8259 has JSON: no NaN, no lone surrogates, nothing nested without end."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from typing import Any

import msgspec
from fastapi import Request, Response
from fastapi.routing import APIRoute

MAX_DEPTH = 32
"""Levels of a shop's own JSON: far more than an order has, far fewer than an encoder's stack."""


def decode(text: bytes) -> Any:
    """What the JSON says. Raises ``ValueError``, whose words are why it is none."""
    try:
        return msgspec.json.decode(text)
    except RecursionError:
        reason = "it is nested too deeply"
    except UnicodeDecodeError:
        reason = "it is not UTF-8"
    except msgspec.MsgspecError as error:
        reason = str(error)
    raise ValueError(reason)


class StrictRequest(Request):
    """A request whose body is decoded strictly. What it raises, FastAPI makes a validation error of."""

    async def json(self) -> Any:
        body = await self.body()
        try:
            return decode(body)
        except ValueError as error:
            raise json.JSONDecodeError(str(error), "", 0) from None


class StrictRoute(APIRoute):
    """A route whose requests are `StrictRequest`."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def strict(request: Request) -> Response:
            return await handle(StrictRequest(request.scope, request.receive))

        return strict


def shallow(value: Any) -> Any:
    """The value, if it is nested no deeper than `MAX_DEPTH`. Raises ``ValueError``."""
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            inner
            for outer in level
            if isinstance(outer, (dict, list))
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
        if not level:
            return value
    raise ValueError(f"must not be nested deeper than {MAX_DEPTH} levels")
