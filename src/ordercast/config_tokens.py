"""Settings of tokens: the keys that verify them, and what is read from their claims."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AliasChoices, Field, field_validator
from pydantic_settings import BaseSettings

from ordercast.config_forms import Pairs, Words, is_loopback, words
from ordercast.config_limits import Seconds

MIN_SECRET_BYTES = 32
"""RFC 7518, section 3.2: a key of the hash's size or larger is needed for HS256."""

MAKE_SECRET = 'python3 -c "import secrets; print(secrets.token_urlsafe(48))"'  # noqa: S105 - a command
"""What to run for a secret."""

ROLES = ("customer", "operator", "admin", "service")
"""The contract's roles, as `orders.principal.Role` has them, which stands above this module."""


class TokenSettings(BaseSettings):
    """Whose tokens count. ``jwt_max_lifetime`` in seconds."""

    secret_key: str | None = Field(default=None, repr=False)
    jwt_secret: Words = Field(
        # Our own name counts before the one that other programs may share.
        default=(),
        validation_alias=AliasChoices("ORDERCAST_JWT_SECRET", "JWT_SECRET", "jwt_secret"),
        repr=False,
    )
    jwt_public_key: str | None = None
    jwks_url: str | None = None
    jwt_issuer: str | None = None
    jwt_audience: str | None = None
    jwt_user_claim: Annotated[str, Field(min_length=1)] = "userId"
    jwt_role_claim: Annotated[str, Field(min_length=1)] = "role"
    jwt_role_map: Pairs = Field(default_factory=dict)
    jwt_max_lifetime: Seconds = 400 * 86_400

    @field_validator("jwt_secret", mode="before")
    @classmethod
    def _secret_words(cls, value: Any) -> Any:
        return words(value)

    @field_validator("jwt_secret")
    @classmethod
    def _long_enough(cls, secrets: tuple[str, ...]) -> tuple[str, ...]:
        for number, secret in enumerate(secrets, 1):
            if len(secret.encode()) < MIN_SECRET_BYTES:
                which = f"secret {number} of {len(secrets)} (commas and spaces separate them) " * (len(secrets) > 1)
                raise ValueError(f"{which}must be at least {MIN_SECRET_BYTES} bytes; make one with: {MAKE_SECRET}")
        return secrets

    @field_validator("secret_key")
    @classmethod
    def _key_long_enough(cls, key: str | None) -> str | None:
        if key is not None and len(key.encode()) < MIN_SECRET_BYTES:
            raise ValueError(
                f"must be at least {MIN_SECRET_BYTES} bytes; make one with: {MAKE_SECRET}, "
                "or leave it unset: one is made and kept in the database"
            )
        return key

    @field_validator("jwks_url")
    @classmethod
    def _https(cls, url: str | None) -> str | None:
        if url is None:
            return url
        try:
            parts = urlsplit(url)
            host, _ = parts.hostname or "", parts.port
        except ValueError:
            raise ValueError("must be an https:// address") from None
        if parts.username or parts.password:
            raise ValueError("must hold no password: key sets are public")
        if not host or not (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))):
            raise ValueError("must be an https:// address, or whoever is on the way could put in keys of their own")
        return url

    @field_validator("jwt_role_map")
    @classmethod
    def _our_roles(cls, role_map: dict[str, str]) -> dict[str, str]:
        for foreign, ours in role_map.items():
            if ours not in ROLES:
                raise ValueError(f"maps {foreign!r} to {ours!r}, which is none of {', '.join(ROLES)}")
        return role_map
