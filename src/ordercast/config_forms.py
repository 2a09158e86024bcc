"""What single settings look like. Pure; all of it raises ``ValueError``, whose words `ordercast.config` passes on."""

from __future__ import annotations

import ipaddress
import json
import re
from typing import Annotated, Any

from pydantic import BeforeValidator
from pydantic_settings import NoDecode

Words = Annotated[tuple[str, ...], NoDecode]
"""A list in the environment: separated by commas or white space."""

# Origins as browsers write them (RFC 6454, section 6.2); apps have schemes of their own, such as capacitor://localhost.
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://(\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(:[0-9]{1,5})?", re.ASCII)


def origin(text: str) -> str:
    """An origin in the form that browsers send, so that comparing is enough. Raises ``ValueError``."""
    found = text.lower().removesuffix("/")
    if found != "*" and not _ORIGIN.fullmatch(found):
        raise ValueError(f"{text!r} is no origin; write scheme://host or scheme://host:port, without a path, or *")
    for scheme, port in (("http://", ":80"), ("https://", ":443")):
        if found.startswith(scheme):
            found = found.removesuffix(port)
    return found


# What an address in a page's policy may consist of: whatever else could end it there and begin another rule.
_PAGE = re.compile(r"(https?://(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::[0-9]{1,5})?)?(/[\x21\x23-\x7e]*)?", re.ASCII)


def page_url(text: str) -> str:
    """An address of the shop's: absolute, or a path where this server's pages are. Raises ``ValueError``."""
    match = _PAGE.fullmatch(text)
    if match is None or text.startswith("//") or not text or "#" in text or "\\" in text:
        raise ValueError("must be https://host/path, or /path where the shop is on the same host as the board")
    return text


def origin_of(url: str) -> str | None:
    """The origin of a `page_url`; ``None`` for one that has none of its own."""
    match = _PAGE.fullmatch(url)
    return match[1] if match else None


def network(text: str) -> str:
    """An address or a network, in its canonical form, or ``*``. Raises ``ValueError``."""
    try:
        if text == "*":
            return text
        return str(ipaddress.ip_network(text, strict=False) if "/" in text else ipaddress.ip_address(text))
    except ValueError:
        raise ValueError(f"{text!r} is no IP address and no network such as 10.0.0.0/8") from None


def is_loopback(host: str) -> bool:
    """Whether a URL's host is this machine: ``localhost`` (RFC 6761, section 6.3), 127.0.0.0/8 or ::1."""
    try:
        return host == "localhost" or host.endswith(".localhost") or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


_NODE_NAME = re.compile(r"[A-Za-z0-9]{1,16}")
_NODE_ADDRESS = re.compile(r"http://(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._-]{1,200}):[0-9]{1,5}")


def node_name(text: str) -> str:
    """A node's name, which others find at the beginning of ids."""
    if not _NODE_NAME.fullmatch(text):
        raise ValueError("must be 1 to 16 letters and digits, and another one for each node")
    return text


def node_address(text: str) -> str:
    """Where a node is reached by the others."""
    if not _NODE_ADDRESS.fullmatch(text):
        raise ValueError("must be http://host:port, as the other nodes reach this one")
    return text


NO_REDIS = "ORDERCAST_REDIS_URL: is no URL of a Redis; write redis://host:6379/0"
"""In the place of what a library says, whose words might hold a password."""


def words(value: Any) -> Any:
    """Those of a text; what is none stays for pydantic to judge."""
    return tuple(filter(None, re.split(r"[,\s]+", value))) if isinstance(value, str) else value


def pairs(text: Any) -> Any:
    """``theirs=ours,other=ours``, or JSON where a name has a comma or a space in it; what is no text stays for pydantic
    to judge."""
    if not isinstance(text, str):
        return text
    if text.lstrip().startswith("{"):
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            raise ValueError("is no JSON object") from None
    found = [word.rpartition("=") for word in re.split(r"[,\s]+", text) if word]
    if not all(equals and theirs and ours for theirs, equals, ours in found):
        raise ValueError('must be written as theirs=ours,other=ours, or as JSON: {"theirs": "ours"}')
    return {theirs: ours for theirs, _, ours in found}


Pairs = Annotated[dict[str, str], NoDecode, BeforeValidator(pairs)]
"""A table in the environment: see `pairs`."""
