"""What a text finds, pure."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ordercast.errors import Invalid
from ordercast.orders.search import MAX_TEXT, fold, text_of, wanted


@given(st.text())
def test_folding_twice_is_folding_once(text: str) -> None:
    once = fold(text)
    assert fold(once) == once
    assert "\n" not in once
    assert "\0" not in once


@given(st.text(), st.text(), st.text())
def test_a_part_of_what_was_folded_is_found_in_it(before: str, text: str, after: str) -> None:
    """Whatever letters stand around it."""
    assert fold(text) in fold(f"{before} {text} {after}")


@given(st.text(max_size=20))
def test_case_does_not_count(text: str) -> None:
    assert fold(text.upper()) == fold(text.upper().lower().upper())


@pytest.mark.parametrize(
    ("text", "folded"),
    [("JOSÉ  Núñez\t", "jose nunez"), ("Straße", "strasse"), ("ﬁne", "fine"), ("ÅNGSTRÖM", "angstrom"), ("Ñ", "n")],
)
def test_examples(text: str, folded: str) -> None:
    assert fold(text) == folded


def test_what_is_the_shops_own_may_be_anything() -> None:
    assert text_of("A-1", None, None) == "a-1"
    assert text_of("1", "R", {"name": "N", "phone": 30}) == "1\nr\nn\n30"
    odds: tuple[object, ...] = (None, True, 1.5, [], {"a": 1}, "")
    for odd in odds:
        assert text_of("1", None, {"name": odd, "phone": odd}) == "1"


def test_what_may_be_asked() -> None:
    assert wanted(" T-10 ") == "t-10"
    assert len(wanted("x" * MAX_TEXT)) == MAX_TEXT
    for blank in ("", " ", "\n\t", "\0", "\u0301"):
        with pytest.raises(Invalid, match="q: must not be blank"):
            wanted(blank)
    with pytest.raises(Invalid, match="q: must be at most 128 characters"):
        wanted("x" * (MAX_TEXT + 1))
