"""What an ASGI server serves: Ordercast below ``/live``, Django for the rest.

Django knows no lifespan, so Starlette has it, and the two beside each other.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from django.core.asgi import get_asgi_application
from starlette.applications import Starlette
from starlette.routing import Mount

from django_shop.live import live


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    """Ordercast runs as long as the application does."""
    async with live:
        yield


os.environ.setdefault("DJANGO_SETTINGS_MODULE", "django_shop.settings")
application = Starlette(routes=[Mount("/live", live.asgi), Mount("/", get_asgi_application())], lifespan=lifespan)
