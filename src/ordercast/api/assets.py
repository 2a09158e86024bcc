"""The pages' scripts and styles: few and small, so they are kept in memory, compressed once."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from mimetypes import guess_type
from pathlib import Path

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

_HEADERS = {
    # A file's name holds a hash of what is in it.
    "Cache-Control": "public, max-age=31536000, immutable",
    "X-Content-Type-Options": "nosniff",
    "Vary": "Accept-Encoding",
}


@dataclass(frozen=True, slots=True)
class _Asset:
    type: str
    plain: bytes
    compressed: bytes | None  # where that is smaller


def assets(folder: Path) -> APIRouter:
    """``GET /assets/{name}`` of every file in the folder."""
    files = {path.name: _read(path) for path in sorted(folder.iterdir()) if path.is_file()}
    router = APIRouter(include_in_schema=False)

    @router.api_route("/assets/{name}", methods=["GET", "HEAD"])
    async def asset(name: str, request: Request) -> Response:
        file = files.get(name)
        if file is None:
            raise HTTPException(404)
        if file.compressed is not None and _takes_gzip(request.headers.get("accept-encoding", "")):
            return Response(file.compressed, headers=_HEADERS | {"Content-Encoding": "gzip"}, media_type=file.type)
        return Response(file.plain, headers=_HEADERS, media_type=file.type)

    return router


def _read(path: Path) -> _Asset:
    plain = path.read_bytes()
    compressed = gzip.compress(plain, mtime=0)
    kind = "text/javascript" if path.suffix in (".js", ".mjs") else guess_type(path.name)[0]  # whatever a machine says
    return _Asset(kind or "application/octet-stream", plain, compressed if len(compressed) < len(plain) else None)


def _takes_gzip(accepted: str) -> bool:
    """As browsers and proxies write it (RFC 9110, section 12.5.3)."""
    for part in accepted.lower().split(","):
        name, _, weight = part.strip().partition(";")
        if name.strip() in ("gzip", "*"):
            return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False
