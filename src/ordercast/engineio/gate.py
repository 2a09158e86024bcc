"""Who is let in: origins, the application's own say, and how many at once."""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ordercast.engineio.errors import Refusal, Refused
from ordercast.engineio.options import Options
from ordercast.engineio.request import Request

if TYPE_CHECKING:
    from ordercast.engineio.session import Session

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Gate:
    """Counts the sessions that are open, joining, and of one address."""

    def __init__(self, options: Options) -> None:
        self.accepting = True
        self.sessions = 0
        self.joining = 0
        self._options = options
        self._of_address: Counter[str] = Counter()
        self._proxies = _networks(options.trusted_proxies)

    def adopt(self, options: Options, sessions: Iterable[Session]) -> None:
        """Other options from now on. Those that are there are counted anew: by address, and whose that is, may have
        come to matter just now."""
        self._options = options
        self._proxies = _networks(options.trusted_proxies)
        counted = sessions if options.max_sessions_per_address else ()
        self._of_address = Counter(self.address_of(session.request) for session in counted)

    def origin_allowed(self, request: Request) -> bool:
        """Origin against the allow-list; requests without one do not come from a foreign page (RFC 6454)."""
        origin = request.header(b"origin")
        allowed = self._options.cors_origins
        if origin is None or "*" in allowed or origin in allowed:
            return True
        try:
            host = urlsplit(origin).netloc
        except ValueError:
            return False
        return host.lower() == (request.header(b"host") or "").lower() != ""

    def check_request(self, request: Request) -> None:
        """Whether a request may talk to us at all. Raises `Refused`."""
        if not self.origin_allowed(request):
            raise Refused(Refusal.FORBIDDEN_ORIGIN)

    def check_session(self, request: Request) -> None:
        """Whether a request may open a session. Raises `Refused`."""
        options = self._options
        if not self.accepting:
            raise Refused(Refusal.UNAVAILABLE)
        if options.max_sessions and self.sessions >= options.max_sessions:
            raise Refused(Refusal.TOO_MANY_SESSIONS)
        if options.max_handshakes and self.joining >= options.max_handshakes:
            raise Refused(Refusal.TOO_MANY_HANDSHAKES)
        most = options.max_sessions_per_address
        if most and self._of_address[self.address_of(request)] >= most:
            raise Refused(Refusal.TOO_MANY_OF_ADDRESS)
        if options.allow_request is not None and not options.allow_request(request):
            raise Refused(Refusal.FORBIDDEN)

    def enter(self, session: Session) -> None:
        """A session has opened."""
        self.sessions += 1
        self.joining += 1
        if self._options.max_sessions_per_address:
            self._of_address[self.address_of(session.request)] += 1

    def joined(self, session: Session) -> None:
        """A session has joined something: it is no handshake any more."""
        if not session.joined:
            session.joined = True
            self.joining -= 1

    def leave(self, session: Session) -> None:
        """A session has gone."""
        self.sessions -= 1
        if not session.joined:
            self.joining -= 1
        if self._options.max_sessions_per_address:
            address = self.address_of(session.request)
            self._of_address[address] -= 1
            if not self._of_address[address]:
                del self._of_address[address]

    def address_of(self, request: Request) -> str:
        """The client's address: the peer's or, behind proxies that are trusted, the nearest one that is not.

        ``X-Forwarded-For`` is read from the right, since each proxy appends whom it heard from.
        """
        address = request.address
        if not self._proxies:
            return address
        forwarded = ",".join(
            value.decode("latin-1") for name, value in request.headers if name == b"x-forwarded-for"
        ).split(",")
        while self._trusted(address) and forwarded and (before := forwarded.pop().strip()):
            address = before
        return address

    def _trusted(self, address: str) -> bool:
        try:
            known = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(known in network for network in self._proxies)


def _networks(proxies: tuple[str, ...]) -> tuple[_Network, ...]:
    everyone = ("0.0.0.0/0", "::/0") if "*" in proxies else ()
    return tuple(ipaddress.ip_network(proxy, strict=False) for proxy in (*proxies, *everyone) if proxy != "*")
