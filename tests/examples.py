"""The shops of `examples/`, as processes, and people who sign in to them."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2

from tests.harness import ROOT, ServerProcess

EXAMPLES = ROOT / "examples"
PASSWORD = "margherita"


@dataclass(frozen=True)
class Example:
    """An example: its folder below `EXAMPLES`, and the application that a server is to serve."""

    folder: str
    app: str

    def process(self, folder: Path, server: str = "uvicorn") -> ServerProcess:
        """It, under a server that is not ours, not started yet. ``folder``: for its databases."""
        path = str(EXAMPLES / self.folder)
        options = ("--workers", "0", "--graceful-timeout", "1") if server == "hypercorn" else ()
        process = ServerProcess(folder, 0, (server, self.app, *options), path)
        if self.folder == "django_shop":
            _prepare(process)
        return process


FASTAPI = Example("fastapi_shop", "fastapi_shop:app")
STARLETTE = Example("starlette_shop", "starlette_shop:app")
DJANGO = Example("django_shop", "django_shop.asgi:application")

_PEOPLE = """
from django.contrib.auth.models import User
User.objects.create_user("ana", password="margherita")
User.objects.create_user("kim", password="margherita", is_staff=True)
"""


def _prepare(process: ServerProcess) -> None:
    """Django's own database, with the people of the other shops."""
    manage = [sys.executable, str(EXAMPLES / "django_shop" / "manage.py")]
    for command in (["migrate", "--verbosity", "0"], ["shell", "--command", _PEOPLE]):
        subprocess.run([*manage, *command], cwd=process.folder, env=process.environment, check=True)


@asynccontextmanager
async def signed_in(shop: ServerProcess, name: str) -> AsyncIterator[tuple[httpx2.AsyncClient, str]]:
    """Somebody who has signed in as the shop would have it, and the token that its page has for Ordercast."""
    async with httpx2.AsyncClient(base_url=shop.url, timeout=60, follow_redirects=True) as client:
        if "django" not in shop.command[1]:
            answer = await client.post("/login", json={"name": name, "password": PASSWORD})
            token = answer.raise_for_status().json()["token"]
            client.headers["authorization"] = f"Bearer {token}"
        else:
            form = await client.get("/")
            asked = {"username": name, "password": PASSWORD, "csrfmiddlewaretoken": client.cookies["csrftoken"]}
            page = await client.post(form.url, data=asked)
            found = re.search(r'<script id="token" type="application/json">"([^"]+)"</script>', page.text)
            assert found is not None, page.text
            token = found[1]
            client.headers["x-csrftoken"] = client.cookies["csrftoken"]
        yield client, token
