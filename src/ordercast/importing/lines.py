"""A file cut into lines, however long they are, in little memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Protocol

BOM = b"\xef\xbb\xbf"

_PIECE = 65_536  # bytes of a line that is too long, thrown away at a time


@dataclass(frozen=True, slots=True)
class Line:
    """``number`` counts from 1, ``size`` is in bytes with the line's end, ``end`` where the next one begins. Of one
    that is longer than allowed (not ``whole``) ``text`` is the beginning."""

    number: int
    text: bytes
    size: int
    end: int
    whole: bool


class Digest(Protocol):
    """One of ``hashlib``'s."""

    def update(self, data: bytes, /) -> None:
        """Takes in what comes next."""


def lines(file: BinaryIO, longest: int, digest: Digest) -> Iterator[Line]:
    """The lines from where the file stands, which is its beginning. ``longest`` in bytes, without the line's end.
    ``digest`` is of all bytes up to the end of the line that is given."""
    number = end = 0
    while text := file.readline(longest + 2):
        digest.update(text)
        number += 1
        size, whole = len(text), len(text.rstrip(b"\r\n")) <= longest
        if not text.endswith(b"\n"):
            while rest := file.readline(_PIECE):
                digest.update(rest)
                size += len(rest)
                whole = False
                if rest.endswith(b"\n"):
                    break
        end += size
        if number == 1:
            text = text.removeprefix(BOM)
        yield Line(number, text, size, end, whole)
