"""The shop's live orders: one for the process, as long as it serves (`asgi`)."""

from __future__ import annotations

from ordercast import Ordercast

live = Ordercast()  # settings from the environment; or Ordercast(Settings(jwt_secret=settings.SECRET_KEY))
