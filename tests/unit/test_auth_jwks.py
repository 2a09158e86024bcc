"""Keys at a URL, served by a real HTTP server: rotation, outages, slowness, storms."""

from __future__ import annotations

import asyncio
import json
import re
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm
from structlog.testing import capture_logs

from ordercast.auth import RemoteKeys, TokenVerifier
from ordercast.auth.jwks import COOLDOWN, FRESH, MAX_BYTES, RETRY, parse_keys
from ordercast.config import Settings
from ordercast.errors import InvalidToken, TokenExpired

ISSUER, AUDIENCE = "https://id.example", "shop"
WAIT = 60.0  # s that a fetch may take; bounds a failure only
RSA_KEY, OTHER_RSA = rsa.generate_private_key(65537, 2048), rsa.generate_private_key(65537, 2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())
ED_KEY = ed25519.Ed25519PrivateKey.generate()


def jwk(key: Any, kid: str | None = None, **other: Any) -> dict[str, Any]:
    algorithm: dict[type, Any] = {rsa.RSAPrivateKey: RSAAlgorithm, ec.EllipticCurvePrivateKey: ECAlgorithm}
    kind = next((found for base, found in algorithm.items() if isinstance(key, base)), OKPAlgorithm)
    document: dict[str, Any] = kind.to_jwk(key.public_key(), as_dict=True)
    document.pop("key_ops", None)
    return document | ({"kid": kid} if kid else {}) | other


def token(key: Any = RSA_KEY, algorithm: str = "RS256", kid: str | None = "one", **other: Any) -> str:
    claims = {"sub": "42", "exp": time.time() + 60, "iss": ISSUER, "aud": AUDIENCE, **other}
    return jwt.encode(claims, key, algorithm, headers={"kid": kid} if kid else None)


class KeyServer:
    """Answers with ``body`` and ``status``, and holds answers back while ``gate`` is closed."""

    def __init__(self) -> None:
        self.keys(jwk(RSA_KEY, "one"))
        self.status = 200
        self.headers: dict[str, str] = {}
        self.asked = 0
        self.gate = threading.Event()
        self.gate.set()
        this = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                this.asked += 1
                this.gate.wait(10)
                try:
                    self.send_response(this.status)
                    for name, value in this.headers.items():
                        self.send_header(name, value)
                    self.end_headers()
                    self.wfile.write(this.body)
                except OSError:
                    pass  # the client has given up

            def log_message(self, *_: Any) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._http.server_port}/keys"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,))
        self._thread.start()

    def keys(self, *keys: object) -> None:
        self.body = json.dumps({"keys": keys}).encode()

    def stop(self) -> None:
        if self._thread.is_alive():
            self.gate.set()
            self._http.shutdown()
            self._thread.join()
            self._http.server_close()


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def server() -> Iterator[KeyServer]:
    made = KeyServer()
    yield made
    made.stop()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def verifier(server: KeyServer, clock: Clock) -> TokenVerifier:
    found = Settings(jwks_url=server.url, jwt_issuer=ISSUER, jwt_audience=AUDIENCE, jwt_secret=())
    return TokenVerifier(found, RemoteKeys(server.url, timeout=WAIT, clock=clock))


async def refused(verifier: TokenVerifier, token: str) -> InvalidToken:
    with pytest.raises(InvalidToken) as caught:
        await verifier.verify(token)
    assert caught.value.__cause__ is None
    return caught.value


async def until_asked(server: KeyServer, times: int) -> None:
    while server.asked < times:  # noqa: ASYNC110 - it happens in a thread
        await asyncio.sleep(0.001)


async def settled(verifier: TokenVerifier) -> None:
    assert verifier._remote is not None
    while verifier._remote._fetching is not None:  # noqa: ASYNC110 - as above
        await asyncio.sleep(0.001)


async def test_keys_are_fetched_once_and_kept(verifier: TokenVerifier, server: KeyServer) -> None:
    for _ in range(5):
        assert (await verifier.verify("Bearer " + token())).user_id == "42"
    assert server.asked == 1
    with pytest.raises(TokenExpired):
        await verifier.verify(token(exp=1))


async def test_settings_name_the_url(server: KeyServer) -> None:
    verifier = TokenVerifier.from_settings(
        Settings(jwks_url=server.url, jwt_issuer=ISSUER, jwt_audience=AUDIENCE, jwt_secret=())
    )
    assert not verifier.is_local
    with pytest.raises(RuntimeError, match="await verify"):
        verifier.verify_now(token())
    assert (await verifier.verify(token())).user_id == "42"


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [(RSA_KEY, "RS256"), (RSA_KEY, "RS512"), (RSA_KEY, "PS256"), (EC_KEY, "ES256"), (ED_KEY, "EdDSA")],
)
async def test_every_family(verifier: TokenVerifier, server: KeyServer, key: Any, algorithm: str) -> None:
    server.keys(jwk(EC_KEY, "e"), jwk(ED_KEY, "d"), jwk(RSA_KEY, "r"))
    kid = {"RS": "r", "PS": "r", "ES": "e", "Ed": "d"}[algorithm[:2]]
    assert (await verifier.verify(token(key, algorithm, kid))).user_id == "42"
    assert (await verifier.verify(token(key, algorithm, None))).user_id == "42"


async def test_a_token_cannot_bend_a_key(verifier: TokenVerifier, server: KeyServer) -> None:
    server.keys(jwk(RSA_KEY, "one", alg="RS256"), jwk(EC_KEY, "two"))
    await refused(verifier, token(RSA_KEY, "PS256"))  # the key names its algorithm
    await refused(verifier, token(OTHER_RSA))
    await refused(verifier, token(RSA_KEY, "RS256", "two"))
    await refused(verifier, token(EC_KEY, "ES256", "one"))
    await refused(verifier, token(OTHER_RSA, "RS256", None))
    assert server.asked == 1


async def test_hopeless_tokens_cause_no_fetch(verifier: TokenVerifier, server: KeyServer) -> None:
    for hopeless in (
        jwt.encode({"sub": "42"}, "s" * 40, "HS256"),
        jwt.encode({"sub": "42"}, "", "none") + "AA",
        jwt.encode({"sub": "42"}, RSA_KEY, "RS256", headers={"crit": ["exp"], "exp": 1}),
        "a.b.c",
        "W10.W10.W10",
    ):
        await refused(verifier, hopeless)
    assert server.asked == 0


async def test_rotation(verifier: TokenVerifier, server: KeyServer, clock: Clock) -> None:
    await verifier.verify(token())
    server.keys(jwk(OTHER_RSA, "two"), jwk(RSA_KEY, "one"))
    clock.now += COOLDOWN
    assert (await verifier.verify(token(OTHER_RSA, kid="two"))).user_id == "42"
    assert (await verifier.verify(token())).user_id == "42"
    server.keys(jwk(OTHER_RSA, "two"))
    clock.now += 2 * FRESH + 1
    await refused(verifier, token())
    assert server.asked == 3


async def test_a_storm_of_unknown_keys_is_one_fetch(verifier: TokenVerifier, server: KeyServer, clock: Clock) -> None:
    await verifier.verify(token())
    clock.now += COOLDOWN
    server.gate.clear()
    storm = [asyncio.create_task(refused(verifier, token(kid=f"made-up-{i}"))) for i in range(300)]
    await until_asked(server, 2)
    assert (await verifier.verify(token())).user_id == "42"  # known keys need no answer
    server.gate.set()
    await asyncio.gather(*storm)
    for i in range(50):
        await refused(verifier, token(kid=f"later-{i}"))
    assert server.asked == 2
    clock.now += COOLDOWN
    await refused(verifier, token(kid="much-later"))
    assert server.asked == 3


async def test_the_loop_goes_on_while_keys_are_fetched(verifier: TokenVerifier, server: KeyServer) -> None:
    server.gate.clear()
    waiting = [asyncio.create_task(verifier.verify(token())) for _ in range(100)]
    await until_asked(server, 1)
    turns = 0
    for _ in range(1000):  # the server answers only after these turns, so a blocked loop would never get here
        await asyncio.sleep(0)
        turns += 1
    assert turns == 1000
    assert not any(task.done() for task in waiting)
    server.gate.set()
    assert {principal.user_id for principal in await asyncio.gather(*waiting)} == {"42"}
    assert server.asked == 1


async def test_one_who_leaves_takes_nobody_along(verifier: TokenVerifier, server: KeyServer) -> None:
    server.gate.clear()
    first, second = (asyncio.create_task(verifier.verify(token())) for _ in range(2))
    await until_asked(server, 1)
    first.cancel()
    await asyncio.sleep(0)
    server.gate.set()
    assert (await second).user_id == "42"
    assert server.asked == 1


async def test_old_keys_serve_while_new_ones_come(verifier: TokenVerifier, server: KeyServer, clock: Clock) -> None:
    await verifier.verify(token())
    clock.now += FRESH + 1
    server.gate.clear()
    async with asyncio.timeout(WAIT / 2):  # less than a fetch may take
        assert (await verifier.verify(token())).user_id == "42"
    await until_asked(server, 2)
    server.gate.set()
    await settled(verifier)
    await verifier.verify(token())
    assert server.asked == 2


async def test_an_outage_keeps_the_keys(verifier: TokenVerifier, server: KeyServer, clock: Clock) -> None:
    await verifier.verify(token())
    server.stop()
    with capture_logs() as logs:
        for _ in range(4):
            clock.now += 10 * FRESH
            assert (await verifier.verify(token())).user_id == "42"
            await settled(verifier)
    assert len(logs) == 4
    assert {(entry["log_level"], entry["host"], entry["keys"]) for entry in logs} == {("warning", "127.0.0.1", 1)}
    assert "refused" in logs[0]["reason"]


async def test_no_key_yet_and_no_server(verifier: TokenVerifier, server: KeyServer, clock: Clock) -> None:
    server.status = 503
    with capture_logs() as logs:
        for _ in range(20):
            await refused(verifier, token())
    assert server.asked == 1
    assert logs[0]["reason"] == "HTTP 503"
    assert all(part not in str(logs) for part in token().split("."))
    server.status = 200
    clock.now += RETRY
    assert (await verifier.verify(token())).user_id == "42"


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (200, b"", "no JSON"),
        (200, b"\xff", "no JSON"),
        (200, b"[" * 100_000, "RecursionError|recursion"),
        (200, b"[]", "no JSON Web Key Set"),
        (200, b'{"keys": {}}', "no JSON Web Key Set"),
        (200, b'{"keys": []}', "no public key"),
        (200, b" " * (MAX_BYTES + 1), "larger than"),
        (302, b"", "redirect"),
        (404, b"", "HTTP 404"),
    ],
)
async def test_answers_that_are_no_key_set(
    verifier: TokenVerifier, server: KeyServer, clock: Clock, status: int, body: bytes, reason: str
) -> None:
    await verifier.verify(token())
    good, server.status, server.body = server.body, status, body
    server.headers = {"Location": "/elsewhere"}
    (problem,) = await verifier.problems()
    assert problem.startswith("ORDERCAST_JWKS_URL gives no keys from 127.0.0.1: ")
    assert server.asked == 2
    assert re.search(reason, problem)
    assert (await verifier.verify(token())).user_id == "42"
    server.status, server.body = 200, good
    assert await verifier.problems() == []


async def test_a_slow_server_is_given_up(server: KeyServer, clock: Clock) -> None:
    found = Settings(jwks_url=server.url, jwt_issuer=ISSUER, jwt_audience=AUDIENCE, jwt_secret=())
    verifier = TokenVerifier(found, RemoteKeys(server.url, timeout=0.05, clock=clock))
    server.gate.clear()
    with capture_logs() as logs:
        await refused(verifier, token())
        await settled(verifier)
    assert [entry["reason"] for entry in logs] == ["no answer in time"]
    server.gate.set()


async def test_close_gives_up(verifier: TokenVerifier, server: KeyServer) -> None:
    server.gate.clear()
    waiting = asyncio.create_task(refused(verifier, token()))
    await until_asked(server, 1)
    await verifier.close()
    await waiting
    await verifier.close()
    server.gate.set()


def test_another_loop_may_take_over(verifier: TokenVerifier, server: KeyServer, clock: Clock) -> None:
    server.gate.clear()

    async def leave() -> asyncio.Task[object]:
        waiting: asyncio.Task[object] = asyncio.create_task(verifier.verify(token()))
        await until_asked(server, 1)
        return waiting

    loop = asyncio.new_event_loop()
    left = loop.run_until_complete(leave())  # and nobody cancels what is left, as asyncio.run would
    server.gate.set()
    loop.close()
    clock.now += COOLDOWN
    assert asyncio.run(verifier.verify(token())).user_id == "42"
    assert not left.done()


def test_what_a_key_set_may_hold_besides() -> None:
    private = RSAAlgorithm.to_jwk(RSA_KEY, as_dict=True) | {"kid": "private"}
    usable = parse_keys(
        {
            "keys": [
                jwk(RSA_KEY, "good", use="sig", alg="RS256", x5t="x"),
                jwk(RSA_KEY, "enc", use="enc"),
                jwk(RSA_KEY, "oaep", alg="RSA-OAEP"),
                jwk(RSA_KEY, "wrong alg", alg="ES256"),
                jwk(RSA_KEY, "hmac", alg="HS256"),
                jwk(RSA_KEY, "ops", key_ops=["encrypt"]),
                jwk(RSA_KEY, "verify", key_ops=["verify"]),
                jwk(rsa.generate_private_key(65537, 1024), "short"),
                jwk(ec.generate_private_key(ec.SECP256K1()), "curve"),
                private,
                {"kty": "oct", "k": "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0", "kid": "secret"},
                {"kty": "RSA", "n": "!", "e": "AQAB", "kid": "broken"},
                {"kty": "unknown"},
                {"kty": []},
                jwk(RSA_KEY) | {"kid": 7},
                None,
                "key",
            ]
        }
    )
    assert [key.kid for key in usable] == ["good", "verify"]
    assert usable[0].algorithms == ("RS256",)
