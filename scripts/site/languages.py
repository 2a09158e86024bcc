"""JSX, which Pygments does not know."""

from __future__ import annotations

from typing import ClassVar

from pygments.lexer import bygroups, inherit
from pygments.lexers.javascript import TypeScriptLexer
from pygments.token import Name, Punctuation, Text
from sphinx.application import Sphinx


class JsxLexer(TypeScriptLexer):  # type: ignore[misc]  # Pygments has no types
    """TypeScript with tags. Where a word stands before `<`, that is of a generic."""

    name = "JSX"
    tokens: ClassVar = {
        "root": [
            (r"(</|(?<!\w)<)([A-Za-z][\w.]*)", bygroups(Punctuation, Name.Tag)),
            (r"/>", Punctuation),
            (r"[^\x00-\x7f]+", Text),
            inherit,
        ],
        "slashstartsregex": [(r"/>", Punctuation, "#pop"), inherit],
    }


def setup(app: Sphinx) -> None:
    """Has blocks coloured by it."""
    for name in ("tsx", "jsx"):
        app.add_lexer(name, JsxLexer)
