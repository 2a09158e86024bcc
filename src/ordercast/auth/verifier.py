"""Token → `Principal`."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Self

from ordercast.auth.claims import ClaimReader
from ordercast.auth.jwks import RemoteKeys
from ordercast.auth.keys import ASYMMETRIC, Key, check_signature, public_keys, read_header, secret_keys
from ordercast.auth.seen import Seen, SeenTokens
from ordercast.auth.shares import ShareTokens, is_share_token
from ordercast.auth.tokens import bare_token
from ordercast.config import MAKE_SECRET, Settings
from ordercast.errors import InvalidToken, SettingsError
from ordercast.orders.principal import Principal


class TokenVerifier:
    """Verifies tokens with keys of one algorithm family: those given, or those at a URL.

    ``clock`` tells the seconds since the epoch.
    """

    def __init__(
        self, settings: Settings, keys: Sequence[Key] | RemoteKeys, clock: Callable[[], float] = time.time
    ) -> None:
        self._clock = clock
        self._take(keys, ClaimReader(settings))
        self.shares: ShareTokens | None = None
        """Share tokens count too where these are given: their key is known once the database is open."""

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """A verifier with the keys that the settings name. Raises `SettingsError` where there are none to use."""
        if settings.jwt_secret:
            return cls(settings, secret_keys(settings.jwt_secret))
        if settings.jwt_public_key is not None:
            return cls(settings, public_keys(settings.jwt_public_key))
        if settings.jwks_url is not None:
            return cls(settings, RemoteKeys(settings.jwks_url))
        raise SettingsError(
            "No key to verify tokens with: set ORDERCAST_JWT_SECRET to the secret your backend signs with (make one "
            f"with: {MAKE_SECRET}), or ORDERCAST_JWT_PUBLIC_KEY or ORDERCAST_JWKS_URL, "
            "with ORDERCAST_JWT_ISSUER and ORDERCAST_JWT_AUDIENCE, to what your identity provider publishes"
        )

    def _take(self, keys: Sequence[Key] | RemoteKeys, claims: ClaimReader) -> None:
        self._local: Sequence[Key] = () if isinstance(keys, RemoteKeys) else tuple(keys)
        self._remote = keys if isinstance(keys, RemoteKeys) else None
        self._claims = claims
        self._seen = SeenTokens()

    def has_keys_of(self, other: TokenVerifier) -> bool:
        """Whether both verify by the same keys, or by those at the same URL."""
        if self._remote is None or other._remote is None:
            return self._remote is other._remote and self._local == other._local
        return self._remote.url == other._remote.url

    def adopt(self, other: TokenVerifier) -> RemoteKeys | None:
        """Verifies as ``other``, which is not used any more, from now on: what was remembered of tokens is forgotten.

        Keys that were fetched from the same URL stay. Returns those that are to be closed.
        """
        before, keys = self._remote, other._remote
        if before is not None and keys is not None and before.url == keys.url:
            keys = before
        self._take(other._local if keys is None else keys, other._claims)
        return None if before is keys else before

    @property
    def is_local(self) -> bool:
        """Whether `verify_now` will do: no key needs fetching."""
        return self._remote is None

    def verify_now(self, token: object) -> Principal:
        """Who the token says its bearer is, where the keys are local. ``Bearer `` before it is optional.

        Raises `AuthenticationRequired` for none, `TokenExpired` for one that has been good, `InvalidToken` for
        everything else; no text of theirs holds any part of the token.
        """
        if self._remote is not None:
            raise RuntimeError("the keys are at JWKS_URL: await verify() instead")
        text = bare_token(token)
        if is_share_token(text):
            return self._shared(text)
        return self._check(text, self._seen.find(text), self._local)

    async def verify(self, token: object) -> Principal:
        """As `verify_now`, with keys from anywhere. Where they must be fetched, this waits and the event loop does not.

        A key server that is down is `InvalidToken` where we have no key yet, and a warning in the log.
        """
        if self._remote is None:
            return self.verify_now(token)
        text = bare_token(token)
        if is_share_token(text):
            return self._shared(text)
        seen = self._seen.find(text)
        kid = _key_id(text) if seen is None else seen.kid
        keys = await self._remote.find(kid)
        if not keys:
            raise InvalidToken("signed with a key that is not at JWKS_URL, or no key could be fetched")
        return self._check(text, seen, keys, kid)

    def _shared(self, text: str) -> Principal:
        if self.shares is None:
            raise InvalidToken("no JWT in its compact form")
        return self.shares.read(text)

    def _check(self, text: str, seen: Seen | None, keys: Sequence[Key], kid: str | None = None) -> Principal:
        """Who a token of the right form names. Raises `InvalidToken`, `TokenExpired`."""
        now = self._clock()
        if seen is not None and seen.holds(keys, now):
            return seen.principal
        payload, key = check_signature(text, keys)
        principal = self._claims.principal(payload, now)
        self._seen.keep(text, Seen(principal, key, kid, now))
        return principal

    async def problems(self) -> list[str]:
        """What `ordercast check` should say of the keys: fetches those at a URL; a sentence each."""
        trouble = await self._remote.refresh() if self._remote is not None else None
        return [f"ORDERCAST_JWKS_URL gives {trouble}"] if trouble else []

    async def close(self) -> None:
        """Gives up a fetch of keys under way."""
        if self._remote is not None:
            await self._remote.close()


def _key_id(text: str) -> str | None:
    """The name of the key that a token says it was signed with. Raises `InvalidToken` for one not worth a fetch."""
    header = read_header(text)
    if header.get("alg") not in ASYMMETRIC or "crit" in header:
        raise InvalidToken("algorithm or critical extension that no key set allows")
    kid: str | None = header.get("kid")
    return kid
