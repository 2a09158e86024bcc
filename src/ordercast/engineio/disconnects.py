"""Every reason a session ends, and whether the client comes back by itself.

A client comes back when the transport goes away under it; it stays away after a Socket.IO DISCONNECT packet
(the layer above sends that one, then ends the session with `SERVER_DISCONNECT`).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Disconnect:
    """``reason`` is what handlers and logs see, in the words of the Socket.IO documentation where it has some.

    ``close_code`` is the WebSocket close code (RFC 6455, section 7.4.1); ``returns`` says whether clients
    reconnect by themselves. ``farewell``: what is queued goes out first, and the session stays for a while until it
    has (a polling client needs another request for that); otherwise the end is at once. ``silent``: not even a
    close frame, since nobody reads it.
    """

    reason: str
    returns: bool
    close_code: int = 1000
    farewell: bool = False
    silent: bool = False


TRANSPORT_CLOSE = Disconnect("transport close", returns=True)
"""The peer closed the connection, or it was lost."""
TRANSPORT_ERROR = Disconnect("transport error", returns=True, close_code=1002)
"""The peer broke the transport's rules."""
PARSE_ERROR = Disconnect("parse error", returns=True, close_code=1008)
"""The peer sent a packet that is none."""
PING_TIMEOUT = Disconnect("ping timeout", returns=True, silent=True)
"""The peer has gone silent: waiting for it to take what is queued would be waiting again."""
TOO_MUCH = Disconnect("message too large", returns=True, close_code=1009)
"""The peer sent more than a limit allows."""
TOO_MANY_MESSAGES = Disconnect("too many messages", returns=True, close_code=1008)
"""The peer sent more messages in a second than the limit allows."""
ATTACHMENT_TIMEOUT = Disconnect("attachment timeout", returns=True, close_code=1008)
"""The peer announced attachments and did not send them in time."""
CONNECT_TIMEOUT = Disconnect("connect timeout", returns=True)
"""The peer opened a session and joined no namespace in time."""
REFUSED = Disconnect("refused", returns=False, farewell=True)
"""Middleware refused a client before 3.0, which has been told so, and in a DISCONNECT packet to stay away."""
SLOW_CONSUMER = Disconnect("slow_consumer", returns=True, close_code=1013, silent=True)
"""The peer does not read, and what waits for it has grown past the limit."""
SHUTDOWN = Disconnect("server shutting down", returns=True, close_code=1001, farewell=True)
"""This server is going away; another one, or this one after its restart, takes the client."""
SERVER_DISCONNECT = Disconnect("server namespace disconnect", returns=False, farewell=True)
"""The server ended it, and has said so in a DISCONNECT packet."""
CLIENT_DISCONNECT = Disconnect("client namespace disconnect", returns=False)
"""The client ended it, and has said so in a DISCONNECT packet."""

ALL = (
    TRANSPORT_CLOSE,
    TRANSPORT_ERROR,
    PARSE_ERROR,
    PING_TIMEOUT,
    TOO_MUCH,
    TOO_MANY_MESSAGES,
    ATTACHMENT_TIMEOUT,
    CONNECT_TIMEOUT,
    REFUSED,
    SLOW_CONSUMER,
    SHUTDOWN,
    SERVER_DISCONNECT,
    CLIENT_DISCONNECT,
)
