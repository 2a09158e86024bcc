"""Sends a message: signs it, and posts it to an address that was checked.

aiohttp, since its resolver is ours to replace: the address that was checked is the very one that is connected to, so a
name that resolves differently the second time (DNS rebinding) gains nothing.
"""

from __future__ import annotations

import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Final

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from standardwebhooks import Webhook
from yarl import URL

from ordercast.version import __version__
from ordercast.webhooks.addresses import AddressRefused, Rules, literal, parse_url
from ordercast.webhooks.backoff import problem_of, retry_after
from ordercast.webhooks.models import Answer, Endpoint

_READ = 1_024  # bytes of an answer that are read; who says more is not listened to
_SHOWN = 256  # characters of it that are kept
_NOT_SHOWN: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]+")


class _Checked(AbstractResolver):
    """Resolves names to addresses that messages may go to. Raises `AddressRefused` where there is another among
    them."""

    def __init__(self, rules: Rules, *, secure: bool) -> None:
        self._rules = rules
        self._secure = secure
        self._names = aiohttp.ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._names.resolve(host, port, family)
        for result in found:
            self._rules.check(result["host"], secure=self._secure)
        return found

    async def close(self) -> None:
        await self._names.close()


class Client:
    """Posts messages. `open_client` makes one."""

    def __init__(self, rules: Rules, secure: aiohttp.ClientSession, plain: aiohttp.ClientSession) -> None:
        self._rules = rules
        self._secure = secure
        self._plain = plain
        self._resolvers = {True: _Checked(rules, secure=True), False: _Checked(rules, secure=False)}

    async def check(self, url: str) -> None:
        """Raises `AddressRefused` for where messages must not go."""
        parsed = self._parse(url)
        if literal(parsed) is None and parsed.host is not None:
            try:
                await self._resolvers[parsed.scheme == "https"].resolve(parsed.host, parsed.port or 0)
            except (OSError, UnicodeError):  # the latter for what is no name at all: "."
                raise AddressRefused(f"names a host that is not known: {parsed.host}") from None

    async def post(self, endpoint: Endpoint, id: str, body: bytes) -> Answer:
        """One attempt. Never raises for what a receiver does."""
        at = datetime.now(UTC)
        headers = {
            "Content-Type": "application/json",
            "webhook-id": id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": sign(endpoint, id, at, body),
        }
        try:
            url = self._parse(endpoint.url)
            session = self._secure if url.scheme == "https" else self._plain
            async with session.post(url, data=body, headers=headers, allow_redirects=False) as response:
                return await _answer(response)
        except AddressRefused as error:
            return Answer(None, f"The URL is refused: {error}.")
        except TimeoutError:
            return Answer(None, "It did not answer in time.")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return Answer(None, f"It cannot be reached: {_shown(str(error)) or type(error).__name__}.")

    def _parse(self, url: str) -> URL:
        parsed = parse_url(url)
        if (address := literal(parsed)) is not None:
            self._rules.check(address, secure=parsed.scheme == "https")
        return parsed


def sign(endpoint: Endpoint, id: str, at: datetime, body: bytes) -> str:
    """The ``webhook-signature``: one for each secret that counts, separated by blanks."""
    secrets = endpoint.signing(round(at.timestamp() * 1000))
    return " ".join(Webhook(secret).sign(id, at, body.decode()) for secret in secrets)


@asynccontextmanager
async def open_client(rules: Rules, patience: float) -> AsyncIterator[Client]:
    """A client whose attempts take ``patience`` seconds at most."""
    async with _session(rules, patience, secure=True) as secure, _session(rules, patience, secure=False) as plain:
        yield Client(rules, secure, plain)


def _session(rules: Rules, patience: float, *, secure: bool) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        # What limits connections is each endpoint's own concurrency.
        connector=aiohttp.TCPConnector(resolver=_Checked(rules, secure=secure), limit=0),
        timeout=aiohttp.ClientTimeout(total=patience),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": f"Ordercast/{__version__}"},
        auto_decompress=False,
        trust_env=False,
    )


async def _answer(response: aiohttp.ClientResponse) -> Answer:
    body = b""
    # What it says besides its status is for people: an answer that breaks off in the middle is one all the same.
    try:
        while len(body) < _READ and (part := await response.content.read(_READ - len(body))):
            body += part
    except (TimeoutError, aiohttp.ClientError):
        pass
    if not response.content.at_eof():
        response.close()
    wait = retry_after(response.headers.get("Retry-After"), datetime.now(UTC))
    problem = problem_of(response.status, response.headers.get("Location"))
    return Answer(response.status, problem, _shown(body.decode(errors="replace")), wait)


def _shown(text: str) -> str:
    return _NOT_SHOWN.sub(" ", text).strip()[:_SHOWN]
