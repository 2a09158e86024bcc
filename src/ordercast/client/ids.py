"""Ids of orders, as text. Pure."""

from __future__ import annotations

import re

Id = int | str
"""Ids are compared as text: 42 equals "42"."""

_ID = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
_STEPS = (".", "..")
"""Whatever passes a URL on may take these for steps to elsewhere."""


def text_of(id: Id) -> str:
    """An order's id as it stands in a URL and in events. Raises ``ValueError`` for what is none."""
    if isinstance(id, int) and not isinstance(id, bool) and 0 <= id < 10**64:
        return str(id)
    if isinstance(id, str) and _ID.fullmatch(id) and id not in _STEPS:
        return str(id)
    raise ValueError(
        f"{id!r:.80} is no order's id; give an integer from 0 up, or a string of 1 to 64 of A-Z a-z 0-9 _ . : - "
        "that is more than one or two dots"
    )
