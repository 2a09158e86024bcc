"""The clock of tokens: what has gone leaves nothing behind."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import pytest

from ordercast.live import sessions
from ordercast.live.sessions import TokenClock


def _socket(expires_at: float) -> Any:
    principal = SimpleNamespace(expires_at=expires_at)
    return SimpleNamespace(connected=True, data=SimpleNamespace(principal=principal))


async def test_entries_of_those_who_left_are_swept_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "_SWEEP", 10)
    clock = TokenClock()
    stays = _socket(time.time() + 3_600)
    clock.watch(stays, stays.data.principal.expires_at)
    for _ in range(1_000):
        passing = _socket(time.time() + 3_600)
        clock.watch(passing, passing.data.principal.expires_at)
        passing.connected = False
        clock.forget()
    assert len(clock._due) < 30
    assert any(entry[3] is stays for entry in clock._due)
    for _ in range(1_000):  # and those of tokens that were refreshed
        stays.data.principal.expires_at += 1
        clock.forget()
        clock.watch(stays, stays.data.principal.expires_at)
    assert len(clock._due) < 30
    clock.close()
