"""Token → Principal: a table of tokens, and properties over tokens nobody thought of."""

from __future__ import annotations

import base64
import hmac
import json
import math
import time
import traceback
from dataclasses import replace
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from ordercast.auth import TokenVerifier, find_token, sign_token
from ordercast.auth.claims import LEEWAY
from ordercast.auth.keys import Key
from ordercast.auth.tokens import MAX_TOKEN
from ordercast.config import Settings
from ordercast.errors import AuthenticationRequired, AuthError, InvalidToken, SettingsError, TokenExpired
from ordercast.orders.principal import Principal, Role

SECRET = "s" * 20 + "0123456789abcdefghijkl"
OLD_SECRET = "o" * 40
NOW = 1_800_000_000.0
DAY = 86_400
ISSUER, AUDIENCE = "https://id.example", "shop"

RSA_KEY = rsa.generate_private_key(65537, 2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())
ED_KEY = ed25519.Ed25519PrivateKey.generate()


def verifier(now: float = NOW, **options: Any) -> TokenVerifier:
    options.setdefault("jwt_secret", SECRET)
    made = TokenVerifier.from_settings(Settings(**options))
    made._clock = lambda: now
    return made


def claims(**other: Any) -> dict[str, Any]:
    return {"userId": 42, "exp": NOW + 60, **other}


def sign(payload: Any, key: Any = SECRET, algorithm: str = "HS256", **header: Any) -> str:
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return jwt.PyJWS().encode(body, key, algorithm, headers=header or None)


def public_pem(key: Any) -> str:
    pem: bytes = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return pem.decode()


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in claims().items() if key != name}


ME = Principal("42", Role.CUSTOMER, NOW + 60)

GOOD: dict[str, tuple[Any, Principal]] = {
    "number": (claims(), ME),
    "text": (claims(userId="42"), ME),
    "sub": ({"sub": "42", "exp": NOW + 60}, ME),
    "numeric sub": ({"sub": 42, "exp": NOW + 60}, ME),
    "userId before sub": (claims(sub="7"), ME),
    "id with signs": (claims(userId="auth0:a.b_c-d"), replace(ME, user_id="auth0:a.b_c-d")),
    "whole exp": (claims(exp=int(NOW) + 60), ME),
    "fraction of a second left": (claims(exp=NOW + 0.25), replace(ME, expires_at=NOW + 0.25)),
    "furthest exp": (claims(exp=NOW + 400 * DAY), replace(ME, expires_at=NOW + 400 * DAY)),
    "iat within leeway": (claims(iat=NOW + LEEWAY, nbf=NOW + LEEWAY), replace(ME, issued_at=NOW + LEEWAY)),
    "iat of long ago": (claims(iat=0, nbf=-5), replace(ME, issued_at=0.0)),
    "iat with a fraction": (claims(iat=NOW - 0.25), replace(ME, issued_at=NOW - 0.25)),
    "iat before everything": (claims(iat=-(10**400)), replace(ME, issued_at=0.0)),
    "operator": (claims(role="operator"), replace(ME, role=Role.OPERATOR)),
    "admin": (claims(role="admin"), replace(ME, role=Role.ADMIN)),
    "service": (claims(role="service"), replace(ME, role=Role.SERVICE)),
    "no role": (claims(role=None), ME),
    "empty roles": (claims(role=[]), ME),
    "some roles unknown": (claims(role=["offline_access", 7, "operator"]), replace(ME, role=Role.OPERATOR)),
    "strongest role": (claims(role=["customer", "operator", "admin", "service"]), replace(ME, role=Role.ADMIN)),
    "shops": (claims(shops=[1, "b"]), replace(ME, shops=frozenset({"1", "b"}))),
    "one shop": (claims(shops="b"), replace(ME, shops=frozenset({"b"}))),
    "no shops at all": (claims(shops=[]), replace(ME, shops=frozenset())),
    "jti": (claims(jti="a-b"), replace(ME, token_id="a-b")),
    "somebody's audience": (claims(aud="other", iss="x"), ME),
    "audience of any shape": (claims(aud=7), ME),
    "unknown claims": (claims(deep={"er": [1]}), ME),
}

BAD: dict[str, tuple[Any, type[AuthError]]] = {
    "no exp": (without("exp"), InvalidToken),
    "no user": (without("userId"), InvalidToken),
    "expired": (claims(exp=NOW - 1), TokenExpired),
    "expired this moment": (claims(exp=NOW), TokenExpired),
    "expired before 1970": (claims(exp=-1), TokenExpired),
    "expired before everything": (claims(exp=-(10**400)), TokenExpired),
    "exp too far": (claims(exp=NOW + 400 * DAY + 1), InvalidToken),
    "exp in milliseconds": (claims(exp=(NOW + 60) * 1000), InvalidToken),
    "exp without end": (claims(exp=10**400), InvalidToken),
    "exp true": (claims(exp=True), InvalidToken),
    "exp text": (claims(exp=str(NOW + 60)), InvalidToken),
    "exp null": (claims(exp=None), InvalidToken),
    "exp NaN": (claims(exp=math.nan), InvalidToken),
    "exp Infinity": (claims(exp=math.inf), InvalidToken),
    "exp 1e999": (b'{"userId":42,"exp":1e999}', InvalidToken),
    "iat ahead": (claims(iat=NOW + LEEWAY + 1), InvalidToken),
    "nbf ahead": (claims(nbf=NOW + LEEWAY + 1), InvalidToken),
    "iat text": (claims(iat="now"), InvalidToken),
    "nbf false": (claims(nbf=False), InvalidToken),
    "user null": (claims(userId=None, sub="7"), InvalidToken),
    "user true": (claims(userId=True), InvalidToken),
    "user float": (claims(userId=42.0), InvalidToken),
    "user negative": (claims(userId=-1), InvalidToken),
    "user empty": (claims(userId=""), InvalidToken),
    "user with a space": (claims(userId="a b"), InvalidToken),
    "user with a line end": (claims(userId="a\n"), InvalidToken),
    "user of 65": (claims(userId="a" * 65), InvalidToken),
    "user list": (claims(userId=[42]), InvalidToken),
    "user Arabic digits": (claims(userId="٤٢"), InvalidToken),
    "role unknown": (claims(role="root"), InvalidToken),
    "role of other case": (claims(role="Admin"), InvalidToken),
    "role empty": (claims(role=""), InvalidToken),
    "role number": (claims(role=1), InvalidToken),
    "role object": (claims(role={"admin": True}), InvalidToken),
    "roles all unknown": (claims(role=["root", ["admin"]]), InvalidToken),
    "shops null": (claims(shops=None), InvalidToken),
    "shops true": (claims(shops=True), InvalidToken),
    "shops nested": (claims(shops=[["a"]]), InvalidToken),
    "shops with one wrong": (claims(shops=["a", ""]), InvalidToken),
    "shops object": (claims(shops={"a": 1}), InvalidToken),
    "jti number": (claims(jti=7), InvalidToken),
    "jti empty": (claims(jti=""), InvalidToken),
    "jti NUL": (claims(jti="a\x00"), InvalidToken),
    "jti long": (claims(jti="a" * 256), InvalidToken),
    "claims list": ([1], InvalidToken),
    "claims number": (7, InvalidToken),
    "claims no JSON": (b"{", InvalidToken),
    "claims no UTF-8": (b'{"userId":"\xff"}', InvalidToken),
    "claims nested deep": (b"[" * 2000 + b"]" * 2000, InvalidToken),
}


@pytest.mark.parametrize("name", GOOD)
def test_good(name: str) -> None:
    payload, expected = GOOD[name]
    assert verifier().verify_now(sign(payload)) == expected


@pytest.mark.parametrize("name", BAD)
def test_bad(name: str) -> None:
    payload, error = BAD[name]
    with pytest.raises(error) as caught:
        verifier().verify_now(sign(payload))
    assert type(caught.value) is error
    assert str(caught.value) == error.message


# -- the text -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["Bearer {}", "bearer {}", "BEARER  {}  ", "  {}\n", "Bearer\t{}"])
def test_a_leading_bearer_is_optional(text: str) -> None:
    assert verifier().verify_now(text.format(sign(claims()))) == ME


@pytest.mark.parametrize("token", [None, "", "   ", "Bearer", "bearer ", " Bearer  "])
def test_no_token_is_authentication_required(token: str | None) -> None:
    with pytest.raises(AuthenticationRequired, match=r"^Authentication required$"):
        verifier().verify_now(token)


@pytest.mark.parametrize("token", [0, 1, True, False, 1.5, b"a.b.c", [], ["a.b.c"], {}, {"token": "a"}, object()])
def test_what_is_no_string_is_invalid(token: object) -> None:
    with pytest.raises(InvalidToken):
        verifier().verify_now(token)


@pytest.mark.parametrize(
    "token",
    [
        "a", "a.b", "a.b.c", "..", "a..c", "a.b.c.d.e", "Basic dXNlcjpwdw==", "Bearer Bearer a.b.c", "é.é.é",
        "\ud800.a.a", "\x00", "e30.e30.e30", "bnVsbA.e30.e30", "W10.e30.e30", "null", "undefined",
    ],
)  # fmt: skip
def test_text_that_is_no_token(token: str) -> None:
    with pytest.raises(InvalidToken):
        verifier().verify_now(token)


def test_padding_is_refused() -> None:
    """One token, one text (RFC 7515, section 2): PyJWT alone would take the padded one too."""
    token = sign(claims())
    assert len(token.split(".")[2]) == 43
    with pytest.raises(InvalidToken):
        verifier().verify_now(token + "=")


def test_size() -> None:
    fits = sign(claims(pad=""))
    while len(fits) < MAX_TOKEN - 1:
        fits = sign(claims(pad="x" * ((MAX_TOKEN - len(fits)) * 3 // 4 + len(_pad(fits)))))
    assert MAX_TOKEN - 4 < len(fits) <= MAX_TOKEN
    assert verifier().verify_now("Bearer " + fits) == ME
    with pytest.raises(InvalidToken) as caught:
        verifier().verify_now(sign(claims(pad="x" * MAX_TOKEN)))
    assert "4096" in caught.value.why


def _pad(token: str) -> str:
    part = token.split(".")[1]
    pad: str = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))["pad"]
    return pad


@pytest.mark.parametrize("token", ["x" * 10_000_000, " " * 10_000_000, "Bearer " + "a.b.c" * 2_000_000])
def test_ten_megabytes_are_not_looked_at(token: str) -> None:
    check = verifier().verify_now
    started = time.perf_counter()
    for _ in range(1000):
        with pytest.raises(InvalidToken):
            check(token)
    assert time.perf_counter() - started < 30  # reading them all would take minutes


# -- signatures ---------------------------------------------------------------------------------------------


def unsigned(header: dict[str, Any], payload: dict[str, Any] | None = None, signature: str = "AA") -> str:
    parts = (json.dumps(part).encode() for part in (header, payload or claims()))
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts) + "." + signature


def hmac_signed(header: dict[str, Any], payload: dict[str, Any], secret: str) -> str:
    """HS256 by hand, for what PyJWT would not sign."""
    body = unsigned(header, payload).rsplit(".", 1)[0]
    signature = base64.urlsafe_b64encode(hmac.digest(secret.encode(), body.encode(), "sha256")).decode()
    return f"{body}.{signature.rstrip('=')}"


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
def test_hmac_family(algorithm: str) -> None:
    assert verifier().verify_now(sign(claims(), algorithm=algorithm)) == ME


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "none"}, {"alg": "None"}, {"alg": ""}, {"alg": None}, {"alg": []}, {"alg": {}}, {"alg": ["HS256"]}, {},
        {"alg": "RS256"}, {"alg": "HS256", "kid": 7}, {"alg": "HS256", "crit": []}, {"alg": "hs256"},
    ],
)  # fmt: skip
@pytest.mark.parametrize("signature", ["", "AA"])
def test_headers_we_do_not_take(header: dict[str, Any], signature: str) -> None:
    with pytest.raises(InvalidToken):
        verifier().verify_now(unsigned(header, signature=signature))


@pytest.mark.parametrize("header", [{"crit": ["b64"], "b64": True}, {"crit": ["exp"], "exp": 1}, {"crit": []}])
def test_critical_extensions_are_refused_though_signed(header: dict[str, Any]) -> None:
    with pytest.raises(InvalidToken):
        verifier().verify_now(hmac_signed({"alg": "HS256", **header}, claims(), SECRET))


def test_rotation_of_secrets() -> None:
    both = verifier(jwt_secret=f"{SECRET},{OLD_SECRET}")
    assert both.verify_now(sign(claims())) == ME
    assert both.verify_now(sign(claims(), OLD_SECRET)) == ME
    with pytest.raises(InvalidToken):
        both.verify_now(sign(claims(), "x" * 40))
    with pytest.raises(InvalidToken):
        verifier().verify_now(sign(claims(), OLD_SECRET))


def with_public_key(value: str, **options: Any) -> TokenVerifier:
    return verifier(jwt_secret=(), jwt_public_key=value, jwt_issuer=ISSUER, jwt_audience=AUDIENCE, **options)


def issued(**other: Any) -> dict[str, Any]:
    return claims(iss=ISSUER, aud=AUDIENCE, **other)


PUBLIC_KEYS = [
    (RSA_KEY, ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")),
    (EC_KEY, ("ES256",)),
    (ec.generate_private_key(ec.SECP384R1()), ("ES384",)),
    (ec.generate_private_key(ec.SECP521R1()), ("ES512",)),
    (ED_KEY, ("EdDSA",)),
]


@pytest.mark.parametrize(("key", "algorithms"), PUBLIC_KEYS)
def test_public_keys(key: Any, algorithms: tuple[str, ...], tmp_path: Path) -> None:
    pem = public_pem(key)
    (tmp_path / "key.pem").write_text(pem)
    for value in (pem, pem.replace("\n", "\\n"), str(tmp_path / "key.pem")):
        found = with_public_key(value)
        for algorithm in algorithms:
            assert found.verify_now(sign(issued(), key, algorithm)) == ME


def test_a_public_key_is_no_secret() -> None:
    """The classic: signing with HS256 and the public key as the secret (RFC 8725, section 2.1)."""
    for key, _ in PUBLIC_KEYS:
        pem = public_pem(key)
        for secret in (pem, pem.strip(), pem + "\n"):
            with pytest.raises(InvalidToken):
                with_public_key(pem).verify_now(hmac_signed({"alg": "HS256"}, issued(), secret))


def test_other_families_are_refused() -> None:
    for key, algorithm in ((EC_KEY, "ES256"), (ED_KEY, "EdDSA"), (SECRET, "HS256")):
        with pytest.raises(InvalidToken):
            with_public_key(public_pem(RSA_KEY)).verify_now(sign(issued(), key, algorithm))


def test_several_public_keys_of_one_kind() -> None:
    other = rsa.generate_private_key(65537, 2048)
    both = with_public_key(public_pem(other) + public_pem(RSA_KEY))
    assert both.verify_now(sign(issued(), RSA_KEY, "RS256")) == ME
    assert both.verify_now(sign(issued(), other, "PS256")) == ME
    with pytest.raises(SettingsError, match="one kind"):
        with_public_key(public_pem(EC_KEY) + public_pem(RSA_KEY))


def _private_pem(key: Any) -> str:
    pem: bytes = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return pem.decode()


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("/nowhere/key.pem", "No such file"),
        ("/", "cannot be read"),
        ("-----BEGIN PUBLIC KEY-----\nnot base64\n-----END PUBLIC KEY-----", "cut or wrapped"),
        ("-----BEGIN PUBLIC KEY-----", "must be a PEM public key"),
        (_private_pem(ED_KEY), "private key"),
        (public_pem(rsa.generate_private_key(65537, 1024)), "2048 bits"),
        (public_pem(ec.generate_private_key(ec.SECP256K1())), "P-256"),
    ],
)
def test_public_keys_that_cannot_be_used(value: str, sentence: str) -> None:
    with pytest.raises(SettingsError, match=f"^ORDERCAST_JWT_PUBLIC_KEY: .*{sentence}"):
        with_public_key(value)


def test_no_key_at_all_says_what_to_set() -> None:
    with pytest.raises(SettingsError, match=r"ORDERCAST_JWT_SECRET .*secrets\.token_urlsafe\(48\)"):
        TokenVerifier.from_settings(Settings(jwt_secret=()))


def test_a_public_key_as_a_secret_is_refused_at_start() -> None:
    with pytest.raises(SettingsError, match="ORDERCAST_JWT_PUBLIC_KEY"):
        TokenVerifier.from_settings(Settings(jwt_secret=(public_pem(RSA_KEY),)))


# -- settings -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("other", "accepted"),
    [
        ({"iss": ISSUER, "aud": AUDIENCE}, True),
        ({"iss": ISSUER, "aud": ["x", AUDIENCE]}, True),
        ({"iss": ISSUER + "/", "aud": AUDIENCE}, False),
        ({"iss": [ISSUER], "aud": AUDIENCE}, False),
        ({"aud": AUDIENCE}, False),
        ({"iss": ISSUER}, False),
        ({"iss": ISSUER, "aud": "shops"}, False),
        ({"iss": ISSUER, "aud": []}, False),
        ({"iss": ISSUER, "aud": {AUDIENCE: 1}}, False),
        ({"iss": ISSUER, "aud": None}, False),
    ],
)
def test_issuer_and_audience(other: dict[str, Any], accepted: bool) -> None:
    check = verifier(jwt_issuer=ISSUER, jwt_audience=AUDIENCE)
    if accepted:
        assert check.verify_now(sign(claims(**other))) == ME
    else:
        with pytest.raises(InvalidToken):
            check.verify_now(sign(claims(**other)))


def test_user_claim() -> None:
    check = verifier(jwt_user_claim="https://shop.example/id")
    assert check.verify_now(sign({"https://shop.example/id": 42, "exp": NOW + 60})) == ME
    assert verifier(jwt_user_claim="user.id").verify_now(sign({"user": {"id": 42}, "exp": NOW + 60})) == ME
    with pytest.raises(InvalidToken):  # whoever names a claim does not mean another
        check.verify_now(sign({"sub": 42, "exp": NOW + 60}))


@pytest.mark.parametrize(
    ("other", "role"),
    [
        ({"realm_access": {"roles": ["offline_access", "kitchen"]}}, Role.OPERATOR),
        ({"realm_access": {"roles": ["kitchen", "boss"]}}, Role.ADMIN),
        ({"realm_access": {"roles": "boss"}}, Role.ADMIN),
        ({"realm_access": {"roles": []}}, Role.CUSTOMER),
        ({"realm_access": {}}, Role.CUSTOMER),
        ({"realm_access": ["boss"]}, Role.CUSTOMER),
        ({"realm_access": {"roles": ["offline_access"]}}, None),
        ({"realm_access": {"roles": "admin"}}, Role.CUSTOMER),  # mapped away
        ({"realm_access.roles": "boss", "realm_access": {"roles": "kitchen"}}, Role.ADMIN),  # the literal name wins
        ({"role": "admin"}, Role.CUSTOMER),
    ],
)
def test_role_claim_and_map(other: dict[str, Any], role: Role | None) -> None:
    check = verifier(jwt_role_claim="realm_access.roles", jwt_role_map="kitchen=operator,boss=admin,admin=customer")
    if role is None:
        with pytest.raises(InvalidToken):
            check.verify_now(sign(claims(**other)))
    else:
        assert check.verify_now(sign(claims(**other))).role is role


def test_max_lifetime() -> None:
    check = verifier(jwt_max_lifetime=60)
    assert check.verify_now(sign(claims())) == ME
    with pytest.raises(InvalidToken):
        check.verify_now(sign(claims(exp=NOW + 61)))


@pytest.mark.parametrize("iat", [0, NOW - 60, NOW, NOW + LEEWAY])
def test_the_longest_lifetime_counts_from_now_whatever_iat_says(iat: float) -> None:
    check = verifier(jwt_max_lifetime=60)
    assert check.verify_now(sign(claims(iat=iat, exp=NOW + 60))).expires_at == NOW + 60
    with pytest.raises(InvalidToken):
        check.verify_now(sign(claims(iat=iat, exp=NOW + 61)))


# -- finding ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("auth", "query", "header", "found"),
    [
        ({"token": "a"}, b"token=b", "c", "a"),
        ({"token": ""}, b"token=b", "c", "b"),
        ({"token": "  "}, b"token=b", "c", "b"),
        ({"token": "Bearer "}, b"token=b", "c", "b"),
        ({"token": None}, b"token=b", "c", "b"),
        ({}, b"EIO=3&token=b&x=1", "c", "b"),
        ({}, b"%74oken=b", "c", "b"),
        ({}, b"token=Bearer+b", None, "Bearer b"),
        ({}, b"token=a&token=b", None, "b"),
        ({}, b"token=", "c", "c"),
        ({}, b"mytoken=x", "Bearer c", "Bearer c"),
        ({}, b"&".join([b"a=1"] * 100), "c", "c"),
        ({}, b"\xff=%ff", None, None),
        ({}, {"token": "b"}, "c", "b"),
        ({}, "token=b", "c", "b"),
        ({}, b"", "", None),
        ({}, b"", "Bearer ", None),
        ({"token": 0}, b"token=b", "c", 0),
        ({"token": False}, b"token=b", "c", False),
        ({"token": []}, b"token=b", "c", []),
        ({"token": {"a": 1}}, b"token=b", "c", {"a": 1}),
        (["token"], b"", "c", "c"),
        ("token", b"", "c", "c"),
        (None, b"", None, None),
        (7, b"", None, None),
    ],
)
def test_find_token(auth: object, query: Any, header: str | None, found: object) -> None:
    assert find_token(auth, query, header) == found


# -- making -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"jwt_issuer": ISSUER, "jwt_audience": AUDIENCE},
        {"jwt_user_claim": "user.id", "jwt_role_claim": "realm_access.roles"},
        {"jwt_role_map": {"boss": "admin", "admin": "customer"}},
        {"jwt_secret": f"{SECRET},{OLD_SECRET}"},
    ],
)
@pytest.mark.parametrize("role", Role)
def test_a_signed_token_is_accepted(options: dict[str, Any], role: Role) -> None:
    found = Settings(**{"jwt_secret": SECRET, **options})
    principal = TokenVerifier.from_settings(found).verify_now(sign_token(found, "42", role, 60, shops=["a", 7]))
    assert (principal.user_id, principal.role, principal.shops) == ("42", role, frozenset({"a", "7"}))
    assert principal.expires_at == pytest.approx(time.time() + 60, abs=2)
    assert principal.token_id


@pytest.mark.parametrize(
    ("options", "arguments", "sentence"),
    [
        ({"jwt_secret": ()}, ("42", "customer", 60), "ORDERCAST_JWT_SECRET"),
        ({}, ("a b", "customer", 60), "ids"),
        ({}, ("42", "root", 60), "A role is one of customer, operator"),
        ({}, ("42", "customer", 0), "lives"),
        ({}, ("42", "customer", math.nan), "lives"),
        ({}, ("42", "customer", math.inf), "lives"),
        ({}, ("42", "customer", 60, ["a b"]), "ids"),
        ({}, ("42", "customer", 60, ["a" * 64] * 60), "fewer shops"),
        ({"jwt_role_map": {"admin": "customer"}}, ("42", "admin", 60), "no name for the role admin"),
    ],
)
def test_tokens_that_cannot_be_made(options: dict[str, Any], arguments: Any, sentence: str) -> None:
    with pytest.raises(SettingsError, match=sentence):
        sign_token(Settings(**{"jwt_secret": SECRET, **options}), *arguments)


# -- silence ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bad", [claims(exp=NOW - 1), claims(userId="sesame!"), claims(role="sesame"), b"sesame"])
def test_no_part_of_a_token_gets_out(bad: Any) -> None:
    token = sign(bad)
    for given_token in (token, token[:-3] + "AAA", token + ".x", "sesame"):
        with pytest.raises(AuthError) as caught:
            verifier().verify_now(given_token)
        error = caught.value
        assert error.__cause__ is None
        assert error.__suppress_context__ or error.__context__ is None
        text = "".join(traceback.format_exception_only(error)) + error.why
        assert "sesame" not in text
        assert all(part not in text for part in given_token.split(".") if len(part) > 8)


def test_keys_do_not_show() -> None:
    assert SECRET not in repr(Key(SECRET.encode(), ("HS256",)))
    assert SECRET not in repr(verifier())


# -- properties ---------------------------------------------------------------------------------------------

CHECK = verifier()
TOKENS = [sign(claims()), sign(claims(role="admin", shops=["a"], jti="x"))]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)
NAMES = st.sampled_from(["userId", "sub", "role", "exp", "iat", "nbf", "iss", "aud", "jti", "shops", "realm_access"])


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(TOKENS), st.data())
def test_a_mutated_token_never_verifies(token: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(token)))
    end = data.draw(st.integers(at, min(at + 3, len(token))))
    mutated = token[:at] + data.draw(st.text("ABCabc019-_.=+/ é\x00", max_size=3)) + token[end:]
    if mutated.strip() == token:
        return
    with pytest.raises(AuthError):
        CHECK.verify_now(mutated)


@settings(max_examples=400, deadline=None)
@given(st.dictionaries(NAMES, JSON) | JSON, st.booleans())
def test_claims_of_any_shape_raise_nothing_but_auth_errors(payload: Any, with_exp: bool) -> None:
    if with_exp and isinstance(payload, dict):
        payload.setdefault("exp", NOW + 60)
        payload.setdefault("userId", 1)
    for check in (CHECK, _PATHS):
        try:
            principal = check.verify_now(sign(payload))
        except AuthError:
            continue
        assert isinstance(principal.role, Role)
        assert principal.expires_at is not None
        assert principal.expires_at > NOW


_PATHS = verifier(jwt_role_claim="realm_access.roles", jwt_user_claim="sub.id", jwt_issuer=ISSUER, jwt_audience="x")


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.sampled_from(["alg", "kid", "crit", "b64", "typ", "cty", "jku", "jwk"]), JSON))
def test_headers_of_any_shape_never_verify_unsigned(header: dict[str, Any]) -> None:
    with pytest.raises(InvalidToken):
        CHECK.verify_now(unsigned(header))


@settings(max_examples=300, deadline=None)
@given(JSON | st.binary(max_size=50), st.binary(max_size=80), st.none() | st.text(max_size=80))
def test_finding_never_raises(auth: object, query: bytes, header: str | None) -> None:
    for token in (find_token(auth, query, header), find_token({"token": auth}, query, header), auth):
        with pytest.raises(AuthError):
            CHECK.verify_now(token)


async def test_verify_is_verify_now_for_local_keys() -> None:
    assert CHECK.is_local
    assert await CHECK.verify(TOKENS[0]) == CHECK.verify_now(TOKENS[0])
    assert await CHECK.problems() == []
    await CHECK.close()
