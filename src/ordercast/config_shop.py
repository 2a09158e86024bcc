"""What customers see of the shop: settings of share links and of the page behind them."""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings

from ordercast.config_forms import page_url
from ordercast.config_limits import Seconds

_PHONE = re.compile(r"\+?[0-9][0-9 ()./-]{2,31}", re.ASCII)


class ShopSettings(BaseSettings):
    """Whose orders these are. Intervals in seconds."""

    public_url: str | None = None  # where customers reach this server; unset: as the request for the link did
    share_lifetime: Seconds = 30 * 86_400  # longer than any delivery takes, and a link left in a chat ends some day
    shop_name: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    shop_phone: str | None = None  # shown as it is written
    shop_time_zone: str = "UTC"  # where a day begins and ends; for pages without JavaScript, which know no reader's own
    login_url: str | None = None  # where operators sign in; unset: they come to the board with a token
    refresh_url: str | None = None  # where their board gets a new token from, by the shop's own cookie

    @field_validator("public_url")
    @classmethod
    def _base(cls, url: str | None) -> str | None:
        if url is None:
            return None
        try:
            parts = urlsplit(url)
            host, _ = parts.hostname, parts.port
        except ValueError:
            host = None
        if not host or parts.scheme not in ("http", "https") or parts.query or parts.fragment or parts.username:
            raise ValueError("must be https://host or https://host/path, as customers reach this server")
        return url.rstrip("/")

    @field_validator("login_url", "refresh_url")
    @classmethod
    def _page(cls, url: str | None) -> str | None:
        return None if url is None else page_url(url)

    @field_validator("shop_phone")
    @classmethod
    def _dialled(cls, phone: str | None) -> str | None:
        if phone is not None and not _PHONE.fullmatch(phone):
            raise ValueError("must be a phone number, such as +49 30 1234567")
        return phone

    @field_validator("shop_time_zone")
    @classmethod
    def _zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError("must be a time zone such as Europe/Berlin, as this machine knows them") from None
        return name
