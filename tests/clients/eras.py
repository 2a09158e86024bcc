"""What clients of every era find over every transport, whichever server carries them."""

from __future__ import annotations

from tests.harness import SECRET, ServerProcess, run_node

ERAS = ("1.4.8", "1.7.4", "2.5.0", "3.1.3", "4.8.4")
TRANSPORTS = ("polling", "websocket", "upgrade")


async def every_era(server: ServerProcess) -> None:
    """Has all of them watch one order on a server that runs `era_server`."""
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
        }, one
