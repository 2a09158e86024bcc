"""From a token to a `Principal`: one algorithm family, nothing trusted before its signature is checked.

RFC 7519 (JWT), RFC 7515 (JWS), RFC 7517 (keys), RFC 8725 (best current practices).

- `tokens`: where a token is found, its form, and making one
- `keys`: keys and signatures
- `jwks`: keys at a URL
- `claims`: claims → `Principal`
- `verifier`: all of them, one after the other
"""

from ordercast.auth.jwks import RemoteKeys
from ordercast.auth.tokens import MAX_TOKEN, find_token, sign_token
from ordercast.auth.verifier import TokenVerifier

__all__ = ["MAX_TOKEN", "RemoteKeys", "TokenVerifier", "find_token", "sign_token"]
