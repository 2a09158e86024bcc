"""Claims → `Principal`. Called only with claims whose signature holds; pure but for the time it is given.

PyJWT checks no claim here: it has one leeway for ``exp``, ``iat`` and ``nbf``, takes ``true`` and ``"12"`` for
times, and wants ``sub`` to be a string.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from ordercast.config import Settings
from ordercast.errors import InvalidToken, TokenExpired
from ordercast.orders.ids import parse_id
from ordercast.orders.principal import Principal, Role

LEEWAY = 30
"""s that ``iat`` and ``nbf`` may lie in the future: clocks differ. ``exp`` has none."""

MAX_TOKEN_ID = 255
"""Characters of a ``jti``: a UUID has 36; revoked ones are kept in a table."""

_RANK = (Role.ADMIN, Role.SERVICE, Role.OPERATOR, Role.CUSTOMER)
"""Of several roles in one token the first of these counts. An admin who is also `service` keeps the board."""

_ABSENT = object()


class ClaimReader:
    """Reads claims as the settings say."""

    def __init__(self, settings: Settings) -> None:
        self._issuer = settings.jwt_issuer
        self._audience = settings.jwt_audience
        self._user_claim = settings.jwt_user_claim
        # Whoever names another claim means that one: sub may hold the id of something else there.
        self._or_sub = settings.jwt_user_claim == "userId"
        self._role_claim = settings.jwt_role_claim
        self._role_map = {role.value: role for role in Role}
        self._role_map |= {foreign: Role(ours) for foreign, ours in settings.jwt_role_map.items()}
        self._max_lifetime = settings.jwt_max_lifetime

    def principal(self, payload: bytes, now: float) -> Principal:
        """Who a verified payload names. ``now`` in seconds since the epoch. Raises `InvalidToken`, `TokenExpired`."""
        try:
            claims = msgspec.json.decode(payload)  # refuses NaN, Infinity and broken UTF-8 (RFC 8259)
        except (ValueError, RecursionError):
            raise InvalidToken("claims are no JSON") from None
        if not isinstance(claims, dict):
            raise InvalidToken("claims are no JSON object")
        self._check_origin(claims)
        expires_at = self._expiry(claims, now)
        issued_at = _time(claims, "iat")
        found = Principal(
            user_id=self._user_id(claims),
            role=self._role(claims),
            expires_at=expires_at,
            shops=_shops(claims),
            token_id=_token_id(claims),
            issued_at=None if issued_at is None else _seconds(issued_at),
        )
        if expires_at <= now:  # RFC 7519, section 4.1.4: "on or after" it must not be accepted
            raise TokenExpired("exp has passed")
        return found

    def _check_origin(self, claims: Mapping[str, Any]) -> None:
        if self._issuer is not None and claims.get("iss") != self._issuer:
            raise InvalidToken("iss is not JWT_ISSUER")
        if self._audience is not None:
            audience = claims.get("aud")  # a string or a list of them: RFC 7519, section 4.1.3
            if audience != self._audience and not (isinstance(audience, list) and self._audience in audience):
                raise InvalidToken("aud does not name JWT_AUDIENCE")

    def _expiry(self, claims: Mapping[str, Any], now: float) -> float:
        expires_at = _time(claims, "exp")
        if expires_at is None:
            raise InvalidToken("exp is missing")
        if expires_at > now + self._max_lifetime:
            raise InvalidToken("exp is further away than JWT_MAX_LIFETIME")
        for name in ("iat", "nbf"):
            at = _time(claims, name)
            if at is not None and at > now + LEEWAY:
                raise InvalidToken(f"{name} lies in the future")
        return _seconds(expires_at)

    def _user_id(self, claims: Mapping[str, Any]) -> str:
        value = _claim(claims, self._user_claim)
        if value is _ABSENT and self._or_sub:
            value = claims.get("sub")
        user_id = parse_id(value)
        if user_id is None:
            raise InvalidToken("the user id is missing or no id")
        return user_id

    def _role(self, claims: Mapping[str, Any]) -> Role:
        """The role. No claim, ``null`` and ``[]`` are the least one, customer; of a list the strongest counts."""
        value = _claim(claims, self._role_claim)
        if value is _ABSENT or value is None or value == []:
            return Role.CUSTOMER
        names = value if isinstance(value, list) else [value]
        known = {self._role_map.get(name) for name in names if isinstance(name, str)}
        for role in _RANK:
            if role in known:
                return role
        raise InvalidToken("the role is none of ours (see JWT_ROLE_CLAIM and JWT_ROLE_MAP)")


def _claim(claims: Mapping[str, Any], path: str) -> Any:
    """A claim of exactly this name, or else at the end of this dotted path; `_ABSENT` where there is none."""
    value: Any = claims.get(path, _ABSENT)
    if value is not _ABSENT or "." not in path:
        return value
    value = claims
    for part in path.split("."):
        if not isinstance(value, dict):
            return _ABSENT
        value = value.get(part, _ABSENT)
    return value


def _time(claims: Mapping[str, Any], name: str) -> int | float | None:
    """A NumericDate (RFC 7519, section 2); ``None`` where the claim is absent."""
    value = claims.get(name, _ABSENT)
    if value is _ABSENT:
        return None
    if type(value) is int or type(value) is float:
        return value
    raise InvalidToken(f"{name} is no number")


def _seconds(time: float) -> float:
    """A time that is not far in the future as a float. An integer below all floats is as past as any."""
    return float(max(time, 0))


def _shops(claims: Mapping[str, Any]) -> frozenset[str] | None:
    """The shops: absent is all of them, ``[]`` is none. A list of ids, or one id alone.

    ``null`` is refused: it may be meant as either, and the difference is every other shop's orders.
    """
    value = claims.get("shops", _ABSENT)
    if value is _ABSENT:
        return None
    ids = [parse_id(shop) for shop in (value if isinstance(value, list) else [value])]
    if None in ids:
        raise InvalidToken("shops must be a list of ids")
    return frozenset(id for id in ids if id is not None)


def _token_id(claims: Mapping[str, Any]) -> str | None:
    """The ``jti`` (RFC 7519, section 4.1.7). Anything but a string is refused: such a token could not be revoked."""
    value = claims.get("jti", _ABSENT)
    if value is _ABSENT:
        return None
    if isinstance(value, str) and 0 < len(value) <= MAX_TOKEN_ID and value.isprintable():
        return value
    raise InvalidToken("jti is no string of 1 to 255 printable characters")
