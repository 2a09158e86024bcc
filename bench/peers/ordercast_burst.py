"""``ordercast serve`` with two more routes: events without requests, and a heap without garbage.

Everything else is the product as it ships, started as ``ordercast serve --log-level warning`` starts it.
"""

from __future__ import annotations

import gc
import sys
from datetime import UTC, datetime
from itertools import count, islice
from urllib.parse import parse_qs

from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from ordercast import logs
from ordercast.app import Ordercast
from ordercast.config import load_settings
from ordercast.serving import bind, run, serve


class Bursting(Ordercast):
    """Ordercast, and the benchmarks' routes in front of it."""

    _emitted = count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See `Ordercast.asgi`."""
        path = scope["path"] if scope["type"] == "http" else ""
        if path == "/bench/burst":
            self._burst(int(parse_qs(scope["query_string"].decode())["n"][0]))
        elif path == "/bench/collect":
            gc.collect()
        else:
            await super().__call__(scope, receive, send)
            return
        await JSONResponse({})(scope, receive, send)

    def _burst(self, n: int) -> None:
        for number in islice(self._emitted, n):
            self.io.to("operators").emit(
                "order:status_changed",
                {
                    "orderId": number,
                    "status": "ready",
                    "customerId": 42,
                    "updatedBy": "bench",
                    "updatedAt": datetime.now(UTC).isoformat(),
                    "version": 1,
                    "position": number,
                },
            )


if __name__ == "__main__":
    settings = load_settings(port=int(sys.argv[1]), log_level="warning")
    logs.configure(settings.log_level, settings.log_format)
    run(serve(Bursting(settings), bind(settings)))
