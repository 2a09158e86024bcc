"""How much one client, and all of them, may ask of a node: the settings of the Socket.IO side.

Each has the name and the default of the option it sets; `ordercast.engineio.options` has the reasons of most.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, NonNegativeInt, PositiveInt
from pydantic_settings import BaseSettings

_CENTURY = 100 * 365.25 * 86_400  # s: longer than any of these, and a time so far away still fits every clock

Seconds = Annotated[float, Field(gt=0, le=_CENTURY, allow_inf_nan=False)]
SecondsOr0 = Annotated[float, Field(ge=0, le=_CENTURY, allow_inf_nan=False)]


class Limits(BaseSettings):
    """Intervals in seconds, sizes in bytes. 0 is no limit where it is allowed."""

    allow_eio3: bool = True
    connect_timeout: Seconds = 10
    ping_interval: Seconds = 25
    ping_timeout: Seconds = 20
    upgrade_timeout: Seconds = 10
    head_timeout: Seconds = 10
    body_timeout: Seconds = 15

    max_head: Annotated[int, Field(ge=1_024)] = 16_384
    max_payload: PositiveInt = 16_384
    max_packets: PositiveInt = 256
    max_fragments: PositiveInt = 128
    max_depth: PositiveInt = 32
    max_digits: Annotated[int, Field(ge=16, le=4_300)] = 1_024
    max_attachments: NonNegativeInt = 0
    max_attachment_bytes: PositiveInt = 1_048_576
    attachment_timeout: Seconds = 10
    max_message_rate: NonNegativeInt = 500
    max_queue_bytes: PositiveInt = 1_048_576
    max_queue_time: Seconds = 30
    send_buffer_bytes: NonNegativeInt = 65_536
    max_sessions: NonNegativeInt = 100_000
    max_handshakes: NonNegativeInt = 10_000
    max_sessions_per_address: NonNegativeInt = 0

    def server_options(self) -> dict[str, Any]:
        """Keyword arguments for `ordercast.socketio.Server`."""
        return {name: getattr(self, name) for name in Limits.model_fields}
