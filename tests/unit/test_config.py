"""Settings: what is accepted, what is refused and in which words, and what never shows."""

from __future__ import annotations

import os
from typing import Any

import pytest

from ordercast.config import ROLES, Settings, load_settings
from ordercast.config_environment import unknown_settings
from ordercast.config_forms import is_loopback
from ordercast.errors import SettingsError
from ordercast.orders.principal import Role

A, B = "a" * 40, "b" * 40


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment without our variables."""
    for name in os.environ:
        if name.upper().startswith("ORDERCAST_") or name.upper() == "JWT_SECRET":
            monkeypatch.delenv(name)


def test_roles_are_the_domains() -> None:
    assert set(ROLES) == set(Role)


GOOD: list[tuple[str, str, Any]] = [
    ("port", "0", 0),
    ("ping_interval", "0.5", 0.5),
    ("log_retention", "0", 0),
    ("log_retention", "86400.5", 86_400.5),
    ("order_retention", "0", 0),
    ("order_retention", "2592000", 30 * 86_400),
    ("recovery_ttl", "3600", 3_600),
    ("replay_max_events", "1", 1),
    ("replay_max_age", "0.5", 0.5),
    ("jwt_secret", f"{A},{B}", (A, B)),
    ("jwt_secret", f" {A}\n{B} ", (A, B)),
    ("secret_key", A, A),
    ("database_url", "postgresql://u:p@h/d", "postgresql+asyncpg://u:p@h/d"),
    ("database_url", "postgres://u:p@h/d", "postgresql+asyncpg://u:p@h/d"),
    ("database_url", "sqlite:///a.db", "sqlite+aiosqlite:///a.db"),
    ("redis_url", "rediss://u:p@h:6380/1", "rediss://u:p@h:6380/1"),
    ("redis_url", "unix:///run/redis.sock", "unix:///run/redis.sock"),
    ("node_name", "Kitchen2", "Kitchen2"),
    ("public_url", "https://shop.example/live/", "https://shop.example/live"),
    ("share_lifetime", "3600", 3_600),
    ("shop_name", "Café Süß", "Café Süß"),
    ("shop_phone", "+49 (0)30 1234-5", "+49 (0)30 1234-5"),
    ("login_url", "https://shop.example/login?for=board&x=1", "https://shop.example/login?for=board&x=1"),
    ("login_url", "/login", "/login"),
    ("refresh_url", "http://[::1]:8080/session/renew", "http://[::1]:8080/session/renew"),
    ("refresh_url", "https://id.shop.example", "https://id.shop.example"),
    ("shop_time_zone", "Europe/Berlin", "Europe/Berlin"),
    ("node_address", "http://[fd00::1]:3001", "http://[fd00::1]:3001"),
    ("cors_origins", "*", ("*",)),
    ("cors_origins", "https://Shop.example/, http://[::1]:3000", ("https://shop.example", "http://[::1]:3000")),
    ("cors_origins", "https://a:443 http://a:80 http://a:443", ("https://a", "http://a", "http://a:443")),
    ("cors_origins", "capacitor://localhost", ("capacitor://localhost",)),
    ("trusted_proxies", "*", ("*",)),
    ("trusted_proxies", "10.0.0.1 10.1.2.3/8,::1, fd00::/8", ("10.0.0.1", "10.0.0.0/8", "::1", "fd00::/8")),
    ("jwt_role_map", "a=admin, b=operator", {"a": "admin", "b": "operator"}),
    ("jwt_role_map", "cn=boss=admin", {"cn=boss": "admin"}),
    ("jwt_role_map", '{"Head of, kitchen": "operator"}', {"Head of, kitchen": "operator"}),
]


@pytest.mark.parametrize(("name", "text", "value"), GOOD)
def test_environment_and_option_say_the_same(name: str, text: str, value: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORDERCAST_DATABASE_URL", "postgresql://h/d")  # which REDIS_URL needs
    assert getattr(load_settings(**{name: text}), name) == value
    monkeypatch.setenv(f"ORDERCAST_{name.upper()}", text)
    assert getattr(load_settings(), name) == value


BAD = [
    ("port", "65536", "65535"),
    ("port", "tcp://10.0.0.1:3001", "enableServiceLinks"),
    ("ping_interval", "0", "greater than 0"),
    ("ping_interval", "inf", "finite"),
    ("monitor_interval", "nan", "finite|greater"),
    ("log_retention", "-1", "greater than or equal to 0"),
    ("log_retention", "1e300", "less than or equal"),
    ("order_retention", "-1", "greater than or equal to 0"),
    ("idempotency_ttl", "1e300", "less than or equal"),
    ("replay_max_events", "0", "greater than 0"),
    ("replay_max_age", "0", "greater than 0"),
    ("recovery_ttl", "0", "greater than 0"),
    ("jwt_max_lifetime", "-1", "greater than 0"),
    ("jwt_secret", "hunter2-hunter2", "at least 32 bytes; make one with: python3 -c"),
    ("jwt_secret", f"{A},hunter2-hunter2", r"secret 2 of 2 \(commas"),
    ("secret_key", "hunter2-hunter2", "at least 32 bytes"),
    ("database_url", "mysql://u:hunter2@h/d", "postgresql"),
    ("redis_url", "http://u:hunter2@h", "redis://"),
    ("redis_url", "u:hunter2@localhost:6379", "redis://"),
    ("cors_origins", "shop.example", "scheme://host"),
    ("cors_origins", "https://shop.example/live", "without a path"),
    ("cors_origins", "https://*.shop.example", "no origin"),
    ("cors_origins", "null", "no origin"),
    ("trusted_proxies", "nginx", "no IP address"),
    ("trusted_proxies", "10.0.0.0/33", "no IP address"),
    ("jwks_url", "http://id.example/keys", "https://"),
    ("jwks_url", "file:///etc/passwd", "https://"),
    ("jwks_url", "https://", "https://"),
    ("jwks_url", "https://[", "https://"),
    ("jwks_url", "https://h:99999/", "https://"),
    ("jwks_url", "https://u:hunter2@id.example/keys", "no password"),
    ("jwt_role_map", "a=root", "'a' to 'root', which is none of customer"),
    ("jwt_role_map", "a", "theirs=ours"),
    ("jwt_role_map", "=admin", "theirs=ours"),
    ("jwt_role_map", "{", "JSON"),
    ("jwt_role_map", '{"a": 1}', "string"),
    ("jwt_user_claim", "", "at least 1"),
    ("node_name", "a-b", "letters and digits"),
    ("node_name", "a\n", "letters and digits"),
    ("node_name", "a" * 17, "1 to 16"),
    ("node_address", "https://a:1", "http://host:port"),
    ("node_address", "http://a", "http://host:port"),
    ("log_level", "loud", "debug"),
    ("public_url", "shop.example", "https://host"),
    ("public_url", "https://u:hunter2@shop.example", "https://host"),
    ("public_url", "https://shop.example/?a", "https://host"),
    ("public_url", "https://[", "https://host"),
    ("share_lifetime", "0", "greater than 0"),
    ("shop_name", "x" * 65, "at most 64"),
    ("shop_phone", "call me", "a phone number, such as"),
    ("login_url", "javascript:alert(1)", "https://host/path, or /path"),
    ("login_url", "//elsewhere.example/login", "https://host/path, or /path"),
    ("login_url", "login", "https://host/path, or /path"),
    ("login_url", "https://shop.example/#token", "https://host/path, or /path"),
    ("refresh_url", "https://shop.example; script-src *", "https://host/path, or /path"),
    ("refresh_url", "https://u:p@shop.example/", "https://host/path, or /path"),
    ("refresh_url", "/\\elsewhere.example", "https://host/path, or /path"),
    ("refresh_url", "ftp://shop.example/", "https://host/path, or /path"),
    ("shop_time_zone", "Europe/Atlantis", "a time zone such as"),
    ("shop_time_zone", "../../etc/passwd", "a time zone such as"),
]


@pytest.mark.parametrize(("name", "text", "sentence"), BAD)
def test_refusals_name_the_setting_and_keep_its_value_to_themselves(name: str, text: str, sentence: str) -> None:
    with pytest.raises(SettingsError, match=sentence) as caught:
        load_settings(**{name: text})
    assert str(caught.value).startswith(f"ORDERCAST_{name.upper()}: ")
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None


SEVERAL = {"workers": 2, "database_url": "postgresql://h/d", "redis_url": "redis://h"}


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"jwt_secret": A, "jwks_url": "https://h/k"}, "only one of"),
        ({"jwks_url": "https://h/k", "jwt_issuer": "i"}, "JWT_ISSUER and JWT_AUDIENCE"),
        ({"jwt_public_key": "k"}, "JWT_ISSUER and JWT_AUDIENCE"),
        ({"order_retention": 30 * 86_400 - 1}, "ORDER_RETENTION must be at least LOG_RETENTION"),
        ({"order_retention": 86_400, "log_retention": 0}, r"and that not 0 \(for ever\)"),
        ({"workers": 2}, "PostgreSQL and Redis"),
        ({**SEVERAL, "node_name": "a"}, "NODE_NAME and NODE_ADDRESS are one process's"),
        ({**SEVERAL, "node_address": "http://h:1"}, "leave them unset where WORKERS is above 1"),
        ({"redis_url": "redis://h"}, "^REDIS_URL joins several nodes, and those need PostgreSQL: set DATABASE_URL"),
    ],
)
def test_settings_that_contradict_each_other(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(SettingsError, match=sentence):
        load_settings(**options)


def test_every_wrong_setting_has_its_sentence() -> None:
    with pytest.raises(SettingsError, match=r"ORDERCAST_PORT: .*; ORDERCAST_REDIS_URL: "):
        load_settings(port=-1, redis_url="x")


@pytest.mark.parametrize(
    ("environment", "options", "found"),
    [
        ({"JWT_SECRET": A}, {}, (A,)),
        ({"ORDERCAST_JWT_SECRET": A}, {}, (A,)),
        ({"JWT_SECRET": A, "ORDERCAST_JWT_SECRET": B}, {}, (B,)),
        ({"JWT_SECRET": A, "ORDERCAST_JWT_SECRET": ""}, {}, (A,)),
        ({"JWT_SECRET": A}, {"jwt_secret": B}, (B,)),
        ({"ORDERCAST_JWT_SECRET": A}, {"jwt_secret": (B,)}, (B,)),
        ({"JWT_SECRET": ""}, {}, ()),
    ],
)
def test_where_the_secret_comes_from(
    environment: dict[str, str], options: dict[str, Any], found: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert load_settings(**options).jwt_secret == found


def test_only_the_secret_is_read_without_our_prefix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "1")
    monkeypatch.setenv("JWKS_URL", "https://h/k")
    monkeypatch.setenv("DATABASE_URL", "sqlite:///other.db")
    assert load_settings() == Settings()


def test_set_to_nothing_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.setenv(f"ORDERCAST_{name.upper()}", "")
    assert load_settings() == Settings()


def test_secrets_do_not_show() -> None:
    shown = Settings(
        jwt_secret=A, secret_key=B, database_url="postgresql://u:hunter2@h/d", redis_url="redis://u:hunter2@h"
    )
    for text in (repr(shown), str(shown)):
        assert not any(secret in text for secret in (A, B, "hunter2"))
    with pytest.raises(ValueError, match="at least") as caught:
        Settings(jwt_secret="hunter2-hunter2")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("host", "ours"),
    [
        ("localhost", True), ("keys.localhost", True), ("127.0.0.1", True), ("127.9.9.9", True), ("::1", True),
        ("", False), ("localhost.example", False), ("10.0.0.1", False), ("127.0.0.1.example", False),
    ],
)  # fmt: skip
def test_is_loopback(host: str, ours: bool) -> None:
    assert is_loopback(host) is ours
    url = f"http://[{host}]:8080/k" if ":" in host else f"http://{host}:8080/k"
    options: dict[str, Any] = {"jwks_url": url, "jwt_issuer": "i", "jwt_audience": "a"}
    if ours:
        assert load_settings(**options).jwks_url == url
    else:
        with pytest.raises(SettingsError):
            load_settings(**options)


def test_unknown_settings_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert unknown_settings() == []
    for name in ("ORDERCAST_PORT", "ORDERCAST_PROT", "ORDERCAST_JWT_SECERT", "ORDERCAST_ZZZ", "ORDERCASTLE", "PORT"):
        monkeypatch.setenv(name, "1")
    for name in ("ORDERCAST_SERVICE_HOST", "ORDERCAST_SERVICE_PORT_HTTP", "ORDERCAST_PORT_3001_TCP_ADDR"):
        monkeypatch.setenv(name, "1")  # Kubernetes's
    assert unknown_settings() == [
        "ORDERCAST_JWT_SECERT is no setting; did you mean ORDERCAST_JWT_SECRET?",
        "ORDERCAST_PROT is no setting; did you mean ORDERCAST_PORT?",
        "ORDERCAST_ZZZ is no setting; nothing reads it.",
    ]
