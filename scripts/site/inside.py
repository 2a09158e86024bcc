"""Names of the Socket.IO server that are not for applications."""

from __future__ import annotations

from typing import Any

from ordercast.socketio import BroadcastOperator, DynamicNamespace, Handshake, Namespace, Server, Socket

# What the parts of the server call on each other: no leading underscore, and yet not for applications.
INSIDE: dict[type[Any], set[str]] = {
    Server: {
        "on_open",
        "on_message",
        "on_close",
        "await_attachments",
        "find_existing",
        "find_namespace",
        "forget_namespace",
        "spawn",
    },
    Namespace: {"connect", "emptied", "event", "remove", "members", "next_ack", "encode_event", "hear_server_side"},
    DynamicNamespace: set(),
    BroadcastOperator: {"ask", "deliver"},
    Socket: {"acknowledged", "catch_all", "expect", "expect_no_more", "let_go", "over", "send_packet"},
    Handshake: set(),
}
