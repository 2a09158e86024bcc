"""What a line says: an order, or why it is none. The same lines give the same answers, whatever is stored."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from pydantic import ValidationError

from ordercast.api.bodies import put_arguments
from ordercast.api.problems import in_words
from ordercast.api.schemas import PutOrder
from ordercast.api.strict import decode
from ordercast.errors import Problem
from ordercast.importing.lines import Line
from ordercast.orders.models import NewOrder
from ordercast.orders.values import as_kept
from ordercast.orders.workflow import Workflow

_CACHE = 16_384  # kB of the ids seen that are in memory: those of half a million orders


@dataclass(frozen=True, slots=True)
class Told:
    """An order as a line tells it, with the keyword arguments of `OrderService.put`."""

    line: Line
    new: NewOrder
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Refused:
    """A line that is not imported, and why."""

    line: Line
    problem: str


class Checks:
    """Reads lines of one file, of at most ``longest`` bytes each. A context, since it keeps the ids it has seen in a
    temporary file: memory would not do for any number of them."""

    def __init__(self, workflow: Workflow, longest: int) -> None:
        self._workflow = workflow
        self._longest = longest
        # A file that goes when it is closed.
        self._seen = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._seen.execute("PRAGMA journal_mode = OFF")
        self._seen.execute("PRAGMA synchronous = OFF")
        self._seen.execute(f"PRAGMA cache_size = -{_CACHE}")
        self._seen.execute("CREATE TABLE seen (order_id TEXT PRIMARY KEY, line INTEGER) WITHOUT ROWID")
        self._seen.execute("BEGIN")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._seen.close()

    def read(self, line: Line) -> Told | Refused | None:
        """What the line says; ``None`` for an empty one."""
        if not line.whole:
            return Refused(
                line,
                f"the line has {line.size:,} bytes, and an order may have {self._longest:,}; shorten it, or raise "
                "ORDERCAST_MAX_BODY",
            )
        if not line.text.strip():
            return None
        try:
            return self._told(line)
        except Problem as problem:
            return Refused(line, problem.detail)
        except ValidationError as error:
            wrong = [{**item, "loc": ("line", *item["loc"])} for item in error.errors(include_url=False)]
            return Refused(line, in_words(wrong))
        except ValueError as error:
            return Refused(line, str(error))

    def _told(self, line: Line) -> Told:
        """Raises ``ValueError``, `Problem`."""
        new, arguments = put_arguments(line.text) or _at_length(line.text)
        if new.order_id is None:
            raise ValueError("orderId: is missing; each line names its order")
        if arguments["status"] is not None:
            self._workflow.status(arguments["status"])
        new = as_kept(new)
        added = self._seen.execute("INSERT OR IGNORE INTO seen VALUES (?, ?)", (new.order_id, line.number))
        if not added.rowcount:
            find = "SELECT line FROM seen WHERE order_id = ?"
            ((first,),) = self._seen.execute(find, (new.order_id,)).fetchall()
            raise ValueError(f"orderId: '{new.order_id}' is on line {first:,} already; each order has one line")
        return Told(line, new, arguments)


def _at_length(text: bytes) -> tuple[NewOrder, dict[str, Any]]:
    """As `put_arguments`, of what that leaves to the schema. Raises ``ValueError``."""
    try:
        body = decode(text)
    except ValueError as error:
        raise ValueError(f"the line is not JSON: {error}") from None
    if not isinstance(body, dict):
        raise ValueError("the line is not a JSON object; write one order a line, as {…}")
    put = PutOrder.model_validate(body)
    return put.to_domain(), {"status": put.status, "updated_by": put.updated_by, "reason": put.reason}
