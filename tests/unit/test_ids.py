"""Ids: what is one, and how it is written in JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ordercast.orders.ids import json_id, parse_id

GOOD: list[tuple[Any, str]] = [
    (0, "0"),
    (42, "42"),
    ("42", "42"),
    ("042", "042"),
    ("-1", "-1"),
    ("1.5", "1.5"),
    ("True", "True"),
    ("a", "a"),
    ("A.b:c-d_9", "A.b:c-d_9"),
    ("a" * 64, "a" * 64),
    (10**64 - 1, "9" * 64),
    (2**53, "9007199254740992"),
]

BAD: list[Any] = [
    None, True, False, 0.0, 42.0, float("nan"), -1, -(10**400), 10**64, 10**400, 10**5000,
    "", " ", "a b", " a", "a ", "a\n", "\n", "a\x00", "a/b", "a#b", "é", "٤٢", "４２", "²", "a" * 65, "9" * 400, "\ud800",  # noqa: E501
    b"42", bytearray(b"42"), [], [42], (42,), {}, {"id": 42}, object(),
]  # fmt: skip


class Text(str):
    __slots__ = ()


class Number(int):
    pass


@pytest.mark.parametrize(("value", "expected"), GOOD)
def test_good(value: Any, expected: str) -> None:
    assert parse_id(value) == expected


@pytest.mark.parametrize("value", BAD, ids=lambda value: repr(value)[:20] if not isinstance(value, int) else "number")
def test_bad(value: Any) -> None:
    assert parse_id(value) is None


@pytest.mark.parametrize("value", [Text("42"), Number(42)])
def test_only_the_plain_types_that_json_gives(value: Any) -> None:
    assert parse_id(value) is None


def test_the_same_id_as_number_and_text() -> None:
    assert parse_id(42) == parse_id("42") != parse_id("042")
    assert parse_id("a") != parse_id("A")


@pytest.mark.parametrize(
    ("id", "expected"),
    [
        ("0", 0), ("42", 42), ("999999999999999", 999_999_999_999_999),
        ("1000000000000000", "1000000000000000"), ("9007199254740993", "9007199254740993"),
        ("042", "042"), ("00", "00"), ("-1", "-1"), ("1.0", "1.0"), ("1e3", "1e3"), ("1_0", "1_0"), ("a", "a"),
        ("9" * 64, "9" * 64),
    ],
)  # fmt: skip
def test_in_json(id: str, expected: int | str) -> None:
    written = json_id(id)
    assert (type(written), written) == (type(expected), expected)


@given(st.one_of(st.integers(0, 10**64 - 1), st.from_regex(r"[A-Za-z0-9_.:-]{1,64}", fullmatch=True)))
def test_json_and_back_is_the_same_id(value: int | str) -> None:
    id = parse_id(value)
    assert id is not None
    assert parse_id(json.loads(json.dumps(json_id(id)))) == id


@given(st.one_of(st.integers(), st.floats(), st.text(), st.binary(), st.booleans()))
def test_what_is_an_id_has_the_contracts_form(value: Any) -> None:
    id = parse_id(value)
    assert id is None or (1 <= len(id) <= 64 and id.isascii() and not set(id) - set("_.:-") - set(_WORD))


_WORD = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
