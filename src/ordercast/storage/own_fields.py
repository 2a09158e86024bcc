"""How a column of a shop's own keeps an attribute of an order. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Column, DateTime, Integer, Numeric, SmallInteger, Uuid

from ordercast.orders.models import to_utc

_IDS = frozenset({"order_id", "customer_id", "shop_id", "claimed_by"})


def _as_it_is(value: Any) -> Any:
    return value


@dataclass(frozen=True, slots=True)
class Field:
    """A column, and what turns an attribute of `Order` into its value and back.

    ``write`` raises ``ValueError`` for what the column cannot keep, with words that follow the attribute's name: who
    sent it is told. ``None`` goes in and out as it is.
    """

    column: Column[Any]
    write: Callable[[Any], Any] = _as_it_is
    read: Callable[[Any], Any] = _as_it_is

    def to_row(self, value: Any) -> Any:
        """What the column keeps of it. Raises ``ValueError`` where it would come back as something else."""
        if value is None:
            return None
        kept = self.write(value)
        if self.read(kept) != value:
            raise ValueError("cannot be kept as it is by this shop")
        return kept

    def from_row(self, value: Any) -> Any:
        """What it stands for."""
        return None if value is None else self.read(value)


def field_for(name: str, column: Column[Any] | Field) -> Field:
    """The field for an attribute that a column is to keep, by the column's type."""
    if isinstance(column, Field):
        return column
    if isinstance(column.type, DateTime):
        return instant(column)
    if name in _IDS and isinstance(column.type, Integer):
        return number(column)
    if name in _IDS and isinstance(column.type, Uuid):
        return uuid(column)
    if name == "total" and isinstance(column.type, Numeric) and column.type.asdecimal:
        return decimal(column)
    return Field(column)


def uuid(column: Column[Any]) -> Field:
    """An id in a Uuid column: 36 characters, in lower case."""
    as_uuid = isinstance(column.type, Uuid) and column.type.as_uuid

    def write(id: str) -> Any:
        try:
            kept = UUID(id)
        except ValueError:
            raise ValueError("must be a UUID") from None
        return kept if as_uuid else str(kept)

    return Field(column, write, str)


def decimal(column: Column[Any]) -> Field:
    """An amount in a Numeric column."""
    scale: int | None = getattr(column.type, "scale", None)

    def write(amount: float) -> Decimal:
        kept = Decimal(repr(amount))
        if scale is not None and round(kept, scale) != kept:
            raise ValueError(f"must have at most {scale} digits after the point")
        return kept

    return Field(column, write, float)


def number(column: Column[Any]) -> Field:
    """An id that is a number in the shop's table. ``01`` is no number: 1 is."""
    bits = 63 if isinstance(column.type, BigInteger) else 15 if isinstance(column.type, SmallInteger) else 31

    def write(id: str) -> int:
        if not (id.isascii() and id.isdecimal() and len(id) < 20) or str(int(id)) != id or int(id) >> bits:
            raise ValueError(f"must be a whole number from 0 to {2**bits - 1}")
        return int(id)

    return Field(column, write, str)


def words(column: Column[Any], ours: Mapping[str, Any]) -> Field:
    """A status in the shop's own words; ``ours``: from each status of the workflow to what the column has then."""
    theirs = {word: status for status, word in ours.items()}
    if len(theirs) < len(ours):
        raise ValueError(f"{column}: two statuses of the workflow have the same word")

    def write(status: str) -> Any:
        if status not in ours:
            raise ValueError(f"must be one of {', '.join(ours)}")
        return ours[status]

    def read(word: Any) -> str:
        # One that the shop has besides: shown as it is, as a status that a workflow has no longer.
        return theirs.get(word, str(word))

    return Field(column, write, read)


def scaled(column: Column[Any], digits: int = 2) -> Field:
    """An amount that the shop's table keeps in a smaller unit, as cents."""
    factor: int = 10**digits

    def write(amount: float) -> int:
        whole = round(amount * factor)
        if abs(whole - amount * factor) > 1e-6 * max(1, abs(whole)):
            raise ValueError(f"must have at most {digits} digits after the point")
        return whole

    return Field(column, write, lambda kept: kept / factor)


def instant(column: Column[Any]) -> Field:
    """A time in a DateTime column; in UTC, where that has no time zone."""
    aware = isinstance(column.type, DateTime) and column.type.timezone

    def write(time: datetime) -> datetime:
        return time if aware else time.astimezone(UTC).replace(tzinfo=None)

    def read(kept: datetime) -> datetime:
        return to_utc(kept if kept.tzinfo else kept.replace(tzinfo=UTC))

    return Field(column, write, read)
