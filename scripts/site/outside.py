"""Links to files outside `docs/`: to the page that has their text, else to one that shows the file or lists the folder.

Files are those that git keeps, so that nothing private and nothing built gets onto the site.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from functools import cache
from html import escape
from pathlib import PurePosixPath
from typing import Any

from docutils import nodes
from pygments.lexers import get_lexer_for_filename
from pygments.util import ClassNotFound
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinx.util import logging

from scripts.site.included import ROOT, homes

_log = logging.getLogger(__name__)
_FOLDER = "source"  # where those pages are, on the site
_LANGUAGES = {".conf": "nginx", ".jsx": "tsx", ".service": "ini", ".timer": "ini"}


@cache
def kept() -> tuple[str, ...]:
    """The repository's files."""
    said = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout  # noqa: S607
    return tuple(said.splitlines())


def within(folder: str) -> list[str]:
    """The files of a folder, at any depth; none where there is no such folder."""
    return [path for path in kept() if path.startswith(f"{folder}/")]


class Outside(SphinxTransform):
    """Turns what MyST takes for downloads, and for pages that are none, into links to pages of ours."""

    default_priority = 5

    def apply(self, **kwargs: Any) -> None:
        for node in [
            *self.document.findall(addnodes.download_reference),
            *self.document.findall(addnodes.pending_xref),
        ]:
            if node.get("reftype") == "myst" and (path := self._path(node["reftarget"])) is not None:
                self._lead(node, path)

    def _path(self, target: str) -> str | None:
        """The target's path in the repository, where that is outside `docs/`."""
        here = ROOT / "docs" / PurePosixPath(self.env.docname).parent
        path = os.path.relpath(os.path.normpath(here / target.partition("#")[0]), ROOT)
        if path == "docs" or path.startswith(("docs/", "../")):
            return None
        # A page outside is taken for a document, which has no suffix.
        return f"{path}.md" if f"{path}.md" in kept() else path

    def _lead(self, node: nodes.Element, path: str) -> None:
        if path not in kept() and not within(path):
            _log.warning("there is no %s in the repository", path, location=node, type="outside", subtype="missing")
            return
        shown = getattr(self.env, "shown_outside", None)
        if shown is None:
            shown = self.env.shown_outside = set()  # type: ignore[attr-defined]
        page = homes().get(path)
        if page is None:
            shown.add(path)
        uri = self.app.builder.get_relative_uri(self.env.docname, page or f"{_FOLDER}/{path}")
        node.replace_self(nodes.reference("", "", *node.children, refuri=uri, internal=True, classes=["source"]))


def pages(app: Sphinx) -> Iterator[tuple[str, dict[str, Any], str]]:
    """A page for each file and folder that is linked, and for what those folders have."""
    paths = set(getattr(app.env, "shown_outside", ()))
    for folder in [path for path in paths if path not in kept()]:
        paths.update(path for path in within(folder) if path not in homes())
    for path in sorted(paths):
        body = _file(app, path) if path in kept() else _list(app, path)
        yield f"{_FOLDER}/{path}", {"title": path, "body": f"<h1>{escape(path)}</h1>\n{body}"}, "page.html"


def _file(app: Sphinx, path: str) -> str:
    try:
        text = (ROOT / path).read_text("utf-8")
    except UnicodeDecodeError:
        return "<p>No text.</p>"
    try:
        language = _LANGUAGES.get(PurePosixPath(path).suffix) or get_lexer_for_filename(path).aliases[0]
    except ClassNotFound:
        language = "text"
    return str(app.builder.highlighter.highlight_block(text, language, force=True))  # type: ignore[attr-defined]


def _list(app: Sphinx, path: str) -> str:
    def item(file: str) -> str:
        page = homes().get(file, f"{_FOLDER}/{file}")
        uri = app.builder.get_relative_uri(f"{_FOLDER}/{path}", page)
        return f'<li><a href="{escape(uri)}">{escape(file.removeprefix(f"{path}/"))}</a></li>'

    items = "\n".join(map(item, within(path)))
    return f"<ul>\n{items}\n</ul>"


def setup(app: Sphinx) -> None:
    """Leads there, and makes the pages."""
    app.add_transform(Outside)
    app.connect("html-collect-pages", pages)
