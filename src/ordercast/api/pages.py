"""The pages and the browser client, as the build put them into the package."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles

WEB = Path(__file__).parent.parent / "web"

PAGES = ("board", "track")

_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; connect-src 'self' ws: wss:; frame-ancestors 'none'; "
    "base-uri 'none'; form-action 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}


def built() -> bool:
    """Whether the package holds its pages; a source tree does after ``make build``."""
    return all((WEB / page / "index.html").is_file() for page in PAGES)


def install(app: FastAPI) -> None:
    """Serves ``/board``, ``/track``, their assets and ``/socket.io/socket.io.js``."""
    for name in PAGES:
        _page(app, name)
    if (WEB / "assets").is_dir():
        app.mount("/assets", StaticFiles(directory=WEB / "assets"), name="assets")
    if (WEB / "socket.io").is_dir():
        app.mount("/socket.io", StaticFiles(directory=WEB / "socket.io"), name="socket.io")


def _page(app: FastAPI, name: str) -> None:
    @app.get(f"/{name}", include_in_schema=False)
    async def page() -> Response:
        return FileResponse(WEB / name / "index.html", headers=_HEADERS)
