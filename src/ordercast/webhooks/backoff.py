"""When to try again, and when no more. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from ordercast.webhooks.models import Answer

RETRIES = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""s between attempts, as the specification recommends them: three days in all."""

MAX_RETRY_AFTER = 86_400.0
"""s that a receiver may have us wait: the longest we would wait by ourselves."""

_JITTER = 0.2
"""Each wait is up to so much longer, so that what failed together does not come back together."""


def wait_after(attempts: int, schedule: Sequence[float], answer: Answer, chance: float) -> float | None:
    """Seconds until the next attempt after this many; ``None``: that was the last. ``chance`` is from 0 to 1."""
    if attempts > len(schedule):
        return None
    wait = schedule[attempts - 1] * (1 + _JITTER * chance)
    return max(wait, answer.retry_after or 0)


def throttles(answer: Answer) -> bool:
    """Whether the receiver asks us to leave it alone for a while, whatever the message."""
    return answer.status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE) and bool(answer.retry_after)


def retry_after(header: str | None, now: datetime) -> float | None:
    """Seconds that a ``Retry-After`` asks for (RFC 9110, section 10.2.3), within bounds; ``None`` for none."""
    if header is None:
        return None
    text = header.strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), MAX_RETRY_AFTER)
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    date = date if date.tzinfo else date.replace(tzinfo=UTC)
    return min(max((date - now).total_seconds(), 0.0), MAX_RETRY_AFTER)


def problem_of(status: int, location: str | None) -> str:
    """What is wrong with an answer, in words; empty for one that takes the message."""
    if 200 <= status < 300:
        return ""
    if 300 <= status < 400:
        where = f" to {location[:200]}" if location else ""
        return f"It answered {status}, a redirect{where}. Redirects are not followed: set the final address as the URL."
    if status == HTTPStatus.GONE:
        return "It answered 410: it wants no more messages. Enable it again where that was a mistake."
    return f"It answered {status}."
