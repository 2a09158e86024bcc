"""For the balancer and Prometheus."""

from __future__ import annotations

from fastapi import APIRouter, Response

from ordercast.api.context import Parts, json_response
from ordercast.metrics import CONTENT_TYPE

router = APIRouter(tags=["health"])


@router.get("/health/live")
async def live() -> dict[str, str]:
    """The process runs."""
    return {"status": "live"}


@router.get("/health/ready")
async def ready(parts: Parts) -> Response:
    """200 where clients may be sent here; 503 with the reasons where not."""
    problems = await parts.ready()
    if problems:
        return json_response({"status": "not ready", "problems": problems}, 503)
    return json_response({"status": "ready"})


@router.get("/metrics", response_class=Response)
async def metrics(parts: Parts) -> Response:
    """Prometheus's text format."""
    return Response(parts.metrics(), media_type=CONTENT_TYPE)
