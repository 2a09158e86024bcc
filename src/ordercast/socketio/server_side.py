"""Events between the nodes themselves. https://socket.io/docs/v4/server-api/#serverserversideemiteventname-args"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, overload

from ordercast.socketio.listeners import Listener, Listeners
from ordercast.socketio.packet import check_event_name

if TYPE_CHECKING:
    from ordercast.socketio.server import Server

_log = logging.getLogger("ordercast.socketio")


class ServerSide:
    """What a `Namespace` says to its like on other nodes, and hears from them.

    In Node.js these events share ``on`` with ``connection``. Here ``on`` is for events of clients, who could otherwise
    send what only servers may.
    """

    server: Server
    name: str

    def __init__(self) -> None:
        self._server_side = Listeners()

    @overload
    def on_server_side_emit(self, event: str) -> Callable[[Listener], Listener]: ...
    @overload
    def on_server_side_emit(self, event: str, listener: Listener) -> Listener: ...
    def on_server_side_emit(self, event: str, listener: Listener | None = None) -> Any:
        """Listens to an event that another node sends; plain or async, also as a decorator.

        What the first listener returns is this node's answer, where one is asked for.
        """
        if listener is None:
            return lambda function: self.on_server_side_emit(event, function)
        self._server_side.add(event, listener)
        return listener

    def off_server_side_emit(self, event: str, listener: Listener | None = None) -> None:
        """Stops a listener, or all of an event's."""
        self._server_side.remove(event, listener)

    def server_side_emit(self, event: str, *args: Any) -> None:
        """Sends an event to the other nodes, if there are any. Returns at once; never awaits.

        Raises ``ValueError`` for a reserved name and ``TypeError`` for what JSON cannot hold, binary included.
        """
        check_event_name(event)
        self.server.cluster.server_side_emit(self.name, event, args)

    async def server_side_emit_with_ack(self, event: str, *args: Any, timeout: float | None = None) -> list[Any]:  # noqa: ASYNC109 - Socket.IO's own word
        """Sends an event to the other nodes and returns what each answered, in no order.

        Raises `ClusterTimeout` where some did not within ``timeout`` (s; ``None``: the cluster's ``request_timeout``);
        its ``responses`` are those that came.
        """
        check_event_name(event)
        return await self.server.cluster.server_side_emit_with_ack(self.name, event, args, timeout)

    def hear_server_side(self, event: str, args: Sequence[Any], answer: Callable[[Any], None] | None) -> None:
        """Another node's event. ``answer``, if given, is always called: who asks counts every node, and waits."""
        for listener in self._server_side.of(event):
            self._hear(event, listener, args, answer)
            answer = None
        if answer is not None:
            answer(None)

    def _hear(self, event: str, listener: Listener, args: Sequence[Any], answer: Callable[[Any], None] | None) -> None:
        result: Any = None
        try:
            result = listener(*args)
        except Exception:
            _log.exception("server-side listener failed", extra={"event_name": event})
        if inspect.isawaitable(result):
            self.server.spawn(self._finish_hearing(event, result, answer))
        elif answer is not None:
            answer(result)

    async def _finish_hearing(self, event: str, result: Awaitable[Any], answer: Callable[[Any], None] | None) -> None:
        value: Any = None
        try:
            value = await result
        except Exception:
            _log.exception("server-side listener failed", extra={"event_name": event})
        if answer is not None:
            answer(value)
