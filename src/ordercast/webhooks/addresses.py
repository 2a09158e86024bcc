"""Which addresses messages may go to. Pure.

Whoever may add endpoints must not reach with them what only this server can reach: the machines of its own network,
its own ports, a cloud's metadata.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from yarl import URL

IPAddress: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

MAX_URL = 2_048

# Not all of them are private to every version of Python's ipaddress.
_NEVER = tuple(
    map(
        ipaddress.ip_network,
        ("0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "198.18.0.0/15", "224.0.0.0/3", "fec0::/10", "ff00::/8"),
    )
)
# IPv6 addresses that stand for one of IPv4: NAT64 (RFC 6052, RFC 8215), IPv4-compatible (RFC 4291).
_EMBEDDING = tuple(map(ipaddress.ip_network, ("64:ff9b::/96", "64:ff9b:1::/48", "::/96")))


class AddressRefused(ValueError):
    """Messages must not go there. The text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Rules:
    """``allowed``: private networks that messages may go to all the same, and without TLS."""

    allowed: tuple[Network, ...] = ()

    def check(self, address: str, *, secure: bool) -> None:
        """Raises `AddressRefused` for an IP address that messages must not go to; ``secure``: over TLS."""
        ip = _plain(ipaddress.ip_address(address))
        if any(ip.version == network.version and ip in network for network in self.allowed):
            return
        if not _public(ip):
            raise AddressRefused(
                f"its address {ip} is not a public one; to send there, add its network to "
                "ORDERCAST_WEBHOOK_ALLOW_PRIVATE"
            )
        if not secure:
            raise AddressRefused(
                "must begin with https://, or whoever is on the way could read along; http:// is for networks in "
                "ORDERCAST_WEBHOOK_ALLOW_PRIVATE"
            )


def rules_of(networks: Sequence[str]) -> Rules:
    """From settings."""
    return Rules(tuple(map(ipaddress.ip_network, networks)))


def parse_url(text: str) -> URL:
    """The URL of an endpoint. Raises `AddressRefused`."""
    try:
        url = URL(text)
        host, _ = url.host, url.port
    except ValueError:
        raise AddressRefused("is no URL; write https://host/path") from None
    if url.scheme not in ("http", "https") or not host:
        raise AddressRefused("must be https://host/path")
    if url.user is not None or url.password is not None:
        raise AddressRefused("must hold no user and no password: messages are signed, and that says who sent them")
    if url.raw_fragment or len(str(url)) > MAX_URL or not text.isprintable() or " " in text:
        raise AddressRefused(f"must be https://host/path without a fragment or blanks, of at most {MAX_URL} characters")
    return url


def literal(url: URL) -> str | None:
    """The IP address that stands in the URL itself, if any."""
    try:
        ipaddress.ip_address(url.host or "")
    except ValueError:
        return None
    return url.host


def _plain(ip: IPAddress) -> IPAddress:
    """The IPv4 address that one of IPv6 stands for, where it does."""
    if isinstance(ip, ipaddress.IPv4Address):
        return ip
    for found in (ip.ipv4_mapped, ip.sixtofour, ip.teredo and ip.teredo[1]):
        if found:
            return found
    # ::1 and :: are addresses of their own.
    if int(ip) > 1 and any(ip in network for network in _EMBEDDING):
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip


def _public(ip: IPAddress) -> bool:
    never = any(ip.version == network.version and ip in network for network in _NEVER)
    return ip.is_global and not (never or ip.is_multicast or ip.is_reserved or ip.is_link_local or ip.is_loopback)
