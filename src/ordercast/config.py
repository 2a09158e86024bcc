"""Settings: the only reader of the environment. ``--port`` and ``ORDERCAST_PORT`` are the same setting.

A variable that is set to nothing counts as not set, as in ``docker compose`` with ``${REDIS_URL:-}``.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AliasChoices,
    Field,
    NonNegativeInt,
    PositiveInt,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import NoDecode, SettingsConfigDict

from ordercast.config_forms import is_loopback, network, node_address, node_name, origin, pairs
from ordercast.config_limits import Limits, Seconds, SecondsOr0
from ordercast.config_shop import ShopSettings
from ordercast.config_webhooks import WebhookSettings
from ordercast.errors import SettingsError

MIN_SECRET_BYTES = 32
"""RFC 7518, section 3.2: a key of the hash's size or larger is needed for HS256."""

MAKE_SECRET = 'python3 -c "import secrets; print(secrets.token_urlsafe(48))"'  # noqa: S105 - a command
"""What to run for a secret."""

ROLES = ("customer", "operator", "admin", "service")
"""The contract's roles, as `orders.principal.Role` has them, which stands above this module."""

Words = Annotated[tuple[str, ...], NoDecode]
"""A list in the environment: separated by commas or white space."""


class Settings(Limits, ShopSettings, WebhookSettings):
    """Everything that can be set. Intervals are in seconds, sizes in bytes."""

    model_config = SettingsConfigDict(
        env_prefix="ORDERCAST_",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        populate_by_name=True,
        hide_input_in_errors=True,
    )

    # Where we listen, and what for.
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 3001
    workers: PositiveInt = 1
    cors_origins: Words = ()
    trusted_proxies: Words = ()
    log_format: Literal["console", "json"] = "console"
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    # Where orders live.
    database_url: str = Field(default="sqlite+aiosqlite:///ordercast.db", repr=False)
    redis_url: str | None = Field(default=None, repr=False)
    node_name: str | None = None  # another one at each start
    node_address: str | None = None  # where other nodes reach this one; unset: found out
    workflow: Path | None = None
    status_map: Annotated[dict[str, str], NoDecode] = Field(default_factory=dict)  # from the shop's names to ours
    idempotency_ttl: Seconds = 86_400
    log_retention: SecondsOr0 = 30 * 86_400  # 0: for ever

    # How far back a client that was away is told what it missed, and for how long it is known again.
    replay_max_events: PositiveInt = 10_000
    replay_max_age: Seconds = 86_400
    recovery_ttl: Seconds = 86_400

    # Tokens.
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
    jwt_role_map: Annotated[dict[str, str], NoDecode] = Field(default_factory=dict)
    jwt_max_lifetime: Seconds = 400 * 86_400

    # Connections; how much each may ask: `Limits`.
    max_connections_per_user: NonNegativeInt = 0
    max_watches: NonNegativeInt = 1_000  # orders that one socket watches: more than a screen shows, or anyone follows
    monitor_interval: Seconds = 30
    position_interval: Seconds = 30
    drain_time: SecondsOr0 = 5  # over which clients leave a node that stops, where others are there to take them

    # REST.
    max_body: PositiveInt = 1_048_576

    @field_validator("jwt_secret", "cors_origins", "trusted_proxies", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        return tuple(filter(None, re.split(r"[,\s]+", value))) if isinstance(value, str) else value

    @field_validator("database_url")
    @classmethod
    def _driver(cls, url: str) -> str:
        for plain, driver in (
            ("postgresql://", "postgresql+asyncpg://"),
            ("postgres://", "postgresql+asyncpg://"),
            ("sqlite://", "sqlite+aiosqlite://"),
        ):
            if url.startswith(plain):
                return driver + url.removeprefix(plain)
        if not url.startswith(("sqlite+aiosqlite://", "postgresql+asyncpg://")):
            raise ValueError(
                "must be sqlite+aiosqlite:///path/to/file.db or postgresql+asyncpg://user:password@host/name"
            )
        return url

    @field_validator("port", mode="before")
    @classmethod
    def _no_service_link(cls, value: Any) -> Any:
        if isinstance(value, str) and value.startswith("tcp://"):
            raise ValueError(
                "was set by Kubernetes, after a Service called ordercast; set enableServiceLinks: false in the pod's "
                "spec, or ORDERCAST_PORT to a number"
            )
        return value

    @field_validator("redis_url")
    @classmethod
    def _redis(cls, url: str | None) -> str | None:
        if url is not None and not url.startswith(("redis://", "rediss://", "unix://")):
            raise ValueError("must be redis://host:6379/0, rediss://… for TLS, or unix:///path/to/socket")
        return url

    @field_validator("node_name")
    @classmethod
    def _name(cls, name: str | None) -> str | None:
        return None if name is None else node_name(name)

    @field_validator("node_address")
    @classmethod
    def _address(cls, url: str | None) -> str | None:
        return None if url is None else node_address(url)

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

    @field_validator("cors_origins")
    @classmethod
    def _origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(map(origin, origins))

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, proxies: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(map(network, proxies))

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

    @field_validator("jwt_role_map", "status_map", mode="before")
    @classmethod
    def _pairs(cls, value: Any) -> Any:
        return pairs(value) if isinstance(value, str) else value

    @field_validator("jwt_role_map")
    @classmethod
    def _our_roles(cls, role_map: dict[str, str]) -> dict[str, str]:
        for foreign, ours in role_map.items():
            if ours not in ROLES:
                raise ValueError(f"maps {foreign!r} to {ours!r}, which is none of {', '.join(ROLES)}")
        return role_map

    @property
    def may_have_nodes(self) -> bool:
        """Whether other nodes may be on the same database."""
        return self.database_url.startswith("postgresql")

    @model_validator(mode="after")
    def _agree(self) -> Self:
        keys = [bool(self.jwt_secret), self.jwt_public_key is not None, self.jwks_url is not None]
        if sum(keys) > 1:
            raise ValueError(
                "set only one of JWT_SECRET, JWT_PUBLIC_KEY and JWKS_URL: one algorithm family verifies all tokens"
            )
        if (self.jwt_public_key or self.jwks_url) and not (self.jwt_issuer and self.jwt_audience):
            raise ValueError(
                "JWT_PUBLIC_KEY and JWKS_URL also need JWT_ISSUER and JWT_AUDIENCE, "
                "or tokens your identity provider made for other services would open this one"
            )
        if self.workers > 1 and not (self.redis_url and self.database_url.startswith("postgresql")):
            raise ValueError(
                "WORKERS above 1 needs PostgreSQL and Redis: set DATABASE_URL to postgresql://… and REDIS_URL, "
                "or leave WORKERS at 1"
            )
        if self.workers > 1 and (self.node_name or self.node_address):
            raise ValueError(
                "NODE_NAME and NODE_ADDRESS are one process's: leave them unset where WORKERS is above 1, and each "
                "finds its own"
            )
        if self.redis_url and not self.database_url.startswith("postgresql"):
            raise ValueError(
                "REDIS_URL joins several nodes, and those need PostgreSQL: set DATABASE_URL to postgresql://…, "
                "or leave REDIS_URL unset"
            )
        return self


def load_settings(fixed: Mapping[str, Any] | None = None, /, **options: Any) -> Settings:
    """Settings from the environment, overruled by ``options`` (``None`` means not given) and by ``fixed`` (where it
    means unset).

    Raises `SettingsError`, one sentence per setting that is wrong.
    """
    try:
        return Settings(**{k: v for k, v in options.items() if v is not None} | dict(fixed or {}))
    except ValidationError as error:
        sentences = []
        for item in error.errors(include_url=False, include_input=False):
            name = str(item["loc"][0]).upper().removeprefix("ORDERCAST_") if item["loc"] else ""
            text = item["msg"].removeprefix("Value error, ")
            sentences.append(f"ORDERCAST_{name}: {text}" if name else text)
        raise SettingsError("; ".join(sentences)) from None


# Variables that Kubernetes sets for a Service called ordercast, for all containers beside it.
_SERVICE_LINK = re.compile(r"SERVICE_(HOST|PORT(_.*)?)|PORT_[0-9]+_.*")


def unknown_settings() -> list[str]:
    """A sentence for each ``ORDERCAST_…`` in the environment that is no setting, most likely a misspelt one."""
    names = sorted(name.upper() for name in Settings.model_fields)
    sentences = []
    for variable in sorted(os.environ):
        name = variable.upper().removeprefix("ORDERCAST_")
        if name == variable.upper() or name in names or _SERVICE_LINK.fullmatch(name):
            continue
        close = difflib.get_close_matches(name, names, n=1)
        hint = f"did you mean ORDERCAST_{close[0]}?" if close else "nothing reads it."
        sentences.append(f"{variable} is no setting; {hint}")
    return sentences
