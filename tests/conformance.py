"""The servers that Socket.IO's official conformance suites expect; CONTRIBUTING tells where the suites are.

python -m tests.conformance socketio          # or engineio; --asgi for plain ASGI
"""

from __future__ import annotations

import sys
from typing import Any

import uvicorn

from ordercast.engineio import Disconnect, EngineServer, Options, Session, message
from ordercast.engineio.asgi import Receive, Scope, Send
from ordercast.engineio.asgi import app as engine_app
from ordercast.engineio.uvicorn import protocol_class
from ordercast.socketio import Server, Socket

PORT = 3000
LIMITS: dict[str, Any] = {"ping_interval": 0.3, "ping_timeout": 0.2, "max_payload": 1_000_000, "cors_origins": ("*",)}


class Echo:
    """An engine's handler that sends back what it gets."""

    def on_open(self, session: Session) -> None:
        """Nothing to say."""

    def on_message(self, session: Session, data: str | bytes) -> None:
        """The echo."""
        session.send(message(data))

    def on_close(self, session: Session, why: Disconnect) -> None:
        """Nothing to do."""


def engineio() -> tuple[Any, dict[str, Any]]:
    """An application and the settings of its fast way in."""
    engine = EngineServer(Echo(), Options(path="/engine.io/", **LIMITS))

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await engine_app(engine, scope, receive, send)

    return app, {"http": protocol_class(engine), "ws": "websockets-sansio"}


def socketio() -> tuple[Any, dict[str, Any]]:
    """The same for Socket.IO."""
    io = Server(max_attachments=10, **LIMITS)
    for namespace in (io.of("/"), io.of("/custom")):

        @namespace.on("connection")
        def connection(socket: Socket) -> None:
            socket.emit("auth", socket.handshake.auth)

        @namespace.on("message")
        def heard(socket: Socket, *args: Any) -> None:
            socket.emit("message-back", *args)

        @namespace.on("message-with-ack")
        def asked(socket: Socket, *args: Any) -> Any:
            return args

    return io, io.uvicorn_settings()


if __name__ == "__main__":
    app, fast = {"engineio": engineio, "socketio": socketio}[sys.argv[1]]()
    settings = {} if "--asgi" in sys.argv else fast
    uvicorn.run(app, port=PORT, loop="uvloop", lifespan="off", log_level="warning", **settings)
