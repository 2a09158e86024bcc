"""The pages, the API's documentation and the browser client, as the build put them into the package."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.staticfiles import StaticFiles

from ordercast.api.assets import assets
from ordercast.api.context import Parts, json_response
from ordercast.api.tracking import tracking
from ordercast.config_forms import origin_of
from ordercast.version import __version__

WEB = Path(__file__).parent.parent / "web"

PAGES = ("board", "track")
_FOLDERS = ("docs", "socket.io")

_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' data:; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}


def built() -> bool:
    """Whether the package holds its pages; a source tree does after ``make build``."""
    return all((WEB / f"{page}.html").is_file() for page in PAGES)


def install(app: FastAPI) -> None:
    """Serves ``/board``, ``/track``, ``/docs``, ``/docs/events``, their assets and ``/socket.io/socket.io.js``."""
    _event_documents(app)

    @app.get("/docs", include_in_schema=False)
    async def docs(request: Request) -> HTMLResponse:
        # Ours instead of FastAPI's own, which loads its scripts from another company's servers.
        base = request.scope.get("root_path", "")
        return get_swagger_ui_html(
            openapi_url=f"{base}/openapi.json",
            title="Ordercast API",
            swagger_js_url=f"{base}/docs/swagger-ui-bundle.js",
            swagger_css_url=f"{base}/docs/swagger-ui.css",
            swagger_favicon_url="data:,",
        )

    if not built():
        return
    _board(app)
    app.include_router(assets(WEB / "assets"))
    app.include_router(tracking(WEB / "track.html", _HEADERS))
    for folder in _FOLDERS:
        app.mount(f"/{folder}", StaticFiles(directory=WEB / folder), name=folder)


def _board(app: FastAPI) -> None:
    @app.get("/board", include_in_schema=False)
    async def page(parts: Parts) -> Response:
        return FileResponse(WEB / "board.html", headers=_HEADERS | _connecting(parts.shop.refresh_url))


def _connecting(url: str | None) -> dict[str, str]:
    """The policy of a page that asks there for tokens."""
    origin = None if url is None else origin_of(url)
    if origin is None:
        return {}
    policy = _HEADERS["Content-Security-Policy"]
    return {"Content-Security-Policy": policy.replace("connect-src 'self'", f"connect-src 'self' {origin}")}


def _event_documents(app: FastAPI) -> None:
    @app.get("/asyncapi.json", include_in_schema=False)
    async def document(request: Request) -> Response:
        return json_response(_asyncapi(request))

    @app.get("/docs/events", include_in_schema=False)
    async def page(request: Request) -> HTMLResponse:
        from ordercast.api.events_page import POLICY, events_page

        headers = _HEADERS | {"Content-Security-Policy": POLICY}
        return HTMLResponse(events_page(_asyncapi(request), request.scope.get("root_path", "")), headers=headers)


def _asyncapi(request: Request) -> dict[str, Any]:
    from ordercast.api.asyncapi import asyncapi  # every event's model, which few ask for

    return asyncapi(request.url.netloc, request.scope.get("root_path", ""), __version__)
