"""Settings of webhooks, out and in."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from typing import Annotated, Any

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode

from ordercast.config_forms import pairs, words
from ordercast.config_limits import Seconds

_SOURCE = re.compile(r"[a-z0-9][a-z0-9-]{0,31}", re.ASCII)
_WRITTEN = "must be written as name=whsec_…,other=whsec_…, names with up to 32 of a-z, 0-9 and -"
_MIN_SECRET = 24  # bytes, as the specification has it
_EVERYWHERE = ("0.0.0.0/0", "::/0")


class WebhookSettings(BaseSettings):
    """``webhook_retries``: seconds between attempts, as the specification recommends them: three days in all.
    ``hooks``: who may send signed messages in, and the secrets of each, the newest first."""

    webhook_timeout: Annotated[Seconds, Field(le=120)] = 20
    webhook_retries: Annotated[tuple[Annotated[Seconds, Field(le=30 * 86_400)], ...], NoDecode] = (
        5,
        300,
        1_800,
        7_200,
        18_000,
        36_000,
        50_400,
        72_000,
        86_400,
    )
    webhook_allow_private: Annotated[tuple[str, ...], NoDecode] = ()
    hooks: Annotated[dict[str, tuple[str, ...]], NoDecode] = Field(default_factory=dict, repr=False)

    @field_validator("webhook_retries", "webhook_allow_private", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        return words(value)

    @field_validator("webhook_allow_private")
    @classmethod
    def _private(cls, networks: tuple[str, ...]) -> tuple[str, ...]:
        if networks == ("all",):
            return _EVERYWHERE
        try:
            return tuple(str(ipaddress.ip_network(one)) for one in networks)
        except ValueError:
            raise ValueError("must be networks such as 10.1.0.0/16, separated by commas, or all") from None

    @field_validator("hooks", mode="before")
    @classmethod
    def _sources(cls, value: Any) -> Any:
        """``name=whsec_…,name=whsec_…``: the same name again is another secret of it, for a rotation. JSON and TOML
        have a list there."""
        if isinstance(value, str) and value.lstrip().startswith("{"):
            value = pairs(value)
        if isinstance(value, dict):
            return {name: (one,) if isinstance(one, str) else one for name, one in value.items()}
        if not isinstance(value, str):
            return value
        sources: dict[str, tuple[str, ...]] = {}
        for word in filter(None, re.split(r"[,\s]+", value)):
            name, equals, secret = word.partition("=")
            if not equals:
                raise ValueError(_WRITTEN)
            sources[name] = (*sources.get(name, ()), secret)
        return sources

    @field_validator("hooks")
    @classmethod
    def _secrets(cls, sources: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        for name, secrets in sources.items():
            if not _SOURCE.fullmatch(name):  # it is the updatedBy of what comes from there
                raise ValueError(_WRITTEN)
            if not secrets:
                raise ValueError(f"{name} has no secret; leave it out, or give it one")
            if not all(map(_is_secret, secrets)):
                raise ValueError(
                    f"the secret of {name} is none: write whsec_ and the base64 of {_MIN_SECRET} bytes or more, as "
                    "the sender shows it"
                )
        return sources


def _is_secret(text: str) -> bool:
    if not text.startswith("whsec_"):
        return False
    try:
        key = base64.b64decode(text.removeprefix("whsec_") + "==")
    except binascii.Error:
        return False
    return len(key) >= _MIN_SECRET
