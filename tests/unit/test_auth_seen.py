"""A token that was seen before is as good as one that is checked whole, and never better."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from ordercast.auth import TokenVerifier
from ordercast.auth.claims import LEEWAY
from ordercast.auth.jwks import RemoteKeys
from ordercast.auth.keys import Key, check_signature, secret_keys
from ordercast.auth.seen import SeenTokens
from ordercast.config import Settings
from ordercast.errors import InvalidToken, TokenExpired

SECRET, OTHER = "s" * 40, "o" * 40
NOW = 1_800_000_000.0


class Clock:
    """Seconds since the epoch, as told."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def tokens(clock: Clock) -> TokenVerifier:
    settings = Settings(jwt_secret=(SECRET, OTHER), jwt_max_lifetime=1_000)
    return TokenVerifier(settings, secret_keys(settings.jwt_secret), clock)


@pytest.fixture
def checked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tokens whose signatures were checked."""
    found: list[str] = []

    def counted(text: str, keys: Any) -> Any:
        found.append(text)
        return check_signature(text, keys)

    monkeypatch.setattr("ordercast.auth.verifier.check_signature", counted)
    return found


def token(secret: str = SECRET, **claims: Any) -> str:
    return jwt.encode({"userId": 42, "exp": NOW + 60, **claims}, secret, "HS256")


@pytest.mark.parametrize("secret", [SECRET, OTHER])
async def test_a_signature_is_checked_once(
    tokens: TokenVerifier, checked: list[str], clock: Clock, secret: str
) -> None:
    text = token(secret)
    first = tokens.verify_now(text)
    clock.now += 59
    assert tokens.verify_now(f"Bearer {text}") == first
    assert await tokens.verify(text) == first
    assert checked == [text]


def test_its_end_comes_all_the_same(tokens: TokenVerifier, clock: Clock) -> None:
    text = token()
    tokens.verify_now(text)
    for later in (60, 61, 10_000):
        clock.now = NOW + later
        with pytest.raises(TokenExpired):
            tokens.verify_now(text)


@pytest.mark.parametrize("claims", [{"nbf": NOW - 100 + LEEWAY}, {"iat": NOW - 100 + LEEWAY}, {"exp": NOW + 900}])
def test_a_clock_that_is_set_back_sees_what_it_would_have_seen(
    tokens: TokenVerifier, clock: Clock, claims: dict[str, Any]
) -> None:
    text = token(**claims)
    tokens.verify_now(text)
    clock.now = NOW - 101
    with pytest.raises(InvalidToken):
        tokens.verify_now(text)


def test_another_token_is_another(tokens: TokenVerifier) -> None:
    text = token()
    tokens.verify_now(text)
    head, claims, signature = text.split(".")
    other = token(userId=43).split(".")
    for forged in (f"{head}.{other[1]}.{signature}", f"{head}.{claims}.{other[2]}", token("x" * 40)):
        for _ in range(2):
            with pytest.raises(InvalidToken):
                tokens.verify_now(forged)


def test_what_was_refused_takes_no_room(tokens: TokenVerifier) -> None:
    for bad in (token("x" * 40), token(exp=NOW), token(exp=NOW + 1_001), token(role="root")):
        with pytest.raises((InvalidToken, TokenExpired)):
            tokens.verify_now(bad)
    assert len(tokens._seen) == 0


async def test_a_key_that_is_withdrawn_takes_its_tokens_along(clock: Clock, checked: list[str]) -> None:
    private = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
    old, new = (Key(key.public_key(), ("ES256",), kid) for key, kid in zip(private, ("old", "new"), strict=True))
    settings = Settings(jwks_url="https://id.example/keys", jwt_issuer="i", jwt_audience="a", jwt_secret=())
    remote = RemoteKeys("https://id.example/keys", clock=lambda: 0.0)
    remote._fetched = 0.0
    tokens = TokenVerifier(settings, remote, clock)
    text = jwt.encode({"userId": 42, "exp": NOW + 60, "iss": "i", "aud": "a"}, private[0], "ES256", {"kid": "old"})
    remote._keys = (old, new)
    for _ in range(3):
        assert (await tokens.verify(text)).user_id == "42"
    assert len(checked) == 1
    # Fetched anew: the same key once more, which is checked once more; then one of the same name that did not sign it.
    remote._keys = (replace(old), new)
    for _ in range(3):
        await tokens.verify(text)
    assert len(checked) == 2
    remote._keys = (replace(new, kid="old"),)
    for _ in range(2):
        with pytest.raises(InvalidToken):
            await tokens.verify(text)
    remote._keys, remote._tried = (), 0.0
    with pytest.raises(InvalidToken, match=r"Invalid token"):
        await tokens.verify(text)


def test_memory_is_bounded_and_holds_no_token(tokens: TokenVerifier) -> None:
    text = token()
    principal = tokens.verify_now(text)
    seen = tokens._seen.find(text)
    assert seen is not None
    assert seen.principal == principal
    few = SeenTokens(size=3)
    for name in "abcde":
        few.keep(name, seen)
    assert [name for name in "abcde" if few.find(name) is not None] == ["c", "d", "e"]
    few.keep("c", seen)
    assert len(few) == 3
    assert {*few._seen} == {hashlib.sha256(name.encode()).digest() for name in "cde"}
