"""What FastAPI makes at the first request, made beforehand."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Scope

_PATHS = ("/board", "/-")
"""A file, which imports what sends files; and no route's, for which all are looked at."""


async def warm(api: ASGIApp) -> None:
    """Asks for what nobody wants to know. Every route's validators are made then: later, all clients' events would wait
    for that."""
    for path in _PATHS:
        await api(_scope(path), _nothing, _ignore)


def _scope(path: str) -> Scope:
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"localhost")],
        "client": None,
        "server": None,
    }


async def _nothing() -> Message:
    return {"type": "http.disconnect"}


async def _ignore(message: Message) -> None:
    pass
