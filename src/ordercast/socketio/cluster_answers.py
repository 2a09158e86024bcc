"""What other nodes ask of this one: done, and always answered, as who asks counts on every node that listens."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from ordercast.socketio import cluster_write as write
from ordercast.socketio.cluster import Selection
from ordercast.socketio.cluster_read import (
    CLIENT_COUNT,
    AllRooms,
    Broadcast,
    BroadcastWithAck,
    Disconnect,
    Fetch,
    Ids,
    Join,
    Leave,
    Options,
    Request,
    ServerSideEmit,
)
from ordercast.socketio.operator import DEFAULT_ACK_TIMEOUT, BroadcastOperator
from ordercast.socketio.remote import describe

if TYPE_CHECKING:
    from ordercast.socketio.namespace import Namespace

Publish = Callable[[bytes], None]

_log = logging.getLogger("ordercast.socketio")

_MAX_ACK_TIMEOUT = 600.0  # s for which another node may have us remember whom it asked


def broadcast(namespace: Namespace, said: Broadcast) -> None:
    """An event for clients of ours. Raises ``TypeError`` or ``ValueError`` for one that no client can be sent."""
    event, *args = said.packet.data
    _select(namespace, said.opts.selection(), said.opts.flag("volatile") is True).emit(event, *args)


def _select(namespace: Namespace, to: Selection, volatile: bool = False) -> BroadcastOperator:
    """Our sockets among those who are meant."""
    return BroadcastOperator(namespace, to.rooms, to.except_, volatile, local=True)


def answer(namespace: Namespace, request: Request, publish: Publish) -> None:
    """Does what is asked, and publishes the answer, now or once it is known."""
    if isinstance(request, ServerSideEmit):
        _server_side(namespace, request, publish)
    elif isinstance(request, BroadcastWithAck):
        _broadcast_with_ack(namespace, request, publish)
    elif isinstance(request, Fetch):
        sockets = [_describe(socket) for socket in _select(namespace, request.opts.selection()).sockets()]
        publish(write.response(request.request_id, sockets=sockets))
    elif isinstance(request, Ids):
        to = Selection(frozenset(map(str, request.rooms)))
        ids = [socket.id for socket in _select(namespace, to).sockets()]
        publish(write.response(request.request_id, sockets=ids))
    elif isinstance(request, AllRooms):
        publish(write.response(request.request_id, rooms=[*namespace.rooms.names(), *namespace.sockets]))
    else:
        _move(namespace, request, publish)


def _move(namespace: Namespace, request: Join | Leave | Disconnect, publish: Publish) -> None:
    target = _target(namespace, request.opts, request.sid)
    if target is None:
        return
    if isinstance(request, Disconnect):
        target.disconnect_sockets(request.close is True)
    else:
        rooms = [str(room) for room in request.rooms]
        if request.opts is None:
            rooms = [] if request.room is None else [str(request.room)]
        (target.sockets_join if isinstance(request, Join) else target.sockets_leave)(*rooms)
    if request.opts is None and request.request_id is not None:
        publish(write.response(request.request_id))


def _target(namespace: Namespace, opts: Options | None, sid: str | None) -> BroadcastOperator | None:
    if opts is not None:
        return _select(namespace, opts.selection())
    if sid is not None and sid in namespace.sockets:
        return _select(namespace, Selection(frozenset((sid,))))
    return None  # only the node that has it answers


def _describe(socket: Any) -> dict[str, Any]:
    details = describe(socket)
    try:
        write.response("", data=details["data"])
    except TypeError:
        # The application's own state need not be JSON here; who asks must have an answer all the same.
        _log.warning("a socket's data cannot be sent to another node", extra={"sid": socket.id})
        details["data"] = {}
    return details


def _server_side(namespace: Namespace, request: ServerSideEmit, publish: Publish) -> None:
    event, *args = request.data
    id = request.request_id
    if id is None:
        namespace.hear_server_side(event, args, None)
        return

    def reply(value: Any) -> None:
        try:
            payload = write.response(id, type=6, data=value)
        except TypeError:
            _log.exception("a server-side answer cannot be sent", extra={"event_name": event})
            payload = write.response(id, type=6, data=None)
        publish(payload)

    namespace.hear_server_side(event, args, reply)


def _broadcast_with_ack(namespace: Namespace, request: BroadcastWithAck, publish: Publish) -> None:
    event, *args = request.packet.data
    asked = _select(namespace, request.opts.selection()).ask(event, args)
    publish(write.response(request.request_id, type=CLIENT_COUNT, clientCount=len(asked.answers)))
    for one in asked.answers:
        one.add_done_callback(partial(_acknowledged, request.request_id, publish))
    wanted = request.opts.flag("timeout")
    timeout = wanted / 1000 if isinstance(wanted, (int, float)) else DEFAULT_ACK_TIMEOUT
    asyncio.get_running_loop().call_later(min(max(timeout, 0.0), _MAX_ACK_TIMEOUT), asked.forget)


def _acknowledged(id: str, publish: Publish, answer: asyncio.Future[Any]) -> None:
    if not answer.cancelled() and answer.exception() is None:
        value = answer.result()
        # The format has room for one argument.
        publish(write.client_ack(id, value[0] if isinstance(value, tuple) else value))
