"""Every error the client raises on purpose.

::

    ClientError
    ├── Problem          the server says no to a request (RFC 9457): `status`, `type`, `title`, `detail`, `extra`
    │   └── Resync           410: the log cannot be followed from where one was; `cursor` is where it goes on
    ├── TokenError       the application's token function failed, or took too long, or what it gave is no token
    ├── Unreachable      nothing can be had from the server just now; trying again later may help
    ├── Ended            the connection has ended for good; `reason` says why
    └── Broken           a bug in the client
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeGuard

from ordercast.client.connection import Reason
from ordercast.client.cursors import Cursor

_MEMBERS = ("type", "title", "status", "detail")


class ClientError(Exception):
    """The root of the tree above. Its text is a sentence."""


class Problem(ClientError):
    """What the server says against a request. ``type`` is like ``urn:ordercast:version-conflict``; ``extra`` holds the
    document's other members, as ``errors`` of a value that cannot be accepted."""

    def __init__(self, status: int, document: Mapping[str, Any]) -> None:
        self.status = status
        self.document = document
        self.type = str(document.get("type") or "about:blank")
        self.title = str(document.get("title") or "")
        self.detail = str(document.get("detail") or f"The server answered {status}.")
        self.extra = {name: value for name, value in document.items() if name not in _MEMBERS}
        super().__init__(self.detail)


class Resync(Problem):
    """What came after a cursor cannot be given whole: it is too old, or of another log. Fetch anew what you keep, then
    go on from ``cursor``, which is of before your fetching."""

    def __init__(self, document: Mapping[str, Any], cursor: Cursor) -> None:
        super().__init__(410, document)
        self.cursor = cursor


class TokenError(ClientError):
    """The application's token function failed, took too long, or gave what can be no token. ``__cause__`` is how."""


class Unreachable(ClientError):
    """No answer from the server, or none that is Ordercast's."""


class Ended(ClientError):
    """The connection has ended for good: ``reason`` is one of `Connection.reason`."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(f"The connection has ended: {reason}. Call connect() to try again.")
        self.reason = reason


class Broken(ClientError):
    """A bug in the client: what it was about to tell will not come."""

    def __init__(self) -> None:
        super().__init__("This is a bug in ordercast.client; its log, 'ordercast.client', has more.")


def is_refusal(error: Exception) -> TypeGuard[Problem]:
    """Whether a "no" is Ordercast's own, and for good. Whatever stands before it (a proxy, a firewall) says no in other
    words, as where it finds no server for a moment."""
    if not isinstance(error, Problem) or not error.type.startswith("urn:ordercast:"):
        return False
    return error.status < 500 and error.status != 429


def is_passing(error: Exception) -> bool:
    """Whether an error says that nothing can be had just now, rather than that the request is wrong."""
    return isinstance(error, (Problem, Unreachable, TokenError)) and not is_refusal(error)
