"""Settings: the only reader of the environment. ``--port`` and ``ORDERCAST_PORT`` are the same setting."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AliasChoices,
    Field,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from ordercast.errors import SettingsError

MIN_SECRET_BYTES = 32
"""RFC 7518, section 3.2: a key of the hash's size or larger is needed for HS256."""

Words = Annotated[tuple[str, ...], NoDecode]
"""A list in the environment: separated by commas or white space."""


class Settings(BaseSettings):
    """Everything that can be set. Intervals are in seconds, sizes in bytes."""

    model_config = SettingsConfigDict(
        env_prefix="ORDERCAST_", extra="ignore", frozen=True, populate_by_name=True, hide_input_in_errors=True
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
    database_url: str = "sqlite+aiosqlite:///ordercast.db"
    redis_url: str | None = None
    workflow: Path | None = None
    idempotency_ttl: PositiveFloat = 86_400

    # Tokens.
    secret_key: str | None = None
    jwt_secret: Words = Field(
        default=(), validation_alias=AliasChoices("jwt_secret", "ORDERCAST_JWT_SECRET", "JWT_SECRET")
    )
    jwt_public_key: str | None = None
    jwks_url: str | None = None
    jwt_issuer: str | None = None
    jwt_audience: str | None = None
    jwt_user_claim: str = "userId"
    jwt_role_claim: str = "role"
    jwt_role_map: dict[str, str] = Field(default_factory=dict)
    jwt_max_lifetime: PositiveFloat = 400 * 86_400

    # Connections.
    max_connections_per_user: NonNegativeInt = 0
    connect_timeout: PositiveFloat = 10
    ping_interval: PositiveFloat = 25
    ping_timeout: PositiveFloat = 20
    max_payload: PositiveInt = 16_384
    max_queue_bytes: PositiveInt = 1_048_576
    monitor_interval: PositiveFloat = 30

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

    @field_validator("jwt_secret")
    @classmethod
    def _long_enough(cls, secrets: tuple[str, ...]) -> tuple[str, ...]:
        for secret in secrets:
            if len(secret.encode()) < MIN_SECRET_BYTES:
                raise ValueError(
                    f"must be at least {MIN_SECRET_BYTES} bytes; make one with: "
                    'python3 -c "import secrets; print(secrets.token_urlsafe(48))"'
                )
        return secrets

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
        return self


def load_settings(**options: Any) -> Settings:
    """Settings from the environment, overruled by ``options`` (``None`` means not given).

    Raises `SettingsError`, one sentence per setting that is wrong.
    """
    try:
        return Settings(**{k: v for k, v in options.items() if v is not None})
    except ValidationError as error:
        sentences = []
        for item in error.errors(include_url=False, include_input=False):
            name = str(item["loc"][0]).upper().removeprefix("ORDERCAST_") if item["loc"] else ""
            text = item["msg"].removeprefix("Value error, ")
            sentences.append(f"ORDERCAST_{name}: {text}" if name else text)
        raise SettingsError("; ".join(sentences)) from None


def env_is_set(name: str) -> bool:
    """Whether a setting comes from the environment (for `ordercast check`)."""
    return f"ORDERCAST_{name.upper()}" in os.environ
