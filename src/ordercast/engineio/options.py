"""What can be set, with the reason of each default."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ordercast.engineio.request import Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Times in seconds, sizes in bytes. A limit of 0 is none."""

    path: str = "/socket.io/"
    """Where clients find us, a slash at either end."""
    transports: tuple[str, ...] = ("polling", "websocket")
    allow_eio3: bool = True
    """Lets in clients of Engine.IO 3: Socket.IO 1.x and 2.x."""
    cors_origins: tuple[str, ...] = ()
    """The origins pages may come from, ``"*"`` for any; the server's own host is always allowed."""
    allow_request: Callable[[Request], bool] | None = None
    """Asked before a handshake; a ``False`` is a 403."""
    cookie: str | None = None
    """The name of a cookie with the session's id, for balancers that stick to one; off, as ours need none."""

    node: str = ""
    """The name of this node, with which the ids of its sessions begin, so that others know whose they are."""

    ping_interval: float = 25
    """Below the 30 s and more after which proxies give up on a silent connection."""
    ping_timeout: float = 20
    upgrade_timeout: float = 10
    linger: float = 5
    """How long a closing session waits for its client to take the last packets: twice a slow round trip."""

    max_payload: int = 16_384
    """A message, and the body of a polling request, from a client: its largest has a token of 4 kB."""
    max_packets: int = 256
    """In one polling request."""
    max_fragments: int = 128
    """Of one WebSocket message: each empty one costs memory too."""
    max_message_rate: int = 500
    """Messages a second from one client: far more than people cause, far less than a server can take."""
    max_queue_bytes: int = 1_048_576
    """What may wait for a client that does not read."""
    max_queue_time: float = 30
    """And for how long nothing at all of it may be taken: longer than a tunnel, shorter than patience."""

    send_buffer_bytes: int = 65_536
    """Of a WebSocket, in the kernel (Linux takes twice as much), which by itself would let it grow to megabytes: for a
    client that does not read that is minutes of states that are old by the time it does. 0: the kernel's own."""

    max_sessions: int = 100_000
    """On this node: some GB with all they need."""
    max_handshakes: int = 10_000
    """Sessions that have joined nothing yet; a reconnect storm has thousands of them at once."""
    max_sessions_per_address: int = 0
    """Off, since behind a proxy all come from one, and so do an office's people."""
    trusted_proxies: tuple[str, ...] = ()
    """Addresses and networks whose ``X-Forwarded-For`` is believed; ``"*"`` for any."""

    max_head: int = 16_384
    """Request line and headers together: twice what nginx takes by default."""
    head_timeout: float = 10
    """From the first byte of a request to the end of its head."""
    body_timeout: float = 15
    """From the end of the head to the end of the body: 1 MiB at 70 kB/s."""
