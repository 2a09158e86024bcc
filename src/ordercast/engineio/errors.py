"""Errors of the engine, each the end of one request or one session, never of the process."""

from __future__ import annotations

from enum import Enum


class PacketError(ValueError):
    """A packet or payload that is not Engine.IO."""


class FrameError(Exception):
    """A WebSocket frame that breaks RFC 6455; ``code`` is the close code to answer with (section 7.4.1)."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Refusal(Enum):
    """Why a request was refused: the error codes and messages of the reference server, which clients know."""

    UNKNOWN_TRANSPORT = (0, "Transport unknown", 400)
    UNKNOWN_SESSION = (1, "Session ID unknown", 400)
    BAD_METHOD = (2, "Bad handshake method", 400)
    BAD_REQUEST = (3, "Bad request", 400)
    FORBIDDEN = (4, "Forbidden", 403)
    UNSUPPORTED_VERSION = (5, "Unsupported protocol version", 400)
    TOO_LARGE = (3, "Payload too large", 413)
    UNAVAILABLE = (3, "Server is shutting down", 503)

    def __init__(self, code: int, message: str, status: int) -> None:
        self.code = code
        self.message = message
        self.status = status


class Refused(Exception):
    """A request that does not become, or does not reach, a session."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal
