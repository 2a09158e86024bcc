"""``ordercast check``: what it prints, and never a part of a password."""

from __future__ import annotations

import io
import os
from pathlib import Path

import asyncpg
import pytest
from rich.console import Console

from ordercast.cli_check import check_all
from ordercast.config import load
from ordercast.storage.postgres import Address, cannot_connect
from tests.harness import SECRET


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An environment without our variables but for a secret."""
    for name in os.environ:
        if name.upper().startswith("ORDERCAST_") or name.upper() == "JWT_SECRET":
            monkeypatch.delenv(name)
    monkeypatch.setenv("ORDERCAST_JWT_SECRET", SECRET)
    monkeypatch.chdir(tmp_path)


def said(*, offline: bool = False, **options: str) -> tuple[bool, str]:
    """Whether all is well, and what it prints."""
    out = Console(file=io.StringIO(), width=1_000, highlight=False, soft_wrap=True)
    well = check_all(load(**options), out, offline=offline)
    assert isinstance(out.file, io.StringIO)
    return well, out.file.getvalue()


def test_what_is_not_ours_is_no_markup() -> None:
    well, text = said(offline=True, status_map="[/b]=nowhere")
    assert not well
    assert "'[/b]'" in text


@pytest.mark.parametrize("password", ["hun/ter2", "hun#ter2", "hun?ter2"])
def test_a_password_that_is_not_escaped_is_not_printed(password: str) -> None:
    url = f"u:{password}@127.0.0.1:1/d"
    well, text = said(database_url=f"postgresql://{url}", redis_url=f"redis://{url}")
    assert not well
    assert "no URL of a Redis" in text
    assert "database_url  not shown" in text
    assert "hun" not in text
    assert "ter2" not in text


def test_words_of_a_library_about_an_address_are_not_passed_on() -> None:
    address = Address("postgresql://u:hun/ter2@h/d", "h/d")
    assert "hun" not in str(cannot_connect(address, ValueError("invalid literal for int() with base 10: 'hun'")))
    kept = asyncpg.exceptions.ClientConfigurationError("sslmode parameter must be one of: disable, require")
    assert "sslmode parameter" in str(cannot_connect(address, kept))
