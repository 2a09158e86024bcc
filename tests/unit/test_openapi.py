"""The schema that the JavaScript client's types are made from is the server's own."""

from __future__ import annotations

from scripts.openapi import SCHEMA, schema


def test_the_clients_schema_is_the_servers() -> None:
    assert SCHEMA.read_text("utf-8") == schema(), "run: .venv/bin/python -m scripts.openapi"
