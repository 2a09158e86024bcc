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


@router.get("/health/ready", responses={503: {"description": "Not ready"}})
async def ready(parts: Parts) -> Response:
    """200 where clients may be sent here, with what is not as it should be; 503 with the reasons where not."""
    warnings = [*parts.warnings()]
    if problems := await parts.ready():
        return json_response({"status": "not ready", "problems": [*problems, *warnings]}, 503)
    if warnings:
        return json_response({"status": "degraded", "problems": warnings})
    return json_response({"status": "ready"})


@router.get("/metrics", response_class=Response)
async def metrics(parts: Parts) -> Response:
    """Prometheus's text format."""
    return Response(parts.metrics(), media_type=CONTENT_TYPE)
