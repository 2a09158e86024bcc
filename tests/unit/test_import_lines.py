"""The lines of a file to import, and what each says."""

from __future__ import annotations

import hashlib
import io
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ordercast.importing.checks import Checks, Refused, Told
from ordercast.importing.lines import Line, lines
from ordercast.orders.models import Fulfilment, NewOrder
from ordercast.orders.workflow import load_workflow

LONGEST = 200  # bytes
WORKFLOW = load_workflow(None, {"SHIPPED": "out_for_delivery"})


def cut(data: bytes, longest: int = LONGEST) -> list[Line]:
    return [*lines(io.BytesIO(data), longest, hashlib.sha256())]


@given(st.lists(st.binary(max_size=12) | st.integers(0, 300_000).map(lambda n: b"x" * n), max_size=6), st.booleans())
def test_every_byte_is_in_one_line_whatever_its_length(parts: list[bytes], ended: bool) -> None:
    parts = [part.replace(b"\n", b"_").replace(b"\r", b"_") for part in parts]
    data = b"\n".join(parts) + (b"\n" if ended else b"")
    digest = hashlib.sha256()
    found = [(line, digest.hexdigest()) for line in lines(io.BytesIO(data), LONGEST, digest)]
    wanted = data.split(b"\n")[: -1 if data.endswith(b"\n") or not data else None]
    assert [line.number for line, _ in found] == [*range(1, len(wanted) + 1)]
    assert sum(line.size for line, _ in found) == len(data)
    for (line, read), whole in zip(found, wanted, strict=True):
        assert read == hashlib.sha256(data[: line.end]).hexdigest()
        assert line.whole == (len(whole) <= LONGEST)
        if line.whole:
            assert line.text.rstrip(b"\n").removeprefix(b"\xef\xbb\xbf") == whole.removeprefix(b"\xef\xbb\xbf")
        assert len(line.text) <= LONGEST + 2


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b""])
@pytest.mark.parametrize("extra", [0, 1, 2])
def test_a_lines_end_does_not_count(end: bytes, extra: int) -> None:
    (line,) = cut(b"x" * (LONGEST + extra) + end)
    assert line.whole == (extra == 0)


def said(*texts: bytes, longest: int = LONGEST) -> list[Told | Refused | None]:
    with Checks(WORKFLOW, longest) as checks:
        return [checks.read(line) for line in cut(b"\n".join(texts), longest)]


def test_a_line_is_an_order_as_put_takes_it() -> None:
    (told,) = said(
        b'\xef\xbb\xbf{"orderId": 17, "customerId": "42", "fulfilment": "pickup",'
        b' "createdAt": "2024-01-02T03:04:05.6789Z", "status": "SHIPPED", "updatedBy": 7, "reason": "till"}\r'
    )
    assert isinstance(told, Told)
    created = datetime(2024, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC)
    assert told.new == NewOrder(order_id="17", customer_id="42", fulfilment=Fulfilment.PICKUP, created_at=created)
    assert told.arguments == {"status": "SHIPPED", "updated_by": "7", "reason": "till"}


def test_empty_lines_say_nothing() -> None:
    assert said(b"", b" \t\r", b'{"orderId": 1, "customerId": 2}')[:2] == [None, None]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"{", "the line is not JSON: "),
        (b"\0", "the line is not JSON: "),
        (b'{"orderId": 1, "customerId": 2, "note": "\xff"}', "the line is not JSON: it is not UTF-8"),
        (b"[" * 150, "the line is not JSON: "),
        (b"[]", "the line is not a JSON object"),
        (b"null", "the line is not a JSON object"),
        (b'{"customerId": 2}', "orderId: is missing"),
        (b'{"orderId": null, "customerId": 2}', "orderId: is missing"),
        (b'{"orderId": 1}', "customerId: Field required"),
        (b'{"orderId": "a b", "customerId": 2}', "orderId: "),
        (b'{"orderId": 1, "customerId": 2, "stauts": "ready"}', "stauts: Extra inputs are not permitted"),
        (b'{"orderId": 1, "customerId": 2, "status": "teleported"}', "Known are: received"),
        (b'{"orderId": 1, "customerId": 2, "note": "x\\u0000"}', "note: Value error, must not contain a NUL"),
        (b'{"orderId": 1, "customerId": 2, "createdAt": "2024-01-02"}', "createdAt: "),
        (b'{"orderId": 1, "customerId": 2, "createdAt": 1704164645}', "createdAt: Value error, must be a time"),
        (b'{"orderId": 1, "customerId": 2, "createdAt": "1704164645"}', "createdAt: Value error, must be a time"),
        (b'{"orderId": 1, "customerId": 2, "expectedAt": true}', "expectedAt: Value error, must be a time"),
        (b'{"orderId": 1, "customerId": 2, "createdAt": "0001-01-01T00:00:00+14:00"}', "createdAt: must lie in"),
        (b'{"orderId": 1, "customerId": 2, "total": -1, "currency": "euro"}', "total: "),
        (b'"' + b"x" * LONGEST + b'"', "the line has 203 bytes, and an order may have 200; shorten it, or raise"),
    ],
)
def test_what_is_none_is_refused_in_words_and_spoils_no_other(text: bytes, words: str) -> None:
    before, refused, after = said(
        b'{"orderId": 8, "customerId": 2}', text, b'{"orderId": 9, "customerId": 2}', longest=LONGEST
    )
    assert isinstance(before, Told)
    assert isinstance(after, Told)
    assert isinstance(refused, Refused)
    assert words in refused.problem
    assert refused.line.number == 2


def test_an_order_has_one_line() -> None:
    def order(id: Any) -> bytes:
        return json.dumps({"orderId": id, "customerId": 2}).encode()

    found = said(order(1), order(2), order("1"), b"{", order(1), order("01"))
    assert [type(one) for one in found] == [Told, Told, Refused, Refused, Refused, Told]
    problems = [one.problem for one in found if isinstance(one, Refused)]
    assert problems[0] == problems[2] == "orderId: '1' is on line 1 already; each order has one line"


def test_a_refused_line_does_not_take_the_id() -> None:
    _, told = said(b'{"orderId": 1, "customerId": 2, "total": -1}', b'{"orderId": 1, "customerId": 2}')
    assert isinstance(told, Told)
