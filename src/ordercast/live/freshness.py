"""Now and then a ``position`` event to everyone, so that who hears nothing knows that there was nothing to hear."""

from __future__ import annotations

from ordercast.live.feed import Feed
from ordercast.socketio import Server


class Freshness:
    """Clients that have heard an event since have heard its position too; telling them again does no harm."""

    def __init__(self, io: Server, feed: Feed) -> None:
        self._io = io
        self._feed = feed
        self._told = -1

    def tell(self) -> None:
        """Tells all, if there is anything new to tell."""
        if self._feed.position != self._told:
            self._told = self._feed.position
            self._io.local.deliver([self._feed.closing()])
