"""Every setting in a sentence, with its unit and when a changed value counts: for `ordercast.reload`, and for
docs/reference/settings.md, which is written from here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain
from types import MappingProxyType
from typing import Final


class Taken(StrEnum):
    """When a value counts that a reload brings."""

    LIVE = "at once"
    NEW = "for new connections"
    RESTART = "after a restart"


@dataclass(frozen=True, slots=True)
class Entry:
    """A setting. ``unit`` of its number, if it is one; ``more`` goes behind ``taken``."""

    meaning: str
    taken: Taken = Taken.LIVE
    unit: str = ""
    more: str = ""


LIVE, NEW, RESTART = Taken

GROUPS: Final[Mapping[str, Mapping[str, Entry]]] = MappingProxyType(
    {
        "Where it listens": {
            "host": Entry("The address to listen on; `0.0.0.0` for all of this machine's.", RESTART),
            "port": Entry("The port; 0 takes a free one.", RESTART),
            "workers": Entry("Processes on that port. Several need PostgreSQL and Redis.", RESTART),
            "cors_origins": Entry("Origins of pages elsewhere that may talk to this server; `*`: all.", LIVE),
            "trusted_proxies": Entry("Addresses and networks of proxies that may name clients; `*`: any.", LIVE),
            "log_format": Entry("`console`, for people, or `json`.", LIVE),
            "log_level": Entry("`debug`, `info`, `warning` or `error`.", LIVE),
        },
        "Orders and their log": {
            "database_url": Entry("`sqlite:///file.db`, or `postgresql://user:password@host/name`.", RESTART),
            "redis_url": Entry("The Redis that joins several nodes.", RESTART),
            "node_name": Entry("This node's name, with which ids begin; unset: another one at each start.", RESTART),
            "node_address": Entry("`http://host:port` where other nodes reach this one; unset: found out.", RESTART),
            "workflow": Entry(
                "A TOML file with the shop's own statuses and steps; unset: the built-in one.",
                LIVE,
                more="the file is read again too; boards that are open take it up when they are loaded anew",
            ),
            "status_map": Entry("The shop's own names for statuses: `SHIPPED=out_for_delivery`.", LIVE),
            "idempotency_ttl": Entry("How long an `Idempotency-Key` is known.", RESTART, "s"),
            "log_retention": Entry("How long events are kept; 0: for ever.", LIVE, "s", "within the hour"),
            "order_retention": Entry(
                "How long done and aborted orders are kept, at least as long as their events; 0: for ever.",
                LIVE,
                "s",
                "within the hour",
            ),
        },
        "Coming back": {
            "replay_max_events": Entry("Events that a client which comes back is told; past it, `resync`.", LIVE),
            "replay_max_age": Entry("How old the first of them may be.", LIVE, "s"),
            "recovery_ttl": Entry("How long it is kept which orders a connection watched.", RESTART, "s"),
        },
        "Tokens": {
            "jwt_secret": Entry(
                "The secret that your backend signs with, 32 bytes or more; several for a rotation, the newest first. "
                "Also read as `JWT_SECRET`.",
                LIVE,
                more="connections that are there stay until their token ends",
            ),
            "jwt_public_key": Entry(
                "Instead: a public key or certificate in PEM, or the path to a file of them.",
                LIVE,
                more="the file is read again too",
            ),
            "jwks_url": Entry("Instead: where your identity provider publishes its keys.", LIVE),
            "jwt_issuer": Entry("What `iss` must be.", LIVE),
            "jwt_audience": Entry("What `aud` must name.", LIVE),
            "jwt_user_claim": Entry("The claim with the user's id; a dotted path leads into it.", LIVE),
            "jwt_role_claim": Entry("The claim with the role, or a list of them.", LIVE),
            "jwt_role_map": Entry("Your names for roles: `courier=operator`.", LIVE),
            "jwt_max_lifetime": Entry("A token that lives longer is refused.", LIVE, "s"),
            "secret_key": Entry(
                "Signs share links and recovery ids, 32 bytes or more; unset: made once, and kept in the database.",
                RESTART,
            ),
        },
        "What customers and operators see": {
            "public_url": Entry(
                "Where customers reach this server, for share links; unset: as the request for the link did.", LIVE
            ),
            "share_lifetime": Entry("How long a share link lives.", LIVE, "s", "links that are out keep their end"),
            "shop_name": Entry("The shop, on the page behind a link.", LIVE),
            "shop_phone": Entry("Its number there.", LIVE),
            "shop_time_zone": Entry("Where a day of the figures begins: `Europe/Berlin`.", LIVE),
            "login_url": Entry("Where operators sign in; unset: they come with a token.", LIVE),
            "refresh_url": Entry("Where their board gets a new token from.", LIVE),
        },
        "Webhooks": {
            "webhook_timeout": Entry("How long an attempt may take.", LIVE, "s"),
            "webhook_retries": Entry("The waits between attempts.", LIVE, "s"),
            "webhook_allow_private": Entry("Private networks that messages may go to all the same; `all`.", LIVE),
            "hooks": Entry("Who may send signed messages in, with which secrets: `name=whsec_…`.", LIVE),
        },
        "How much clients may ask": {
            "max_connections_per_user": Entry(
                "0: no limit; 1: the newest wins.",
                LIVE,
                more="connections that are too many stay until the user's next one",
            ),
            "max_watches": Entry("Orders that one connection watches; 0: no limit.", LIVE),
            "max_message_rate": Entry("Messages from one client; 0: no limit.", LIVE, "per s"),
            "max_payload": Entry("A client's largest message.", NEW, "bytes"),
            "max_packets": Entry("Packets in one request of long-polling.", LIVE),
            "max_fragments": Entry("Frames of one message.", NEW),
            "max_depth": Entry("Levels of a message's JSON.", LIVE),
            "max_digits": Entry("Digits of a whole number in it.", LIVE),
            "max_attachments": Entry("Binary attachments of a message; 0: none.", LIVE),
            "max_attachment_bytes": Entry("Those of one message together.", LIVE, "bytes"),
            "attachment_timeout": Entry("How long they may take.", LIVE, "s"),
            "max_body": Entry("A REST request's body.", LIVE, "bytes"),
            "max_head": Entry("A request's line and headers.", LIVE, "bytes"),
            "head_timeout": Entry("How long those may take.", LIVE, "s"),
            "body_timeout": Entry("How long the body may take after them.", LIVE, "s"),
            "max_sessions": Entry("Connections to this node; 0: no limit.", LIVE),
            "max_handshakes": Entry("Of those, such as have shown no token yet; 0: no limit.", LIVE),
            "max_sessions_per_address": Entry("Connections from one address; 0: no limit.", LIVE),
        },
        "Connections": {
            "allow_eio3": Entry("Lets in clients of Socket.IO 1.x and 2.x.", RESTART),
            "ping_interval": Entry("Time between heartbeats.", NEW, "s"),
            "ping_timeout": Entry("How long a heartbeat may take.", NEW, "s"),
            "connect_timeout": Entry("How long a connection may take to show its token.", NEW, "s"),
            "upgrade_timeout": Entry("How long a change to WebSocket may take.", NEW, "s"),
            "max_queue_bytes": Entry("What may wait for a client that does not read.", LIVE, "bytes"),
            "max_queue_time": Entry("For how long it may read nothing at all of that.", LIVE, "s"),
            "send_buffer_bytes": Entry("A WebSocket's buffer in the kernel; 0: the kernel's own.", NEW, "bytes"),
            "monitor_interval": Entry("Time between two lines in the log on who is online.", LIVE, "s"),
            "position_interval": Entry("Time between two cursors to clients that hear nothing else.", LIVE, "s"),
            "drain_time": Entry("Over how long clients leave a node that stops, where others are there.", LIVE, "s"),
        },
    }
)

SETTINGS: Final[Mapping[str, Entry]] = MappingProxyType(
    dict(chain.from_iterable(group.items() for group in GROUPS.values()))
)
"""All of them, by name, but for the file's own."""
