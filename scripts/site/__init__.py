"""The documentation as a site: what Sphinx does besides, for pages that are Markdown and nothing else.

A page says `<!-- site: NAME -->` where the site has more than a code host can show: `generated.py` puts it there, made
from the code. Links to files outside `docs/` lead to pages made of them (`outside.py`).
"""

from __future__ import annotations

from typing import Any

from sphinx.application import Sphinx

from scripts.site import generated, languages, outside


def setup(app: Sphinx) -> dict[str, Any]:
    """Called by Sphinx."""
    generated.setup(app)
    languages.setup(app)
    outside.setup(app)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
