"""Writes the REST API's schema to ``web/packages/client/openapi.json``, from which the client's types are made.

The file is kept in git, since the packages are built where no Python is, and so that a change of the contract is seen
in review; tests/unit/test_openapi.py holds that it is the server's own.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from ordercast.api.application import documented_api
from ordercast.api.context import Services

SCHEMA = Path(__file__).parent.parent / "web" / "packages" / "client" / "openapi.json"


class _NoServices(Services):
    """Describing the routes calls none of them."""

    def __init__(self) -> None:
        pass


def schema() -> str:
    """The schema as text, the same for the same routes. The package's version is no part of the contract."""
    described = documented_api(_NoServices(), max_body=1).openapi()
    described["info"]["version"] = "0"
    return json.dumps(described, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    SCHEMA.write_text(schema(), encoding="utf-8")
    sys.stdout.write(f"{SCHEMA}\n")
