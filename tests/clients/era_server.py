"""Ordercast with some handlers of a test's own, as a host application adds them."""

from __future__ import annotations

from typing import Any

from ordercast import Ordercast
from ordercast.serving import bind, run, serve
from ordercast.socketio import Socket

live = Ordercast()


@live.io.on("echo:event")
def echo_event(socket: Socket, text: str, data: Any) -> None:
    """What came, as an event."""
    socket.emit("echo:back", {"text": text, "data": data})


@live.io.on("echo:ack")
def echo_ack(socket: Socket, *args: Any) -> Any:
    """What came, as an acknowledgement."""
    return args


@live.io.on("ask:me")
async def ask_me(socket: Socket, text: str) -> Any:
    """Whether the client answers a question rightly."""
    answer, data = await socket.emit_with_ack("question", text, timeout=20)
    return answer == text and data == bytes([0, 1, 2, 127, 128, 255, 254, 10, 13, 30])


@live.io.on("send:me:away")
def send_me_away(socket: Socket) -> None:
    """The server ends the connection."""
    socket.disconnect(close=True)


@live.io.of("/echo").on("hello")
def hello(socket: Socket) -> str:
    """In a namespace of its own."""
    return f"hello from {socket.namespace.name}"


if __name__ == "__main__":
    run(serve(live, bind(live.settings)))
