"""Which orders a text finds: what is looked at, and what counts as the same. Pure.

Storage keeps `searchable` beside each order, so that every database, and memory, find the same.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any

from ordercast.errors import Invalid
from ordercast.orders.models import Order

MAX_TEXT = 128
"""Characters of a text to look for: as many as a reference may have."""

_KEPT = 128  # characters of each thing looked at, so that an index holds them; what is longer is found by its beginning


def fold(text: str) -> str:
    """The text without case, accents and doubled white space: ``" JOSÉ  Núñez"`` is ``"jose nunez"``."""
    if not text.isascii():
        apart = unicodedata.normalize("NFKD", text.casefold())
        text = "".join([c for c in apart if c.isascii() or not unicodedata.combining(c)]).casefold()
    return " ".join(text.replace("\0", " ").lower().split())


def searchable(order: Order) -> str:
    """What is looked at of an order: its id, its reference, and its contact's ``name`` and ``phone``, a line each."""
    return text_of(order.order_id, order.reference, order.contact)


def text_of(order_id: str, reference: str | None, contact: Mapping[str, Any] | None) -> str:
    """`searchable` of an order of these."""
    contact = contact or {}
    found = (order_id, reference, _words(contact.get("name")), _words(contact.get("phone")))
    return "\n".join(fold(text)[:_KEPT] for text in found if text)


def wanted(text: str) -> str:
    """A text to look for, folded. Raises `Invalid` for one that is blank or too long."""
    folded = fold(text)
    if not folded:
        raise Invalid("q: must not be blank; give a part of an order's id, reference, or contact's name or phone")
    if len(text) > MAX_TEXT:
        raise Invalid(f"q: must be at most {MAX_TEXT} characters long")
    return folded


def _words(value: Any) -> str | None:
    """The shop's own JSON, where it is a text or a number."""
    return str(value) if isinstance(value, (str, int)) and not isinstance(value, bool) else None
