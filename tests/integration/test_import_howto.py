"""docs/howto/import.md, as its reader would run it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tests.harness import ServerProcess, token
from tests.manual import Terminal, blocks


async def test_the_manual_on_bringing_orders_in(tmp_path: Path) -> None:
    names = "SHIPPED=out_for_delivery,DONE=delivered"
    with ServerProcess(tmp_path, status_map=names) as server:
        put, export, example, command = blocks("howto/import.md", _3001=str(server.port))
        assert names in export.text
        assert (put.place, example.language) == ("one order", "json")
        (tmp_path / "orders.ndjson").write_text(example.text)
        async with Terminal(tmp_path) as terminal, server.api() as api:
            await terminal.run(f"export PATH='{Path(sys.executable).parent}':$PATH")
            await terminal.run(f"export ORDERCAST_DATABASE_URL='{server.environment['ORDERCAST_DATABASE_URL']}'")
            await terminal.run(f"export SERVICE={token('shop', 'service')}")
            made = json.loads(await terminal.run(put.text))
            assert (made["orderId"], made["status"], made["version"]) == ("A-17", "ready", 1)
            assert json.loads(await terminal.run(put.text)) == made
            await terminal.run(export.text)
            said = await terminal.run(command.text)
            assert "orders.ndjson: 2 created, 0 changed, 0 unchanged, 1 refused" in said
            assert "There is no status 'LOST'" in said
            page = await api.get("/api/orders", params={"status": "SHIPPED,DONE"})
            assert [(order["orderId"], order["status"]) for order in page["orders"]] == [
                ("A-2", "out_for_delivery"),
                ("A-1", "delivered"),
            ]
