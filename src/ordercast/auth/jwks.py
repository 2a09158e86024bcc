"""A JSON Web Key Set (RFC 7517) at a URL: fetched in a thread, kept, and fetched again now and then.

``jwt.PyJWKClient`` is not used because it forgets its keys when they get old while the server is down, holds a
lock while it fetches, and reads an answer of any size for any time.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import math
import time
import urllib.request
from collections.abc import Callable
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit

import jwt
import structlog

from ordercast.auth.keys import Key, algorithms_of
from ordercast.config_forms import is_loopback

FRESH = 300.0
"""s that keys serve before they are fetched anew, as in most clients. Up to twice that they serve meanwhile."""

COOLDOWN = 30.0
"""s between two fetches: a storm of tokens that name unknown keys must not become one of ours."""

RETRY = 5.0
"""s between two fetches while there is no key at all, so that a late key server does not cost half a minute."""

TIMEOUT = 5.0
"""s for a fetch; half of the default time a client has to CONNECT."""

MAX_BYTES = 524_288
"""Large providers publish some 20 kB."""

MAX_KEYS = 64

_log = structlog.get_logger("ordercast.auth")


class RemoteKeys:
    """The keys at a URL. When the URL does not answer, the keys we have go on serving. Lives on one event loop."""

    def __init__(self, url: str, timeout: float = TIMEOUT, clock: Callable[[], float] = time.monotonic) -> None:
        self.url = url
        self._timeout = timeout
        self._clock = clock
        self._keys: tuple[Key, ...] = ()
        self._fetched = -math.inf
        self._tried = -math.inf
        self._fetching: asyncio.Task[None] | None = None
        self.trouble: str | None = None
        """Why the last fetch failed; ``None`` after one that did not, and before the first."""

    async def find(self, kid: str | None) -> tuple[Key, ...]:
        """The keys of this name; all of them for a token that names none. Empty where there is no such key.

        Waits for a fetch only where there is nothing to answer with, and never longer than the timeout.
        """
        keys = self._named(kid)
        age = self._clock() - self._fetched
        if keys and age <= FRESH:
            return keys
        fetch = self._fetch()
        if keys and (age <= 2 * FRESH or self.trouble):
            return keys
        if fetch is not None:
            await asyncio.wait({fetch}, timeout=self._timeout)
        return self._named(kid)

    async def refresh(self) -> str | None:
        """Fetches now and returns what is wrong in a sentence, or ``None``: for `ordercast check` and a warm start."""
        self._tried = -math.inf
        fetch = self._fetch()
        assert fetch is not None
        await asyncio.wait({fetch})
        return self.trouble

    async def close(self) -> None:
        """Gives up a fetch under way."""
        fetch, self._fetching = self._fetching, None
        if fetch is not None:
            fetch.cancel()
            await asyncio.wait({fetch})

    def _named(self, kid: str | None) -> tuple[Key, ...]:
        return self._keys if kid is None else tuple(key for key in self._keys if key.kid == kid)

    def _fetch(self) -> asyncio.Task[None] | None:
        """The fetch under way, or a new one, or ``None`` where it is too soon."""
        fetch = self._fetching
        # One of a loop that is gone, as in tests, or cancelled before it began, will never end.
        if fetch is not None and not fetch.done() and fetch.get_loop() is asyncio.get_running_loop():
            return fetch
        now = self._clock()
        if now - self._tried < (COOLDOWN if self._keys else RETRY):
            return None
        self._tried = now
        self._fetching = asyncio.create_task(self._fetch_now())
        return self._fetching

    async def _fetch_now(self) -> None:
        try:
            # The thread ends by itself soon after; a hanging name server could keep it, but not us.
            async with asyncio.timeout(2 * self._timeout):
                keys = await asyncio.to_thread(fetch_keys, self.url, self._timeout)
        except Exception as error:
            self.trouble = f"no keys from {urlsplit(self.url).hostname}: {_reason(error)}"
            _log.warning(
                "keys for tokens could not be fetched; those we have go on serving",
                host=urlsplit(self.url).hostname,
                reason=_reason(error),
                keys=len(self._keys),
            )
        else:
            self._keys, self._fetched, self.trouble = keys, self._clock(), None
        finally:
            self._fetching = None


def fetch_keys(url: str, timeout: float) -> tuple[Key, ...]:
    """The usable keys at a URL. Blocks, ``timeout`` seconds for each step. Raises ``OSError`` or ``ValueError``."""
    handlers: list[Any] = [_NoRedirect()]
    if is_loopback(urlsplit(url).hostname or ""):
        handlers.append(urllib.request.ProxyHandler({}))
    opener = urllib.request.build_opener(*handlers)
    opener.addheaders = [("User-Agent", "ordercast"), ("Accept", "application/jwk-set+json, application/json")]
    deadline = time.monotonic() + timeout
    body = bytearray()
    with opener.open(url, timeout=timeout) as response:  # https, or our own machine: the settings see to it
        while chunk := response.read1(65_536):
            body += chunk
            if len(body) > MAX_BYTES:
                raise ValueError(f"the answer is larger than {MAX_BYTES} bytes")
            if time.monotonic() > deadline:
                raise TimeoutError
    keys = parse_keys(json.loads(body))
    if not keys:
        raise ValueError("the answer holds no public key that we can use")
    return keys


def parse_keys(document: object) -> tuple[Key, ...]:
    """The usable keys of a key set (RFC 7517, section 5). What we cannot use is passed over, as it says.

    Left out are keys for encryption, secrets, private keys, short RSA keys and curves we do not know.
    """
    members = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(members, list):
        raise ValueError("the answer is no JSON Web Key Set")
    found = (_parse_key(member) for member in members[:MAX_KEYS])
    return tuple(key for key in found if key is not None)


def _parse_key(member: object) -> Key | None:
    if not isinstance(member, dict) or member.get("use", "sig") != "sig":
        return None
    operations, kid, named = member.get("key_ops"), member.get("kid"), member.get("alg")
    if (isinstance(operations, list) and "verify" not in operations) or not isinstance(kid, str | None):
        return None
    try:
        key = jwt.PyJWK(member).key
    except Exception:
        return None  # encryption algorithms and kinds that PyJWT does not know: nothing to tell
    algorithms = algorithms_of(key)
    if named is not None:
        # RFC 8725, section 3.1: a key that names its algorithm is used with no other.
        algorithms = tuple(algorithm for algorithm in algorithms if algorithm == named)
    return Key(key, algorithms, kid) if algorithms else None


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """An open redirect must not choose whose keys we trust."""

    def redirect_request(self, *_: Any) -> None:
        return None


def _reason(error: Exception) -> str:
    """In words for an operator. The URL is left out, since it may hold a password."""
    if isinstance(error, HTTPError):
        error.close()
        return f"HTTP {error.code}" + (", a redirect: set the address it leads to" if 300 <= error.code < 400 else "")
    if isinstance(error, TimeoutError) or (isinstance(error, URLError) and isinstance(error.reason, TimeoutError)):
        return "no answer in time"
    if isinstance(error, URLError):
        return str(error.reason)
    if isinstance(error, json.JSONDecodeError | UnicodeDecodeError):
        return "the answer is no JSON"
    if isinstance(error, http.client.HTTPException):
        return f"a broken answer ({type(error).__name__})"
    return str(error) or type(error).__name__
