"""Puts what is made from the code where a page says `<!-- site: NAME -->`."""

from __future__ import annotations

import re
from collections.abc import Callable

from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

from scripts.site import commands, contents, errors, included, metrics, python, rest

_MARK = re.compile(r"^<!-- site: ([\w-]+)(?: (\S+))? -->$", re.M)

MADE: dict[str, Callable[[], str]] = {
    "commands": commands.reference,
    "errors": errors.reference,
    "metrics": metrics.reference,
    "python": python.reference,
    "rest": rest.reference,
}
"""What there is, by name: Markdown as MyST reads it."""


def replaced(page: str, text: str) -> str:
    """The text of ``page`` (its name without the suffix) with all that it asks for."""

    def made(found: re.Match[str]) -> str:
        name, argument = found[1], found[2]
        if name == "contents":
            return contents.trees(text)
        if name == "folder":
            return contents.folder(argument)
        if name in ("page", "part"):
            return included.taken(name, argument, page)
        if name not in MADE:
            raise ExtensionError(f"{page}.md asks for '{name}'; there is {', '.join(MADE)}")
        return MADE[name]()

    return _MARK.sub(made, text)


def setup(app: Sphinx) -> None:
    """Has each page read with that in it."""

    def read(_: Sphinx, page: str, content: list[str]) -> None:
        content[0] = replaced(page, content[0])

    app.connect("source-read", read)
