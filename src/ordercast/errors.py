"""Every error Ordercast raises on purpose.

::

    OrdercastError
    ├── SettingsError            a setting is missing, weak or contradicts another; stops `serve` with its sentence
    ├── StorageError             the database cannot be reached, or is not at the schema this version needs
    │   └── StorageInDoubt           it went away within a commit: whether that took place is not known
    ├── AuthError                who are you?
    │   ├── AuthenticationRequired   "Authentication required": no token at all
    │   ├── InvalidToken             "Invalid token": unreadable, forged, or claims we cannot accept
    │   └── TokenExpired             "Token expired"
    └── Problem                  a request that cannot be done; becomes problem+json (RFC 9457) with `status`
        ├── SignatureRefused         401: a message in is not signed, not by a secret of its source, or not just now
        ├── Forbidden                403: the role may not do this at all
        ├── NotFound                 404: not there, or not yours: the same answer
        ├── Conflict                 409
        │   ├── TransitionNotAllowed     the workflow has no such step, or not for this role
        │   │   └── ReasonNeeded             as a correction it may be taken, with a reason
        │   ├── ClaimedByAnother         somebody else has taken the order, or nobody has
        │   ├── VersionConflict          `expectedVersion` is not the order's version
        │   └── OrderExists              the shop's own `orderId` is taken
        ├── CursorGone               410: the history after this cursor cannot be given whole
        ├── Invalid                  422: a value we cannot accept; `errors` names the fields
        │   ├── UnknownStatus            a status the workflow does not have
        │   ├── MessageReused            a message in has the id of another one
        │   └── IdempotencyKeyReused     the same key came before with another body
        └── NotKept                  501: the shop's own tables of orders leave this out
"""

from __future__ import annotations

from typing import Any, ClassVar


class OrdercastError(Exception):
    """The root of the tree above. Its text is a sentence that says what to do."""


class SettingsError(OrdercastError):
    """A setting is missing, weak or contradicts another."""


class StorageError(OrdercastError):
    """The database cannot be reached or used."""


class StorageInDoubt(StorageError):
    """The database went away within a commit and did not come back in time: the change may be stored or not."""


class AuthError(OrdercastError):
    """A caller whose identity could not be established. The text is the contract's refusal, word for word."""

    message: ClassVar[str] = "Invalid token"

    def __init__(self, why: str = "") -> None:
        """``why`` is for the log only; callers see `message`, which never says more than the contract."""
        super().__init__(self.message)
        self.why = why


class AuthenticationRequired(AuthError):
    message = "Authentication required"


class InvalidToken(AuthError):
    message = "Invalid token"


class TokenExpired(AuthError):
    message = "Token expired"


class Problem(OrdercastError):
    """A request that cannot be done.

    ``type`` (a short slug) and ``title`` are fixed per class, the text is the RFC 9457 ``detail``, and
    ``extra`` holds the extension members of the problem document (RFC 9457, section 3.2).
    """

    status: ClassVar[int] = 400
    type: ClassVar[str] = "bad-request"
    title: ClassVar[str] = "The request cannot be done"

    def __init__(self, detail: str = "", **extra: Any) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.extra = extra


class SignatureRefused(Problem):
    status = 401
    type = "signature-refused"
    title = "The signature is not accepted"


class Forbidden(Problem):
    status = 403
    type = "forbidden"
    title = "Your role may not do this"


class NotFound(Problem):
    status = 404
    type = "not-found"
    title = "There is no such order"


class Conflict(Problem):
    status = 409
    type = "conflict"
    title = "The order's state does not allow this"


class TransitionNotAllowed(Conflict):
    type = "transition-not-allowed"
    title = "The workflow does not allow this step"


class ReasonNeeded(TransitionNotAllowed):
    type = "reason-needed"
    title = "A step back needs a reason"


class ClaimedByAnother(Conflict):
    type = "claimed-by-another"
    title = "Somebody else was faster"


class VersionConflict(Conflict):
    type = "version-conflict"
    title = "The order has changed meanwhile"


class OrderExists(Conflict):
    type = "order-exists"
    title = "An order with this orderId already exists"


class CursorGone(Problem):
    status = 410
    type = "cursor-gone"
    title = "The history after this cursor cannot be given whole"


class Invalid(Problem):
    status = 422
    type = "invalid"
    title = "A value cannot be accepted"


class UnknownStatus(Invalid):
    type = "unknown-status"
    title = "The workflow has no such status"


class MessageReused(Invalid):
    type = "webhook-id-reused"
    title = "This webhook-id came before with another body"


class IdempotencyKeyReused(Invalid):
    type = "idempotency-key-reused"
    title = "This Idempotency-Key came before with another body"


class NotKept(Problem):
    status = 501
    type = "not-kept"
    title = "This shop's own tables of orders leave this out"
