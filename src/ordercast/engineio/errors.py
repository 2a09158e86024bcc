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


class HandshakeError(Exception):
    """A request that does not open a WebSocket as RFC 6455 has it; ``status`` is the HTTP status to answer with."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


class Refusal(Enum):
    """Why a request was refused: the error codes and messages of the reference server, which clients know."""

    UNKNOWN_TRANSPORT = (0, "Transport unknown", 400)
    UNKNOWN_SESSION = (1, "Session ID unknown", 400)
    BAD_METHOD = (2, "Bad handshake method", 400)
    BAD_REQUEST = (3, "Bad request", 400)
    FORBIDDEN = (4, "Forbidden", 403)
    FORBIDDEN_ORIGIN = (4, "Origin not allowed", 403)
    UNSUPPORTED_VERSION = (5, "Unsupported protocol version", 400)
    TOO_LARGE = (3, "Payload too large", 413)
    UNAVAILABLE = (3, "Server is shutting down", 503)
    TOO_MANY_SESSIONS = (3, "Too many sessions", 503)
    TOO_MANY_HANDSHAKES = (3, "Too many handshakes at once", 503)
    TOO_MANY_OF_ADDRESS = (3, "Too many sessions of this address", 429)
    HEAD_TOO_LARGE = (3, "The request line and headers are too long; send a shorter URL or token", 431)
    TOO_SLOW = (3, "The request took too long to arrive", 408)

    def __init__(self, code: int, message: str, status: int) -> None:
        self.code = code
        self.message = message
        self.status = status

    @property
    def reason(self) -> str:
        """The name in metrics and logs."""
        return self.name.lower()


class Refused(Exception):
    """A request that does not become, or does not reach, a session."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal
