"""The programs of a page of the manual, run as its reader would, and clients for them."""

from __future__ import annotations

import asyncio
import sys
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.harness import CLIENTS, SECRET, Listener, token
from tests.manual import Block, Terminal, blocks

WAIT = 60.0  # s; bounds a failure only
BIN = Path(sys.executable).parent


class Programs:
    """A page's blocks by their places. Those that are files are written, several of one name into one, to a folder
    that has what they import: ``modules`` are a ``node_modules``. ``replacing`` as of `blocks`."""

    def __init__(self, page: str, folder: Path, modules: Path = CLIENTS / "node_modules", /, **replacing: str) -> None:
        self.folder = folder
        self.blocks: dict[str, list[Block]] = defaultdict(list)
        for block in blocks(page, **replacing):
            self.blocks[block.place].append(block)
        for place, parts in self.blocks.items():
            if "." in place and "/" not in place:
                (folder / place).write_text("\n".join(part.text for part in parts))
        (folder / "node_modules").symlink_to(modules)
        (folder / "package.json").write_text('{"type": "module"}')

    @asynccontextmanager
    async def terminal(self, **variables: str) -> AsyncIterator[Terminal]:
        """One in that folder, which finds our commands and knows the secret of the tests."""
        known = {"JWT_SECRET": SECRET, "PATH": f"{BIN}:$PATH", "PYTHONUNBUFFERED": "1", **variables}
        async with Terminal(self.folder) as terminal:
            await terminal.run(f"export {' '.join(f'{name}={value}' for name, value in known.items())}")
            yield terminal

    @asynccontextmanager
    async def running(self, command: str, ready: str, **variables: str) -> AsyncIterator[Terminal]:
        """A program of the page, once it has said that it is ``ready``."""
        async with self.terminal(**variables) as terminal:
            await terminal.leave_running(command, ready)
            yield terminal


@asynccontextmanager
async def listening(url: str, user: object, role: str | None = "customer", **claims: Any) -> AsyncIterator[Listener]:
    """A client, in its rooms."""
    async with listening_with(url, token(user, role, **claims)) as listener:
        yield listener


@asynccontextmanager
async def listening_with(url: str, token: str) -> AsyncIterator[Listener]:
    """The same with a token from elsewhere."""
    listener = Listener()
    async with asyncio.timeout(WAIT):
        await listener.connect(url, token)
        yield listener
        await listener.close()
