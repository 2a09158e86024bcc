"""Keys, and the signatures they check (RFC 7515). Each key brings the algorithms it may be used with.

The token's header only chooses among those, so that a public key can never serve as an HMAC secret
(RFC 8725, section 3.1).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from cryptography.x509 import load_pem_x509_certificate
from jwt.algorithms import HMACAlgorithm

from ordercast.errors import InvalidToken, SettingsError

HMAC = ("HS256", "HS384", "HS512")
RSA = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
EC = {"secp256r1": ("ES256",), "secp384r1": ("ES384",), "secp521r1": ("ES512",)}
"""RFC 7518, section 3.4: each curve has its one algorithm."""
EDDSA = ("EdDSA",)
ASYMMETRIC = (*RSA, *(name for names in EC.values() for name in names), *EDDSA)

MIN_RSA_BITS = 2_048
"""RFC 7518, section 3.3: a key of this size or larger must be used."""

_PEM = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----.*?-----END \1-----", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Key:
    """A key and the algorithms it verifies. ``kid`` is its name in a key set (RFC 7517, section 4.5)."""

    key: Any
    algorithms: Sequence[str]
    kid: str | None = None

    def __repr__(self) -> str:
        return f"Key({'/'.join(self.algorithms)})"


class _Secret(HMACAlgorithm):
    """HMAC with a secret that was looked at once, at start, and not for every token.

    A secret of 32 bytes is enough for us with HS384 and HS512 too: what counts is its entropy.
    """

    def prepare_key(self, key: str | bytes) -> bytes:
        return key if isinstance(key, bytes) else key.encode()

    def check_key_length(self, key: Any) -> str | None:
        return None


_JWS = jwt.PyJWS(algorithms=ASYMMETRIC)
for _name, _hash in zip(HMAC, (HMACAlgorithm.SHA256, HMACAlgorithm.SHA384, HMACAlgorithm.SHA512), strict=True):
    _JWS.register_algorithm(_name, _Secret(_hash))


def read_header(token: str) -> dict[str, Any]:
    """The header of a compact JWS, not verified. Raises `InvalidToken`."""
    try:
        return _JWS.get_unverified_header(token)
    except Exception as error:
        raise _unreadable(error) from None


def check_signature(token: str, keys: Iterable[Key]) -> tuple[bytes, Key]:
    """The payload of a compact JWS, and which of the keys signed it (RFC 7515, section 5.2). Raises `InvalidToken`.

    Keys are tried in their order. Tokens with ``crit`` are refused, since we know no extension (section 4.1.11).
    """
    why = "no key of ours fits its algorithm"
    for key in keys:
        try:
            found = _JWS.decode_complete(token, key.key, key.algorithms)
        except jwt.InvalidSignatureError:
            why = "forged, or signed with another key"
        except jwt.InvalidAlgorithmError:
            pass  # a key of another kind in the same set
        except Exception as error:  # PyJWT lets some malformed input through to other exceptions than its own
            raise _unreadable(error) from None
        else:
            if "crit" in found["header"] or "b64" in found["header"]:
                raise InvalidToken("critical header extensions")
            payload: bytes = found["payload"]
            return payload, key
    raise InvalidToken(why)


def _unreadable(error: Exception) -> InvalidToken:
    # Its text may quote the token, so only its name goes on.
    return InvalidToken(f"unreadable ({type(error).__name__})")


def algorithms_of(key: object) -> Sequence[str]:
    """What a public key may verify; empty for a private key and for kinds and sizes we do not take."""
    if isinstance(key, RSAPublicKey):
        return RSA if key.key_size >= MIN_RSA_BITS else ()
    if isinstance(key, EllipticCurvePublicKey):
        return EC.get(key.curve.name, ())
    return EDDSA if isinstance(key, Ed25519PublicKey) else ()


def secret_keys(secrets: Iterable[str]) -> list[Key]:
    """Keys of ``JWT_SECRET``, newest first. Raises `SettingsError` for one that is a public key (RFC 8725, 2.1)."""
    keys = []
    for secret in secrets:
        try:
            HMACAlgorithm(HMACAlgorithm.SHA256).prepare_key(secret)
        except jwt.InvalidKeyError:
            raise SettingsError(
                "ORDERCAST_JWT_SECRET: this is a public key, which anyone may have; set it as ORDERCAST_JWT_PUBLIC_KEY"
            ) from None
        keys.append(Key(secret.encode(), HMAC))
    return keys


def public_keys(value: str) -> list[Key]:
    r"""Keys of ``JWT_PUBLIC_KEY``: PEM (public keys or certificates, several for rotation), or a path to such a file.

    ``\n`` written as two characters is a line's end. Raises `SettingsError`.
    """
    pem = value if "-----BEGIN" in value else _read(value)
    keys = [_public_key(block[0], block[1]) for block in _PEM.finditer(pem.replace("\\n", "\n"))]
    if not keys:
        raise _wrong("must be a PEM public key (-----BEGIN PUBLIC KEY-----), or the path to a file with one")
    if len({algorithm[:2] for key in keys for algorithm in key.algorithms} - {"PS"}) > 1:
        raise _wrong("all keys must be of one kind (RSA, EC or Ed25519)")
    return keys


def _read(path: str) -> str:
    try:
        return Path(path).expanduser().read_text(encoding="ascii")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "not a text file"
        raise _wrong(f"must be PEM, or the path to a PEM file; as a path it cannot be read ({reason})") from None


def _public_key(pem: str, label: str) -> Key:
    if "PRIVATE" in label:
        raise _wrong("is a private key; set its public half (openssl pkey -in key.pem -pubout) and keep this one away")
    key: object
    try:
        if label == "CERTIFICATE":
            key = load_pem_x509_certificate(pem.encode()).public_key()
        else:
            key = load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm):
        raise _wrong("is not a PEM public key that can be read; has it been cut or wrapped?") from None
    algorithms = algorithms_of(key)
    if not algorithms:
        raise _wrong(f"must be RSA of {MIN_RSA_BITS} bits or more, EC on P-256, P-384 or P-521, or Ed25519")
    return Key(key, algorithms)


def _wrong(sentence: str) -> SettingsError:
    return SettingsError(f"ORDERCAST_JWT_PUBLIC_KEY: {sentence}")
