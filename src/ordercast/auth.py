"""From a token to a `Principal`: one algorithm family, nothing trusted before its signature is checked.

RFC 7519 (JWT), RFC 7515 (JWS), RFC 8725 (best current practices).
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import structlog
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from ordercast.config import Settings
from ordercast.errors import AuthenticationRequired, InvalidToken, SettingsError, TokenExpired
from ordercast.orders.ids import parse_id
from ordercast.orders.principal import Principal, Role

MAX_TOKEN = 4_096
"""Bytes: larger than any honest token, smaller than what is worth an attacker's while."""

LEEWAY = 30.0
"""s that `iat` and `nbf` may lie in the future: clocks differ. `exp` has none."""

_KEY_FETCH_TIMEOUT = 5
_REFETCH_AFTER = (
    30.0  # s between two fetches for keys we do not know: a storm of bad tokens must not become one of ours
)
_KEYS_FRESH = 600.0  # s

_HMAC = ("HS256", "HS384", "HS512")
_RSA = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
_EC = ("ES256", "ES384", "ES512")
_EDDSA = ("EdDSA",)

_RANK = (Role.ADMIN, Role.SERVICE, Role.OPERATOR, Role.CUSTOMER)
"""Of several known roles in a token, the first of these counts."""

_log = structlog.get_logger("ordercast.auth")


def find_token(auth: object, query_string: bytes, authorization: str | None) -> object | None:
    """The token a socket came with: ``auth.token`` of its CONNECT packet, the query's ``token``, the header.

    Whatever stands in the first place that has something is returned, a string or not; `TokenVerifier` judges it.
    """
    if isinstance(auth, Mapping):
        token: object = auth.get("token")
        if token not in (None, ""):
            return token
    if b"token=" in query_string:
        try:
            found = parse_qs(query_string.decode("latin-1"), max_num_fields=64).get("token")
        except ValueError:
            found = None
        if found:
            return found[0]
    return authorization or None


def _bare(token: object) -> str:
    """The token without ``Bearer``. Raises `AuthenticationRequired` for none, `InvalidToken` for what is no token."""
    if token is None:
        raise AuthenticationRequired
    if not isinstance(token, str):
        raise InvalidToken("not a string")
    if len(token) > MAX_TOKEN + len("Bearer "):
        raise InvalidToken("too long")
    token = token.strip()
    if token[:6].lower() == "bearer" and token[6:7] in ("", " "):
        token = token[6:].strip()
    if not token:
        raise AuthenticationRequired
    if len(token) > MAX_TOKEN:
        raise InvalidToken("too long")
    return token


@dataclass(frozen=True, slots=True)
class _Key:
    key: Any
    algorithms: Sequence[str]


class TokenVerifier:
    """Verifies tokens with the keys that the settings name."""

    def __init__(self, settings: Settings, keys: Sequence[_Key], remote: RemoteKeys | None = None) -> None:
        self._settings = settings
        self._keys = keys
        self._remote = remote
        self._user_path = settings.jwt_user_claim
        # exp, iat and nbf are ours to check: PyJWT has one leeway for all three. sub may be a number here.
        self._options: Any = {
            "verify_exp": False,
            "verify_iat": False,
            "verify_nbf": False,
            "verify_sub": False,
            "verify_jti": False,
            "verify_aud": settings.jwt_audience is not None,
        }

    @classmethod
    def from_settings(cls, settings: Settings) -> TokenVerifier:
        """Raises `SettingsError` where no usable key is set."""
        if settings.jwt_secret:
            return cls(settings, [_Key(secret, _HMAC) for secret in settings.jwt_secret])
        if settings.jwt_public_key is not None:
            return cls(settings, [_public_key(settings.jwt_public_key)])
        if settings.jwks_url is not None:
            return cls(settings, [], RemoteKeys(settings.jwks_url))
        raise SettingsError(
            "No key to verify tokens with: set ORDERCAST_JWT_SECRET to the secret your backend signs with (make one "
            'with: python3 -c "import secrets; print(secrets.token_urlsafe(48))"), or ORDERCAST_JWT_PUBLIC_KEY or '
            "ORDERCAST_JWKS_URL"
        )

    @property
    def is_local(self) -> bool:
        """Whether `verify_now` will do: no key needs fetching."""
        return self._remote is None

    def verify_now(self, token: object) -> Principal:
        """Who the token says its bearer is. Raises `AuthError`; never says more than the contract's words."""
        return self._verify(_bare(token), self._keys)

    async def verify(self, token: object) -> Principal:
        """The same, fetching keys where needed, off the event loop."""
        bare = _bare(token)
        return self._verify(bare, self._keys if self._remote is None else [await self._remote.key_for(bare)])

    def _verify(self, token: str, keys: Sequence[_Key]) -> Principal:
        for key in keys:
            try:
                claims = jwt.decode(
                    token,
                    key.key,
                    algorithms=list(key.algorithms),
                    audience=self._settings.jwt_audience,
                    issuer=self._settings.jwt_issuer,
                    options=self._options,
                )
            except jwt.InvalidSignatureError:
                continue  # perhaps signed with the secret before the rotation
            except Exception as error:
                # PyJWT lets some malformed input through to other exceptions than its own; all of it is one answer.
                raise InvalidToken(type(error).__name__) from None
            return self._principal(claims)
        raise InvalidToken("signature")

    def _principal(self, claims: Mapping[str, Any]) -> Principal:
        expires_at = self._check_times(claims)
        user = _claim(claims, self._user_path)
        if user is None:
            user = claims.get("sub")
        user_id = parse_id(user)
        if user_id is None:
            raise InvalidToken("user id")
        token_id = claims.get("jti")
        if token_id is not None and not isinstance(token_id, str):
            raise InvalidToken("jti")
        return Principal(user_id, self._role(claims), expires_at, _shops(claims.get("shops")), token_id)

    def _check_times(self, claims: Mapping[str, Any]) -> float:
        now = time.time()
        expires_at = _time(claims.get("exp"))
        if expires_at is None:
            raise InvalidToken("no exp")
        if expires_at > now + self._settings.jwt_max_lifetime:
            raise InvalidToken("exp too far away")
        for name in ("iat", "nbf"):
            if name in claims:
                at = _time(claims[name])
                if at is None or at > now + LEEWAY:
                    raise InvalidToken(name)
        if expires_at <= now:
            raise TokenExpired
        return expires_at

    def _role(self, claims: Mapping[str, Any]) -> Role:
        value = _claim(claims, self._settings.jwt_role_claim)
        if value is None or value == []:
            return Role.CUSTOMER
        names = value if isinstance(value, list) else [value]
        known = {self._mapped(name) for name in names}
        for role in _RANK:
            if role in known:
                return role
        raise InvalidToken("role")

    def _mapped(self, name: object) -> str | None:
        return self._settings.jwt_role_map.get(name, name) if isinstance(name, str) else None


def _claim(claims: Mapping[str, Any], path: str) -> Any:
    """A claim by its name, or else by a dotted path into nested ones."""
    if path in claims:
        return claims[path]
    value: Any = claims
    for part in path.split("."):
        if not isinstance(value, Mapping):
            return None
        value = value.get(part)
    return value


def _time(value: object) -> float | None:
    """A NumericDate (RFC 7519, section 2) that is one."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    if isinstance(value, int) and abs(value) > 1e15:
        return None
    return float(value) if math.isfinite(value) else None


def _shops(value: object) -> frozenset[str] | None:
    """The ``shops`` claim: absent is all of them; a list, or one id alone."""
    if value is None:
        return None
    ids = [parse_id(shop) for shop in (value if isinstance(value, list) else [value])]
    if None in ids:
        raise InvalidToken("shops")
    return frozenset(id for id in ids if id is not None)


def _public_key(pem: str) -> _Key:
    try:
        if not pem.lstrip().startswith("-----BEGIN"):
            with open(pem, encoding="ascii") as file:
                pem = file.read()
        key = load_pem_public_key(pem.encode())
    except (OSError, ValueError):
        raise SettingsError(
            "ORDERCAST_JWT_PUBLIC_KEY: must be a PEM public key (-----BEGIN PUBLIC KEY-----), or the path to one"
        ) from None
    for kind, algorithms in ((RSAPublicKey, _RSA), (EllipticCurvePublicKey, _EC), (Ed25519PublicKey, _EDDSA)):
        if isinstance(key, kind):
            return _Key(key, algorithms)
    raise SettingsError("ORDERCAST_JWT_PUBLIC_KEY: must be an RSA, EC or Ed25519 key")


class RemoteKeys:
    """A JSON Web Key Set (RFC 7517) at a URL: fetched in a thread, kept, fetched again for unknown keys now and then.

    When the URL does not answer, the keys we have go on serving.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme != "https" and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
            raise SettingsError("ORDERCAST_JWKS_URL: must be an https:// address, or keys could be swapped on the way")
        self._client = jwt.PyJWKClient(url, cache_keys=False, cache_jwk_set=False, timeout=_KEY_FETCH_TIMEOUT)
        self._keys: dict[str | None, _Key] = {}
        self._fetched = -math.inf
        self._tried = -math.inf
        self._fetching: asyncio.Task[None] | None = None

    async def key_for(self, token: str) -> _Key:
        """The key that the token's header names. Raises `InvalidToken`."""
        try:
            kid = jwt.get_unverified_header(token).get("kid")
        except Exception:
            raise InvalidToken("header") from None
        now = time.monotonic()
        unknown = kid not in self._keys
        if (unknown or now - self._fetched > _KEYS_FRESH) and (
            self._fetching is not None or now - self._tried > _REFETCH_AFTER
        ):
            fetch = self._fetch()
            if unknown:  # stale keys serve while newer ones are on their way
                await asyncio.shield(fetch)
        key = self._keys.get(kid)
        if key is None and kid is None and len(self._keys) == 1:
            key = next(iter(self._keys.values()))
        if key is None:
            raise InvalidToken("unknown key")
        return key

    def _fetch(self) -> asyncio.Task[None]:
        if self._fetching is None:
            self._tried = time.monotonic()
            self._fetching = asyncio.create_task(self._fetch_now())
        return self._fetching

    async def _fetch_now(self) -> None:
        try:
            found = await asyncio.to_thread(self._client.get_signing_keys)
        except Exception as error:
            _log.warning("keys could not be fetched; those known go on serving", error=type(error).__name__)
        else:
            self._keys = {key.key_id: _Key(key.key, [key.algorithm_name]) for key in found if _asymmetric(key)}
            self._fetched = time.monotonic()
        finally:
            self._fetching = None


def _asymmetric(key: jwt.PyJWK) -> bool:
    return key.algorithm_name in (*_RSA, *_EC, *_EDDSA)


def sign_token(settings: Settings, user_id: str, role: str, lifetime: float, shops: Sequence[str] | None = None) -> str:
    """A token for trying things out. ``lifetime`` in seconds. Raises `SettingsError` without a ``JWT_SECRET``."""
    if not settings.jwt_secret:
        raise SettingsError(
            "Only tokens of ORDERCAST_JWT_SECRET can be made here; set it, or ask your identity provider"
        )
    now = int(time.time())
    claims: dict[str, Any] = {"userId": user_id, "role": role, "iat": now, "exp": now + round(lifetime)}
    if shops:
        claims["shops"] = list(shops)
    return jwt.encode(claims, settings.jwt_secret[0], algorithm="HS256")
