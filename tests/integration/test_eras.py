"""Socket.IO clients of every era, from npm, on one server and in one room."""

from __future__ import annotations

from pathlib import Path

from tests.harness import SECRET, ServerProcess, run_node

ERAS = ("1.4.8", "1.7.4", "2.5.0", "3.1.3", "4.8.4")
TRANSPORTS = ("polling", "websocket", "upgrade")
ROOT = Path(__file__).parent.parent.parent


async def test_clients_of_every_era_over_every_transport_watch_one_order(tmp_path: Path) -> None:
    command = ("tests.clients.era_server",)
    with ServerProcess(tmp_path, command=command, pythonpath=str(ROOT), max_attachments="4") as server:
        found = await run_node("eras.mjs", server.url, SECRET, wait=120)
    assert [(one["era"], one["transport"]) for one in found] == [(era, way) for era in ERAS for way in TRANSPORTS]
    for one in found:
        assert one == {
            "era": one["era"],
            "transport": one["transport"],
            "refusals": ["Authentication required", "Invalid token", "Token expired"],
            "watching": "received",
            "echoes": {"event": True, "acknowledgement": True},
            "asked": True,
            "other": "hello from /echo",
            "ends": "polling" if one["transport"] == "polling" else "websocket",
            "reconnected": "io client disconnect",
            "updates": [["accepted", 2], ["preparing", 3], ["ready", 4]],
            "cut": True,
            "sentAway": "io server disconnect",
        }
    assert "eyJhbGci" not in server.log, "a token, or part of one, is in the log"
    assert "Traceback" not in server.log
