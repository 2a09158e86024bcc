"""The pages' scripts and styles on the wire."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from fastapi import FastAPI

from ordercast.api.assets import assets
from tests.rest import Headers, ask

SCRIPT = b"console.log('an order');\n" * 100


@pytest.fixture
def app(tmp_path: Path) -> FastAPI:
    (tmp_path / "index-1.js").write_bytes(SCRIPT)
    (tmp_path / "tiny.css").write_bytes(b"a{}")
    (tmp_path / "folder").mkdir()
    app = FastAPI()
    app.include_router(assets(tmp_path))
    return app


async def got(app: FastAPI, name: str, encoding: str | None = None) -> tuple[int, dict[bytes, bytes], bytes]:
    headers: Headers = [] if encoding is None else [(b"accept-encoding", encoding.encode())]
    status, answered, body = await ask(app, "GET", f"/assets/{name}", headers=headers)
    return status, dict(answered), body


@pytest.mark.parametrize("encoding", ["gzip", "gzip, deflate, br, zstd", "br;q=1, GZIP;q=0.5", "*"])
async def test_compressed_for_who_takes_it(app: FastAPI, encoding: str) -> None:
    status, headers, body = await got(app, "index-1.js", encoding)
    assert (status, headers[b"content-encoding"]) == (200, b"gzip")
    assert gzip.decompress(body) == SCRIPT
    assert len(body) < len(SCRIPT) / 5
    assert headers[b"content-type"].startswith(b"text/javascript")
    assert b"immutable" in headers[b"cache-control"]
    assert headers[b"vary"] == b"Accept-Encoding"


@pytest.mark.parametrize("encoding", [None, "", "br", "gzip;q=0", "gzip; q=0.0, *"])
async def test_plain_for_who_does_not(app: FastAPI, encoding: str | None) -> None:
    status, headers, body = await got(app, "index-1.js", encoding)
    assert (status, body) == (200, SCRIPT)
    assert b"content-encoding" not in headers


async def test_what_would_only_grow_stays_plain(app: FastAPI) -> None:
    _, headers, body = await got(app, "tiny.css", "gzip")
    assert (body, b"content-encoding" in headers) == (b"a{}", False)
    assert headers[b"content-type"].startswith(b"text/css")


@pytest.mark.parametrize("name", ["nothing.js", "folder", "..", "%2e%2e", "../index-1.js", "folder/x"])
async def test_nothing_else_is_there(app: FastAPI, name: str) -> None:
    assert (await got(app, name))[0] == 404
