"""Orders that somebody else keeps: a shop with tables of its own, in the place of Ordercast's database. Pure."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

from ordercast.config import Settings
from ordercast.errors import SettingsError
from ordercast.orders.ports import EventLog, Figures, OrderRepository, PersonalData

_LOG_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")  # what a cursor, <logId>.<position>, can name


@dataclass(frozen=True, slots=True)
class Kept:
    """The ports whose promises hold in one transaction with an order's row, or are about it.

    Without ``figures``, ``GET /api/stats`` answers 501; without ``personal``, ``DELETE /api/customers/{id}`` does.
    ``catch_up`` reads what other processes wrote and wakes who follows the log; without it they learn within 2 s.
    What is in ``told`` is to be called on the event loop after each commit of this process, for the other nodes.
    ``adopt`` takes over settings that were read again, or raises `SettingsError` and changes nothing; without it those
    that storage has count from the next start.
    """

    orders: OrderRepository
    log: EventLog
    figures: Figures | None = None
    personal: PersonalData | None = None
    catch_up: Callable[[], Awaitable[None]] | None = None
    told: list[Callable[[], None]] = field(default_factory=list)
    adopt: Callable[[Settings], None] | None = None


class OwnStorage(Protocol):
    """What ``Ordercast(settings, storage=…)`` takes."""

    def opened(self, settings: Settings) -> AbstractAsyncContextManager[Kept]:
        """The open storage, for as long as the block lasts. ``settings`` say how long keys and events are kept."""


def checked(kept: Kept) -> Kept:
    """The same, where it can work. Raises `SettingsError`, which names what is missing."""
    parts: tuple[tuple[str, type, Any], ...] = (
        ("orders", OrderRepository, kept.orders),
        ("log", EventLog, kept.log),
        ("figures", Figures, kept.figures),
        ("personal", PersonalData, kept.personal),
    )
    for name, port, part in parts:
        if part is None and name not in ("orders", "log"):
            continue
        missing = [member for member in vars(port) if not member.startswith("_") and not hasattr(part, member)]
        if missing:
            raise SettingsError(
                f"storage: its {name} lack {', '.join(missing)}; docs/howto/own-tables.md says what each must do"
            )
    if not _LOG_ID.fullmatch(kept.log.log_id):
        raise SettingsError("storage: log.log_id must be 1 to 64 of A-Z a-z 0-9 _ -, as cursors begin with it")
    return kept
