"""Errors of the Socket.IO layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class PacketError(ValueError):
    """A packet that is not Socket.IO."""


class ConnectError(Exception):
    """Raised by middleware to refuse a connection: the client's ``connect_error`` gets ``message`` and ``data``.

    https://socket.io/docs/v4/middlewares/#handling-middleware-error

    A client before 3.0 does not end its session by itself, and is disconnected after `Server`'s ``connect_timeout``;
    many apps connect again upon that. With ``keep_session`` it is left in peace, in no namespace.
    """

    def __init__(self, message: str, data: Any = None, *, keep_session: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.data = data
        self.keep_session = keep_session


class AckTimeout(TimeoutError):
    """The client did not acknowledge in time, or was gone before it could.

    ``responses``: what the others acknowledged, where the event went to several.
    """

    def __init__(self, message: str, responses: Sequence[Any] = ()) -> None:
        super().__init__(message)
        self.responses = list(responses)


class ClusterTimeout(TimeoutError):
    """Not every other node answered in time. ``responses``: what those said that did."""

    def __init__(self, message: str, responses: Sequence[Any] = ()) -> None:
        super().__init__(message)
        self.responses = list(responses)
