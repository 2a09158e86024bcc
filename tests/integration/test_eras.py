"""Socket.IO clients of every era, from npm, on one server and in one room."""

from __future__ import annotations

from pathlib import Path

from tests.clients.eras import every_era
from tests.harness import ROOT, ServerProcess


async def test_clients_of_every_era_over_every_transport_watch_one_order(tmp_path: Path) -> None:
    command = ("tests.clients.era_server",)
    with ServerProcess(tmp_path, command=command, pythonpath=str(ROOT), max_attachments="4") as server:
        await every_era(server)
    assert "eyJhbGci" not in server.log, "a token, or part of one, is in the log"
    assert "Traceback" not in server.log
