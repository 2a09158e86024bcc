"""docs/howto/share.md, as its reader would run it."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

import httpx2

from tests.harness import ROOT, Api, ServerProcess, token

BLOCKS = re.findall(r"```sh\n(.*?)```", (ROOT / "docs" / "howto" / "share.md").read_text("utf-8"), re.S)


async def run(server: ServerProcess, block: str, **variables: str) -> Any:
    """What a block prints, as JSON."""
    process = await asyncio.create_subprocess_exec(
        "bash",
        "-eu",
        "-c",
        block.replace("http://127.0.0.1:3001", server.url),
        env={**server.environment, **variables},
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await process.communicate()
    assert process.returncode == 0
    return json.loads(out) if out else None


async def test_the_manual_on_share_links(server: ServerProcess, api: Api) -> None:
    await api.create(customerId=42, orderId=17)
    share, revoke, read = BLOCKS
    service = token("shop", "service")
    made = await run(server, share, SERVICE=service)
    assert set(made) == {"shareToken", "url", "expiresAt"}
    async with httpx2.AsyncClient() as client:
        page = await client.get(made["url"])
        assert page.status_code == 200
        assert "Order 17" in page.text
        assert (await run(server, read, SHARE_TOKEN=made["shareToken"]))["status"] == "received"
        assert await run(server, revoke, SERVICE=service, SHARE_TOKEN=made["shareToken"]) is None
        assert (await client.get(made["url"])).status_code == 410
        assert (await run(server, read, SHARE_TOKEN=made["shareToken"]))["title"] == "Invalid token"
