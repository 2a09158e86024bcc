"""Settings: the only reader of the environment and of the settings file. ``--port``, ``ORDERCAST_PORT`` and ``port`` in
the file are the same setting; an option counts before the environment, and that before the file.

A variable that is set to nothing counts as not set, as in ``docker compose`` with ``${REDIS_URL:-}``.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    Field,
    NonNegativeInt,
    PositiveInt,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from ordercast.config_catalogue import SETTINGS
from ordercast.config_file import FileSource, Record, chosen, exposed, record, secrets_of
from ordercast.config_forms import Pairs, Words, network, node_address, node_name, origin, words
from ordercast.config_limits import Limits, Seconds, SecondsOr0
from ordercast.config_shop import ShopSettings
from ordercast.config_tokens import MAKE_SECRET as MAKE_SECRET
from ordercast.config_tokens import ROLES as ROLES
from ordercast.config_tokens import TokenSettings
from ordercast.config_webhooks import WebhookSettings
from ordercast.errors import SettingsError

_SHOWN = 100  # characters of a value


class Settings(Limits, ShopSettings, WebhookSettings, TokenSettings):
    """Everything that can be set. Intervals are in seconds, sizes in bytes."""

    model_config = SettingsConfigDict(
        env_prefix="ORDERCAST_",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        populate_by_name=True,
        hide_input_in_errors=True,
    )

    config: Path | None = None  # the file with the rest of these

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
    status_map: Pairs = Field(default_factory=dict)  # from the shop's names to ours
    idempotency_ttl: Seconds = 86_400
    log_retention: SecondsOr0 = 30 * 86_400  # 0: for ever
    order_retention: SecondsOr0 = 0  # since they are closed; 0: for ever

    # How far back a client that was away is told what it missed, and for how long it is known again.
    replay_max_events: PositiveInt = 10_000
    replay_max_age: Seconds = 86_400
    recovery_ttl: Seconds = 86_400

    # Connections; how much each may ask: `Limits`.
    max_connections_per_user: NonNegativeInt = 0
    max_watches: NonNegativeInt = 1_000  # orders that one socket watches: more than a screen shows, or anyone follows
    monitor_interval: Seconds = 30
    position_interval: Seconds = 30
    drain_time: SecondsOr0 = 5  # over which clients leave a node that stops, where others are there to take them

    # REST.
    max_body: PositiveInt = 1_048_576

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], *others: PydanticBaseSettingsSource, **more: PydanticBaseSettingsSource
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """As they are, the first one wins: pydantic's own, then the file."""
        return *others, *more.values(), FileSource(settings_cls)

    @field_validator("cors_origins", "trusted_proxies", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        return words(value)

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

    @field_validator("cors_origins")
    @classmethod
    def _origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(map(origin, origins))

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, proxies: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(map(network, proxies))

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
        if self.order_retention and not 0 < self.log_retention <= self.order_retention:
            raise ValueError(
                "ORDER_RETENTION must be at least LOG_RETENTION, and that not 0 (for ever): an order is kept while the "
                "log tells of it"
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
    """Settings from the environment and the file, overruled by ``options`` (``None`` means not given) and by ``fixed``
    (where it means unset).

    Raises `SettingsError`, one sentence per setting that is wrong.
    """
    return load(fixed, **options).settings


@dataclass(frozen=True, slots=True)
class Loaded:
    """Settings, and where they come from."""

    settings: Settings
    record: Record

    def notes(self) -> list[str]:
        """A sentence for each thing about the file that its author may not know."""
        if (path := self.settings.config) is None:
            return []
        given = self.record.given
        notes = [
            f"{name} in {path} counts for nothing: {_source(name, given[name])} overrules it"
            for name in self.record.overruled
        ]
        open_to_all = exposed(path, self.settings, given)
        return notes if open_to_all is None else [open_to_all, *notes]

    def described(self) -> list[tuple[str, str, str]]:
        """Name, value and source of each setting that is not the default, secrets left out."""
        defaults, hidden = Settings.model_construct(), set(secrets_of(self.settings))
        return [
            (name, "not shown" if name in hidden else shown(value), _source(name, self.record.given[name]))
            for name in SETTINGS
            if name in self.record.given
            if (value := getattr(self.settings, name)) != getattr(defaults, name)
        ]


Read = Callable[[], Loaded]
"""Reads settings anew."""


def load(fixed: Mapping[str, Any] | None = None, /, **options: Any) -> Loaded:
    """As `load_settings`, and says where they come from."""
    found = Record()
    before = record.set(found)
    try:
        return Loaded(Settings(**_arguments(options) | dict(fixed or {})), found)
    except ValidationError as error:
        raise SettingsError("; ".join(_sentences(error, found.given))) from None
    finally:
        record.reset(before)


def _arguments(options: Mapping[str, Any]) -> dict[str, Any]:
    given = {name: value for name, value in options.items() if value is not None}
    return given if (path := chosen.get()) is None else {"config": path, **given}


def _sentences(error: ValidationError, given: Mapping[str, str]) -> Iterator[str]:
    for item in error.errors(include_url=False, include_input=False):
        text = item["msg"].removeprefix("Value error, ")
        name = str(item["loc"][0]).lower().removeprefix("ordercast_") if item["loc"] else ""
        source = given.get(name, "environment")
        if not name:
            yield text
        elif source in ("option", "environment"):
            yield f"ORDERCAST_{name.upper()}: {text}"
        else:
            yield f"{source}: {name}: {text}"


def shown(value: Any) -> str:
    """A value for people, in one line."""
    if isinstance(value, Mapping):
        return ", ".join(f"{key}={one}" for key, one in value.items())
    text = ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
    if "-----BEGIN" in text:
        return "a key that is written out"  # by mistake a private one
    return " ".join(text.split()) if len(text) <= _SHOWN else f"{' '.join(text[:_SHOWN].split())}…"


def _source(name: str, source: str) -> str:
    if source == "option":
        return f"--{name.replace('_', '-')}"
    if source != "environment":
        return source
    ours = f"ORDERCAST_{name.upper()}"
    there = any(variable.upper() == ours and value for variable, value in os.environ.items())
    return ours if there else name.upper()
