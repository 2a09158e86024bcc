"""The official client from npm, in every way it can connect."""

from __future__ import annotations

from tests.harness import SECRET, ServerProcess, run_node
from tests.proxy import without_websocket


async def test_socket_io_client_4_over_every_transport_with_its_token_in_every_place(server: ServerProcess) -> None:
    async with without_websocket(server.port) as blocked:
        found = await run_node("matrix.mjs", server.url, blocked, SECRET, wait=90)
    assert len(found) == 12
    for combination in found:
        ends = "polling" if combination["transport"] in ("polling", "blocked") else "websocket"
        assert combination == {
            "transport": combination["transport"],
            "place": combination["place"],
            "refusals": {
                "none": "Authentication required",
                "forged": "Invalid token",
                "garbage": "Invalid token",
                "expired": "Token expired",
            },
            "watching": True,
            "updates": [["accepted", 2], ["preparing", 3]],
            "ends": ends,
            "forced": "token_expired",
            "end": "io server disconnect",
            "staysAway": True,
        }
    assert "eyJhbGci" not in server.log, "a token, or part of one, is in the log"
