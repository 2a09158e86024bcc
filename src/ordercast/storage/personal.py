"""What is kept of a customer besides their orders, in SQL: `PersonalData` of the domain's ports."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from ordercast.storage.driver import Statement, Writer

# What was answered to earlier requests holds whole orders. An empty body has the answer made anew.
_ANSWERS = (
    "UPDATE idempotency_keys SET body = ? WHERE order_id IN (SELECT order_id FROM order_events WHERE customer_id = ? "
    "UNION SELECT order_id FROM orders WHERE customer_id = ?)"
)
OWN_REQUESTS = "DELETE FROM idempotency_keys WHERE scope LIKE ? ESCAPE '!'"
EVENTS = (
    "UPDATE order_events SET customer_id = ?, reason = NULL, "
    "updated_by = CASE WHEN updated_by = ? THEN ? ELSE updated_by END WHERE customer_id = ?"
)
_BY_USER = tuple(f"DELETE FROM {table} WHERE user_id = ?" for table in ("watches", "logins", "fences"))  # noqa: S608 - our own names


def own_requests(customer_id: str) -> str:
    """What the scopes of a customer's own requests are like, as `bound_key` has them."""
    return f"customer:{customer_id.replace('_', '!_')}:%"


class SqlPersonalData:
    """All of it in one transaction. ``afterwards``: what it takes that the database's files have no more of it."""

    def __init__(self, writer: Writer, afterwards: Callable[[], Awaitable[None]] | None = None) -> None:
        self._writer = writer
        self._afterwards = afterwards

    async def replace_customer(self, customer_id: str, pseudonym: str) -> None:
        await self._writer.run(
            Statement(_ANSWERS, (b"", customer_id, pseudonym)),
            Statement(OWN_REQUESTS, (own_requests(customer_id),)),
            Statement(EVENTS, (pseudonym, customer_id, pseudonym, customer_id)),
            *(Statement(sql, (customer_id,)) for sql in _BY_USER),
            alone=True,
        )
        if self._afterwards is not None:
            await self._afterwards()
