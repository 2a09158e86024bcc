"""The wheel, built from what an image's build copies, on a machine that has Python and nothing else: no Node.js, none
of our tools."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin

import httpx2
import pytest

from tests.harness import ROOT

PATIENCE = 120.0  # s; bounds a failure only


def run(*command: object, **kept: str) -> None:
    """Runs a command, with what it says only where it fails."""
    environment = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ} | kept
    done = subprocess.run([*map(str, command)], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from the files that the Dockerfile copies and git has, and nothing that lies about here."""
    folder = tmp_path_factory.mktemp("wheel")
    for line in re.findall(r"^COPY (?!--from)(.+)$", (ROOT / "deploy" / "Dockerfile").read_text(), re.MULTILINE):
        *sources, _ = line.split()
        listed = subprocess.run(["git", "ls-files", *sources], cwd=ROOT, capture_output=True, text=True, check=True)
        for name in listed.stdout.splitlines():
            (folder / "src" / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / "src" / name)
    pip = (sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation")
    run(*pip, "--wheel-dir", folder, folder / "src")
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of programs of a virtual environment that has the wheel and what it needs, no more."""
    folder = tmp_path_factory.mktemp("machine")
    venv = folder / "venv"
    run(sys.executable, "-m", "venv", "--without-pip", venv)
    pip = (sys.executable, "-m", "pip", "--python", venv, "--disable-pip-version-check")
    install = (*pip, "install", "--quiet", "--no-compile")  # the demo imports little of it
    path = without_node(folder / "programs")
    run(*install, "--require-hashes", "--only-binary", ":all:", "-r", ROOT / "requirements" / "runtime.lock", PATH=path)
    run(*install, "--no-deps", "--no-index", wheel, PATH=path)
    run(*pip, "check", PATH=path)
    return venv / "bin"


def without_node(folder: Path) -> str:
    """A PATH with the system's programs but for Node.js and its tools."""
    folder.mkdir()
    for name in ("sh", "bash", "env", "uname", "id"):
        if (found := shutil.which(name)) is not None:
            (folder / name).symlink_to(found)
    assert all(shutil.which(name, path=str(folder)) is None for name in ("node", "npm", "npx"))
    return str(folder)


@pytest.fixture
def demo(installed: Path, tmp_path: Path) -> Iterator[Path]:
    """``ordercast demo``, running; what it has said so far is in this file."""
    log = tmp_path / "demo.log"
    environment = {"PATH": without_node(tmp_path / "programs"), "HOME": str(tmp_path), "PYTHONUNBUFFERED": "1"}
    with log.open("wb") as said:
        process = subprocess.Popen(
            [str(installed / "ordercast"), "demo", "--port", "0"],
            cwd=tmp_path, env=environment, stdout=said, stderr=said,
        )  # fmt: skip
        try:
            yield log
            assert process.poll() is None, log.read_text()
            process.send_signal(signal.SIGINT)
            assert process.wait(PATIENCE) in (0, 130), log.read_text()
        finally:
            process.kill()
            process.wait()
    assert "Traceback" not in log.read_text()


def links_in(log: Path) -> dict[str, str]:
    """What the demo has printed for whom."""
    return dict(re.findall(r"^\s*(operator|customer|API)\s+(http\S+)\n", log.read_text(), re.M))


def test_it_holds_the_pages_and_nothing_of_the_tests(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {"ordercast/web/board.html", "ordercast/web/track.html", "ordercast/web/socket.io/socket.io.js"} <= {*names}
    assert {name.split("/")[0].partition("-")[0] for name in names} == {"ordercast"}


async def test_the_demo_shows_its_pages(demo: Path) -> None:
    links: dict[str, str] = {}
    async with asyncio.timeout(PATIENCE):
        while len(links) < 3:
            await asyncio.sleep(0.05)
            links = links_in(demo)
    async with httpx2.AsyncClient(timeout=60) as client:
        for link in links.values():
            page = await client.get(link)
            assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8"), link
            assets = re.findall(r'(?:src|href)="((?:\.\.?/)?[^":#]*\.(?:js|css))"', page.text)
            assert assets, f"{link} has scripts and styles"
            for asset in assets:
                assert (await client.get(urljoin(link.partition("#")[0], asset))).status_code == 200, asset
        script = await client.get(urljoin(links["API"], "/socket.io/socket.io.js"))
        assert "Socket.IO v4" in script.text[:200]
        hello = await client.get(urljoin(links["API"], "/socket.io/?EIO=4&transport=polling"))
        assert hello.text.startswith("0{")
