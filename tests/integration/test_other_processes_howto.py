"""docs/howto/other-processes.md, as its reader would run it: beside a server, whose clients hear of it."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from tests.harness import ServerProcess, token
from tests.heard import listening_at
from tests.manual import blocks
from tests.redis_server import RedisServer


async def run(program: str, folder: Path, **variables: str) -> None:
    """Another process, to its end."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", program),
        cwd=folder,
        env={"PATH": os.environ["PATH"], **variables},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said = (await process.communicate())[0].decode()
    assert process.returncode == 0, said


async def test_the_manual_on_other_processes(postgres_url: str, redis: RedisServer, tmp_path: Path) -> None:
    plain, celery, loop, emitter = (block.text for block in blocks("howto/other-processes.md"))
    # Celery calls these two in each of its processes; the task between them is its shop's.
    import_of_it = plain.splitlines()[0]
    task = 'orders.change_status(17, "out_for_delivery", updated_by="kitchen")'
    within_celery = f"{import_of_it}\n{celery}\nbegin()\n{task}\nend()\n"
    awaited = "\n".join(f"    {line}" for line in loop.splitlines()[1:])
    within_a_loop = f"import asyncio\n{loop.splitlines()[0]}\nasync def main():\n{awaited}\nasyncio.run(main())\n"
    known = {"ORDERCAST_DATABASE_URL": postgres_url}
    with ServerProcess(tmp_path, database_url=postgres_url, redis_url=redis.url) as server:
        async with server.api() as api, listening_at(server.url, token(42)) as mine:
            order = {"customerId": 42, "status": "preparing"}
            await api.send("PUT", "/api/orders/17", json=order)
            await run(plain, tmp_path, **known)
            await run(within_celery, tmp_path, **known)
            await api.send("PUT", "/api/orders/17", json=order)
            await run(within_a_loop, tmp_path, **known)
            heard = [one["status"] for one in await mine.until("order:updated", 4)]
            assert heard == ["ready", "out_for_delivery", "preparing", "ready"]
            assert "redis://127.0.0.1:6379" in emitter
            await run(emitter.replace("redis://127.0.0.1:6379", redis.url), tmp_path)
            assert await mine.until("kitchen:bell") == [{"orderId": 17}]
