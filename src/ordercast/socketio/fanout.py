"""One event to many sockets: encoded once, queued per client, written once per client and loop turn."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ordercast.engineio.packet import Packet

if TYPE_CHECKING:
    from ordercast.socketio.socket import Socket


def deliver(sockets: Iterable[Socket], packets: list[Packet]) -> int:
    """Queues the same packets for every socket and returns for how many.

    The inner loop is written out, without a call per recipient: it is what a burst consists of. The queues are
    written at the end of the loop turn (`EngineServer.mark_dirty`). A connected socket's session is open.
    """
    count = 0
    if len(packets) == 1:
        packet = packets[0]
        for socket in sockets:
            if socket.connected:
                session = socket.session
                session.queue.append(packet)
                if not session.dirty:
                    session.server.mark_dirty(session)
                count += 1
        return count
    for socket in sockets:
        if socket.connected:
            session = socket.session
            session.queue.extend(packets)
            if not session.dirty:
                session.server.mark_dirty(session)
            count += 1
    return count
