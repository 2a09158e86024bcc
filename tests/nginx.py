"""A real nginx for tests: Debian's, with the configuration that we ship, in front of the nodes of a test."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from tests.harness import ROOT

SHIPPED = ROOT / "deploy" / "nginx" / "ordercast.conf"
_START_TIMEOUT = 60.0  # s; bounds a failure only

_MAIN = """
daemon off; pid {folder}/nginx.pid; error_log {folder}/main.log; worker_processes 1; worker_rlimit_nofile 20000;
events {{ worker_connections 10000; }}
http {{
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    include {folder}/ordercast.conf;
}}
"""


class Nginx:
    """nginx on a free port before nodes on these ports of 127.0.0.1. Leaves no process behind."""

    def __init__(self, folder: Path, nodes: Sequence[int], *, limits: bool = True) -> None:
        self.folder = folder
        self.limits = limits
        self.nodes = tuple(nodes)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where clients find it."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def access_log(self) -> str:
        """What it has noted of requests."""
        return (self.folder / "ordercast.log").read_text()

    def start(self) -> Self:
        """Starts it, and waits until it answers."""
        program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
        if program is None:
            raise RuntimeError("nginx is missing: `make tools` installs it")
        (self.folder / "nginx.conf").write_text(_MAIN.format(folder=self.folder))
        (self.folder / "ordercast.conf").write_text(self._configuration())
        self._process = subprocess.Popen(
            [program, "-p", str(self.folder), "-c", "nginx.conf", "-e", str(self.folder / "main.log")],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + _START_TIMEOUT
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"nginx did not start:\n{(self.folder / 'main.log').read_text()}")
            time.sleep(0.01)
        return self

    def _configuration(self) -> str:
        """The shipped file with the addresses of this test in the place of the examples."""
        text = SHIPPED.read_text()
        examples = sorted(set(re.findall(r"^ *server (10\.0\.0\.1\d:3001)", text, re.MULTILINE)))
        assert len(examples) >= len(self.nodes)
        for example, port in zip(examples, self.nodes, strict=False):
            text = text.replace(example, f"127.0.0.1:{port}")
        text = re.sub(r" *server 10\.0\.0\..*\n", "", text)
        if not self.limits:  # all clients of a test have one address
            text = re.sub(r" *limit_(?:conn|req) .*\n", "", text)
        return text.replace("listen 80;", f"listen 127.0.0.1:{self.port};").replace("/var/log/nginx", str(self.folder))

    def _answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *exc: object) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(20)
