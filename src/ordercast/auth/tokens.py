"""Tokens as text: where they are found, what they look like, and how we make one for trying things out."""

from __future__ import annotations

import math
import re
import secrets
import time
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl

import jwt

from ordercast.config import Settings
from ordercast.errors import AuthenticationRequired, InvalidToken, SettingsError
from ordercast.orders.ids import json_id, parse_id
from ordercast.orders.principal import Role

MAX_TOKEN = 4_096
"""Bytes: larger than any honest token, smaller than what is worth an attacker's while."""

_PADDING = 64  # characters that a scheme and spaces around a token may add
_MAX_QUERY_FIELDS = 64  # as in engineio.request

# RFC 7515, section 7.1: three base64url parts without padding. Five would be encrypted (RFC 7516): not for us. Two are
# a share token's.
_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)?", re.ASCII)


def find_token(auth: object, query: bytes | str | Mapping[str, object], authorization: str | None) -> object | None:
    """The token a socket came with, or ``None``.

    Looked for in the CONNECT packet's ``auth.token``, in the query's ``token`` (raw, or as parsed fields) and in
    the ``Authorization`` header, in this order. Missing, ``null`` and empty fall through to the next place; any
    other value, a string or not, is returned as it is, for `TokenVerifier` to judge. Never raises.
    """
    if isinstance(auth, Mapping):
        token = auth.get("token")
        if not _is_blank(token):
            return token
    token = query.get("token") if isinstance(query, Mapping) else _from_query(query)
    if not _is_blank(token):
        return token
    return None if _is_blank(authorization) else authorization


def _from_query(query: bytes | str) -> str | None:
    """The last ``token`` of a raw query, as `engineio.request.Request.query` has it."""
    if not query:
        return None
    text = query.decode("latin-1") if isinstance(query, bytes) else query
    try:
        return dict(parse_qsl(text, max_num_fields=_MAX_QUERY_FIELDS)).get("token")
    except ValueError:
        return None


def _is_blank(token: object) -> bool:
    return token is None or (isinstance(token, str) and len(token) <= _PADDING and not _strip(token))


def _strip(token: str) -> str:
    """Without surrounding spaces and a leading ``Bearer`` in any case (RFC 9110, section 11.1)."""
    token = token.strip()
    if token[:6].lower() == "bearer" and (len(token) == 6 or token[6].isspace()):
        return token[6:].strip()
    return token


def bare_token(token: object) -> str:
    """The token alone, of the right form and size. Raises `AuthenticationRequired` for none, else `InvalidToken`."""
    if token is None:
        raise AuthenticationRequired
    if not isinstance(token, str):
        raise InvalidToken("no string")
    if len(token) > MAX_TOKEN + _PADDING:  # before anything that takes longer for more
        raise InvalidToken("longer than 4096 bytes")
    token = _strip(token)
    if not token:
        raise AuthenticationRequired
    if len(token) > MAX_TOKEN:
        raise InvalidToken("longer than 4096 bytes")
    if not _COMPACT.fullmatch(token):
        raise InvalidToken("no JWT in its compact form")
    return token


def sign_token(
    settings: Settings, user_id: str | int, role: Role | str, lifetime: float, shops: Sequence[str | int] | None = None
) -> str:
    """A token that these settings accept, for trying things out. HS256, with the newest ``JWT_SECRET``.

    ``lifetime`` in seconds; ``shops`` ``None`` for all of them. Raises `SettingsError` where there is no such secret or
    where the settings would not accept the token.
    """
    if not settings.jwt_secret:
        raise SettingsError(
            "Only tokens of ORDERCAST_JWT_SECRET can be made here: set it, or get a token from your identity provider"
        )
    user = parse_id(user_id)
    shop_ids = None if shops is None else [parse_id(shop) for shop in shops]
    if user is None or (shop_ids is not None and None in shop_ids):
        raise SettingsError("The ids of users and shops have 1 to 64 of A-Z a-z 0-9 _ . : -")
    if not 0 < lifetime <= settings.jwt_max_lifetime:
        raise SettingsError(f"A token lives for more than 0 and at most {settings.jwt_max_lifetime:.0f} seconds")
    now = time.time()
    claims: dict[str, Any] = {
        # A dotted name as it stands is read before the path.
        settings.jwt_user_claim: json_id(user),
        settings.jwt_role_claim: _foreign_name(settings, role),
        "iat": int(now),
        # Whole seconds: fractions are legal (RFC 7519, section 2) and not every library reads them.
        "exp": min(math.ceil(now + lifetime), math.floor(now + settings.jwt_max_lifetime)),
        "jti": secrets.token_urlsafe(12),
    }
    if settings.jwt_issuer is not None:
        claims["iss"] = settings.jwt_issuer
    if settings.jwt_audience is not None:
        claims["aud"] = settings.jwt_audience
    if shop_ids is not None:
        claims["shops"] = [json_id(shop) for shop in shop_ids if shop is not None]
    token = jwt.encode(claims, settings.jwt_secret[0], algorithm="HS256")
    if len(token) > MAX_TOKEN:
        raise SettingsError(f"The token would be longer than {MAX_TOKEN} bytes: name fewer shops")
    return token


def _foreign_name(settings: Settings, role: Role | str) -> str:
    """What the role is called in tokens, before the map."""
    if role not in Role.__members__.values():
        raise SettingsError(f"A role is one of {', '.join(Role)}")
    name = str(role)
    if settings.jwt_role_map.get(name, name) == name:
        return name
    for foreign, ours in settings.jwt_role_map.items():
        if ours == name:
            return foreign
    raise SettingsError(f"ORDERCAST_JWT_ROLE_MAP leaves no name for the role {name}")
