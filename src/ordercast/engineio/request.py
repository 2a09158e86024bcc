"""The HTTP request that opened a session: kept as it came, parsed when asked."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import parse_qsl

_MAX_QUERY_FIELDS = 64


def parse_query(query: str) -> dict[str, str]:
    """The fields of a query; the last one wins where a name comes twice. Raises ``ValueError`` past 64 fields."""
    return dict(parse_qsl(query, keep_blank_values=True, max_num_fields=_MAX_QUERY_FIELDS))


class Request:
    """``headers`` are (lower-case name, value) pairs; ``address`` is the peer's IP, ``""`` where unknown."""

    __slots__ = ("address", "headers", "path", "query_string", "secure")

    def __init__(
        self,
        path: str,
        query_string: bytes,
        headers: Sequence[tuple[bytes, bytes]],
        address: str = "",
        secure: bool = False,
    ) -> None:
        self.path = path
        self.query_string = query_string
        self.headers = headers
        self.address = address
        self.secure = secure

    @property
    def query(self) -> dict[str, str]:
        """The query's fields; see `parse_query`."""
        return parse_query(self.query_string.decode("latin-1"))

    def header(self, name: bytes) -> str | None:
        """The first header of this (lower-case) name, as latin-1."""
        for key, value in self.headers:
            if key == name:
                return value.decode("latin-1")
        return None
