"""Signed messages in: whose they are, and whether they came before."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from ordercast.errors import MessageReused, NotFound, SignatureRefused
from ordercast.webhooks.models import Seen
from ordercast.webhooks.ports import Received

MAX_ID = 255
"""Characters of a ``webhook-id``."""

TOLERANCE = 300.0
"""s that a message's time may be off: what the specification suggests, and its library holds."""

_HEADERS = ("webhook-id", "webhook-timestamp", "webhook-signature")


class Hooks:
    """``sources``: the secrets of each, by its name."""

    def __init__(self, sources: Mapping[str, tuple[str, ...]], received: Received) -> None:
        self._sources = sources
        self._received = received

    def verify(self, source: str, headers: Mapping[str, str], body: bytes) -> str:
        """The ``webhook-id`` of a message that its source signed just now. Raises `NotFound`, `SignatureRefused`."""
        secrets = self._sources.get(source)
        if secrets is None:
            raise NotFound("There is no source of this name. ORDERCAST_HOOKS says who may send, and with which secret.")
        found = {name: headers.get(name, "") for name in _HEADERS}
        if missing := [name for name, value in found.items() if not value]:
            raise SignatureRefused(f"The request is not signed: it has no {' and no '.join(missing)}.")
        id = found["webhook-id"]
        if len(id) > MAX_ID:
            raise SignatureRefused(f"The webhook-id is longer than {MAX_ID} characters.")
        why = ""
        for secret in secrets:
            why = _refusal(secret, found, body)
            if not why:
                return id
        raise SignatureRefused(why)

    async def begin(self, source: str, id: str, body: bytes) -> bool:
        """Whether this message is to be done: not where it was before. Raises `MessageReused` for another one under
        the same id."""
        seen = await self._received.begin(source, id, hashlib.sha256(body).hexdigest())
        if seen is Seen.OTHER:
            raise MessageReused("This webhook-id came before with another body. A new message needs a new id.")
        return seen is Seen.NEW

    async def done(self, source: str, id: str) -> None:
        """It has been done. One that was not, as it was refused or a node died, may come again."""
        await self._received.done(source, id)


def _refusal(secret: str, headers: dict[str, str], body: bytes) -> str:
    """Why a message is not accepted under this secret; empty where it is."""
    try:
        Webhook(secret).verify(body, headers, json_parse=False)
    except WebhookVerificationError as error:
        if "Message timestamp" in str(error):
            return (
                f"The webhook-timestamp is more than {TOLERANCE:g} s away from now. Sign each attempt anew, and see "
                "that both clocks are right."
            )
    except ValueError:  # a header that is no base64, has no comma, or a body that is not UTF-8
        pass
    else:
        return ""
    return "No webhook-signature was made of this body with a secret that ORDERCAST_HOOKS has for this source."
