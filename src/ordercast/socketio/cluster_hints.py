"""Hints between our nodes: that there may be something new, not what. Whoever relies on one alone is deaf while Redis
is away, so each is only faster than looking."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable

from ordercast.socketio.cluster_link import Link
from ordercast.socketio.cluster_read import WireError

_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_UID = re.compile(rb"[A-Za-z0-9_-]{8}")
"""The payload is who hints, so that nobody hears itself."""

_log = logging.getLogger("ordercast.socketio")


class Hints:
    """A channel for each name, beside those that Node.js's adapter knows."""

    def __init__(self, uid: str, prefix: str, link: Link) -> None:
        self._uid = uid.encode()
        self._prefix = prefix
        self._link = link
        self._callbacks: dict[bytes, list[Callable[[], None]]] = {}
        self._due: set[bytes] = set()  # to be published at the end of this loop turn
        self._heard: set[bytes] = set()  # to be called back for, likewise

    def __contains__(self, channel: bytes) -> bool:
        return channel in self._callbacks

    def hint(self, name: str) -> None:
        """See `RedisCluster.hint`."""
        channel = self._channel(name)
        if self._link.connected and channel not in self._due:  # queued until Redis is back, it would be old
            self._due.add(channel)
            asyncio.get_running_loop().call_soon(self._publish, channel)

    def on(self, name: str, callback: Callable[[], None]) -> None:
        """See `RedisCluster.on_hint`."""
        channel = self._channel(name)
        self._callbacks.setdefault(channel, []).append(callback)
        self._link.want(self._link.channels, channel, True)

    def hear(self, channel: bytes, payload: bytes) -> None:
        """A message of one of our channels. Raises `WireError`."""
        if not _UID.fullmatch(payload):
            raise WireError("a hint of no known shape")
        if payload != self._uid and channel not in self._heard:
            self._heard.add(channel)
            asyncio.get_running_loop().call_soon(self._call, channel)

    def _publish(self, channel: bytes) -> None:
        self._due.discard(channel)
        self._link.publish(channel, self._uid)

    def _call(self, channel: bytes) -> None:
        self._heard.discard(channel)
        for callback in self._callbacks[channel]:
            try:
                callback()
            except Exception:
                _log.exception("whoever was given a hint failed")

    def _channel(self, name: str) -> bytes:
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no name of a hint: 1 to 64 of A-Za-z0-9_.-")
        return f"{self._prefix}-hint#{name}".encode()
