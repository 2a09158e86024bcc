"""A page of the manual, read as what its reader would do: blocks of code, in order."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tests.harness import ROOT, children_of

PATIENCE = 300.0  # s; bounds a failure only. `npm install` on a slow line takes a while.
_DONE = "that was all"
_FAILED = "that went wrong"
_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)


@dataclass(frozen=True)
class Block:
    """A block of code. Its first line may be a comment that says where it belongs: `# terminal 1`, `// src/App.tsx`."""

    language: str
    text: str

    @property
    def place(self) -> str:
        """What its first line says, or nothing."""
        found = re.match(r"(?:#|//) (.+)\n", self.text)
        return found[1] if found else ""


def blocks(page: str, **replacing: str) -> list[Block]:
    """The blocks of ``docs/{page}``, with the ports that a test may not take for granted replaced."""
    text = (ROOT / "docs" / page).read_text("utf-8")
    for old, new in replacing.items():
        text = text.replace(old.removeprefix("_"), new)
    return [Block(language, body) for language, body in _FENCE.findall(text)]


class Terminal:
    """A shell in which one block after the other is run. Whatever it has started ends with it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.said = ""

    async def __aenter__(self) -> Self:
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        self._shell = await asyncio.create_subprocess_exec(
            "bash",
            "-u",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            cwd=self.folder,
            env={**kept, "NO_COLOR": "1"},
            start_new_session=True,
        )
        self._reading = asyncio.create_task(self._read())
        self._type(f"trap 'echo {_FAILED}: $BASH_COMMAND' ERR")
        return self

    async def __aexit__(self, *_: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._shell.pid, signal.SIGKILL)
        await self._shell.wait()
        await self._reading

    async def run(self, text: str) -> str:
        """Runs a block to its end; what it printed. Fails where one of its commands does."""
        mark = len(self.said)
        self._type(text, f"echo {_DONE}")
        await self._until(_DONE, mark)
        return self.said[mark:].removesuffix(f"{_DONE}\n")

    async def leave_running(self, text: str, ready: str) -> None:
        """Runs a block whose last command stays, until that has printed something that matches ``ready``."""
        mark = len(self.said)
        self._type(text)
        await self._until(ready, mark)

    async def says(self, pattern: str) -> None:
        """Waits for something that matches, or has already."""
        await self._until(pattern, 0)

    async def interrupt(self) -> None:
        """Ctrl-C: what runs ends, the shell goes on."""
        mark = len(self.said)
        running = children_of(self._shell.pid)
        assert running, "nothing runs here"
        for pid in running:
            os.kill(pid, signal.SIGINT)
        self._type(f"echo {_DONE}")
        await self._until(_DONE, mark, forgiving=True)

    def _type(self, *lines: str) -> None:
        assert self._shell.stdin is not None
        self._shell.stdin.write("".join(f"{line.rstrip()}\n" for line in lines).encode())

    async def _read(self) -> None:
        assert self._shell.stdout is not None
        while data := await self._shell.stdout.read(65536):
            self.said += data.decode(errors="replace")

    async def _until(self, pattern: str, mark: int, *, forgiving: bool = False) -> None:
        async with asyncio.timeout(PATIENCE):
            while not re.search(pattern, self.said[mark:]):
                assert not self._reading.done(), f"the shell ended:\n{self.said[mark:]}"
                assert forgiving or _FAILED not in self.said[mark:], self.said[mark:]
                await asyncio.sleep(0.05)
        assert forgiving or _FAILED not in self.said[mark:], self.said[mark:]
