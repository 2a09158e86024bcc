"""The way in under any ASGI server.

https://asgi.readthedocs.io/en/latest/specs/www.html
"""

from __future__ import annotations

from ordercast.engineio.asgi_polling import Receive, Scope, Send, handle
from ordercast.engineio.asgi_websocket import AsgiWebSocket
from ordercast.engineio.server import EngineServer

__all__ = ["Receive", "Scope", "Send", "app"]


async def app(engine: EngineServer, scope: Scope, receive: Receive, send: Send) -> None:
    """Serves one ASGI connection on the engine's path."""
    if scope["type"] == "websocket":
        await AsgiWebSocket(engine).run(scope, receive, send)
    else:
        await handle(engine, scope, receive, send)
