"""What was refused and what ended: counted for the metrics, and told in the log, a line per reason and second.

No line holds a URL, a header or anything else that could carry a token.
"""

from __future__ import annotations

import logging
from collections import Counter
from time import monotonic

from ordercast.engineio import disconnects
from ordercast.engineio.disconnects import Disconnect
from ordercast.engineio.errors import Refusal

_log = logging.getLogger("ordercast.engineio")

_QUIET = 1.0  # s between two lines of one reason: an attack must not fill the disk
_HOSTILE = frozenset(
    {
        disconnects.TRANSPORT_ERROR,
        disconnects.PARSE_ERROR,
        disconnects.TOO_MUCH,
        disconnects.TOO_MANY_MESSAGES,
        disconnects.ATTACHMENT_TIMEOUT,
        disconnects.CONNECT_TIMEOUT,
        disconnects.SLOW_CONSUMER,
    }
)
"""Ends worth a line of their own; of the others the layer above speaks, where it knows the user."""


class Journal:
    """Counts by reason."""

    def __init__(self) -> None:
        self.refused: Counter[str] = Counter()
        self.closed: Counter[str] = Counter()
        self._said: dict[str, tuple[float, int]] = {}  # when a reason was last told, and how often it came since

    def refusal(self, refusal: Refusal, address: str = "") -> None:
        """A request was refused."""
        self.refused[refusal.reason] += 1
        self._say("request refused", refusal.reason, address)

    def end(self, why: Disconnect, address: str = "") -> None:
        """A session ended."""
        self.closed[why.reason] += 1
        if why in _HOSTILE:
            self._say("session ended", why.reason, address)

    def _say(self, what: str, reason: str, address: str) -> None:
        last, since = self._said.get(reason, (0.0, 0))
        now = monotonic()
        if now - last < _QUIET:
            self._said[reason] = (last, since + 1)
            return
        self._said[reason] = (now, 0)
        more = {"times": since + 1} if since else {}
        _log.info(what, extra={"reason": reason, "address": address, **more})
