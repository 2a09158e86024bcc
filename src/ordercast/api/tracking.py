"""``GET /track/{shareToken}``: a customer's page. Every answer is a page in words, also where there is no order."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote
from zoneinfo import ZoneInfo

import structlog
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, RedirectResponse

from ordercast.api.context import Parts, Services
from ordercast.api.track_page import Template, order_page, sorry_page
from ordercast.api.track_words import language
from ordercast.errors import AuthError, NotFound, StorageError, TokenExpired
from ordercast.orders.models import now

WORKER = {"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}
"""Headers of the script that shows notifications."""

_log = structlog.get_logger("ordercast.api")


def tracking(built: Path, headers: dict[str, str]) -> APIRouter:
    """The route. ``built``: the page that the build made; ``headers``: of every page."""
    router = APIRouter(include_in_schema=False)
    template = Template.of(built.read_text("utf-8"))
    # Of one reader, in their language, and as of now.
    headers = headers | {"Cache-Control": "no-store", "Vary": "Accept-Language", "X-Robots-Tag": "noindex"}

    @router.api_route("/track", methods=["GET", "HEAD"])  # some that preview links send HEAD
    @router.api_route("/track/{token}", methods=["GET", "HEAD"])
    async def track(request: Request, parts: Parts, token: str = "") -> HTMLResponse:
        lang = language(request.headers.get("accept-language"))
        status, what, page = 200, "", ""
        try:
            page = await _order(parts, template, token, lang)
        except TokenExpired:
            status, what = 410, "expired"
        except (AuthError, NotFound):
            status, what = 404, "unknown"
        except StorageError as error:
            _log.error("storage failed", error=str(error))
            status, what = 503, "unavailable"
        if what:
            page = sorry_page(template, what, parts.shop, lang)
        if not token:
            page = page.replace('"../assets/', '"assets/')
        return HTMLResponse(page, status, headers | {"Content-Language": lang})

    @router.api_route("/track/{token}/", methods=["GET", "HEAD"])
    async def without_slash(token: str) -> RedirectResponse:
        """By a relative address: an absolute one might leave TLS, and the token is in it."""
        return RedirectResponse(f"../{quote(token, safe='')}", 308, headers)

    @router.api_route("/track-worker.js", methods=["GET", "HEAD"])  # not an asset: browsers compare it by its address
    async def worker() -> FileResponse:
        return FileResponse(built.parent / "track-worker.js", media_type="text/javascript", headers=WORKER)

    return router


async def _order(parts: Services, template: Template, token: str, lang: str) -> str:
    """Raises `AuthError`, `NotFound`, `StorageError`."""
    guest = parts.shares.read(token)
    if parts.revocations.is_revoked(guest):
        raise TokenExpired("revoked")
    order = await parts.orders.get(guest.order_id or "", guest)
    events = await parts.orders.history(order.order_id, guest)
    zone = ZoneInfo(parts.shop.shop_time_zone)
    return order_page(template, order, events, parts.workflow, parts.shop, lang, zone, now())
