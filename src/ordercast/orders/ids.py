"""Ids of orders, customers, users and shops: text inside, numbers in JSON where they look like numbers."""

from __future__ import annotations

import re
from typing import Any

_ID = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
# A canonical decimal: no sign, no leading zero. 15 digits always fit a JavaScript number exactly (2**53 has 16).
_NUMBER = re.compile(r"0|[1-9][0-9]{0,14}")


def parse_id(value: Any) -> str | None:
    """The text form of an id given as an integer or a string, or ``None`` where it is neither or does not match.

    ``42`` and ``"42"`` are the same id. Booleans, floats, negative and overlong numbers are refused.
    """
    if type(value) is int:
        # Compare before str(): turning a huge integer into digits is slow, and refused past 4,300 of them.
        return str(value) if 0 <= value < 10**64 else None
    if type(value) is str and _ID.fullmatch(value):
        return value
    return None


def json_id(value: str) -> int | str:
    """How an id is written in our JSON: a canonical decimal of at most 15 digits as a number, else a string."""
    return int(value) if _NUMBER.fullmatch(value) else value
