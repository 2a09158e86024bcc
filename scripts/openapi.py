"""Writes what the server says of itself: the REST API's schema and the events' (``web/packages/client/openapi.json``,
``asyncapi.json``), from which the client's types are made, and the references of the events and of the settings for
people.

They are kept in git, since the packages are built where no Python is, and so that a change of the contract is seen in
review; tests/unit/test_openapi.py holds that they are the server's own.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from ordercast.api.application import documented_api
from ordercast.api.asyncapi import asyncapi
from ordercast.api.context import Services
from scripts.event_reference import reference
from scripts.settings_reference import settings_reference

ROOT = Path(__file__).parent.parent
CLIENT = ROOT / "web" / "packages" / "client"


class _NoServices(Services):
    """Describing the routes calls none of them."""

    def __init__(self) -> None:
        pass


def openapi() -> dict[str, Any]:
    """The REST API's schema. The package's version is no part of the contract."""
    described = documented_api(_NoServices(), max_body=1).openapi()
    described["info"]["version"] = "0"
    return described


def _json(document: dict[str, Any]) -> str:
    """The same text for the same document."""
    return json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def written() -> dict[Path, str]:
    """Every file with what belongs in it."""
    events = asyncapi()
    return {
        CLIENT / "openapi.json": _json(openapi()),
        CLIENT / "asyncapi.json": _json(events),
        ROOT / "docs" / "reference" / "events.md": reference(events),
        ROOT / "docs" / "reference" / "settings.md": settings_reference(),
    }


if __name__ == "__main__":
    for path, text in written().items():
        path.write_text(text, encoding="utf-8")
        sys.stdout.write(f"{path}\n")
