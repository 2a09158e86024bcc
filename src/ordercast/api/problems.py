"""Errors as ``application/problem+json`` (RFC 9457): every one says what happened and what to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import msgspec
import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from ordercast.errors import AuthError, OrdercastError, Problem, StorageError, StorageInDoubt

_log = structlog.get_logger("ordercast.api")

_ADVICE = {
    404: "There is nothing at this address. The API is described at /docs.",
    405: "This address does not take this method. The API is described at /docs.",
}


def problem_response(
    status: int,
    type: str,
    title: str,
    detail: str,
    extra: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A problem document. ``extra`` are its extension members."""
    body = {"type": f"urn:ordercast:{type}", "title": title, "status": status, "detail": detail, **(extra or {})}
    return Response(
        msgspec.json.encode(body),
        status,
        media_type="application/problem+json",
        headers=None if headers is None else dict(headers),
    )


class BodyTooLarge(HTTPException):
    """The body is larger than ``limit`` bytes. An `HTTPException`, since FastAPI passes only those on from a read."""

    def __init__(self, limit: int) -> None:
        super().__init__(413)
        self.limit = limit

    def response(self) -> Response:
        """The 413."""
        detail = f"Send at most {self.limit} bytes."
        return problem_response(413, "content-too-large", "The body is too large", detail, {"limit": self.limit})


def answer_to(error: OrdercastError) -> Response:
    """The answer to what a use case or a token's check raises."""
    if isinstance(error, Problem):
        return problem_response(error.status, error.type, error.title, error.detail, error.extra)
    if isinstance(error, AuthError):
        detail = f"{error}. Send a token as 'Authorization: Bearer …'."
        return problem_response(401, "unauthorized", str(error), detail, headers={"WWW-Authenticate": "Bearer"})
    if isinstance(error, StorageError):
        _log.error("storage failed", error=str(error))
        doubt = isinstance(error, StorageInDoubt)
        return problem_response(
            503,
            "storage-unavailable",
            "The database cannot be used right now",
            "The change may be stored or not. Read the order before you try again."
            if doubt
            else "Nothing was changed. Try again in a moment.",
            headers={"Retry-After": "1"},
        )
    return internal_error()


def internal_error() -> Response:
    """The answer to what nobody foresaw: the caller learns nothing of our insides."""
    return problem_response(500, "internal", "Something went wrong here", "It has been logged. Try again.")


def install(app: FastAPI) -> None:
    """Has every error of the application answered as a problem."""

    @app.exception_handler(Problem)
    @app.exception_handler(AuthError)
    @app.exception_handler(StorageError)
    async def ours(request: Request, error: OrdercastError) -> Response:
        return answer_to(error)

    @app.exception_handler(RequestValidationError)
    async def validation(request: Request, error: RequestValidationError) -> Response:
        errors = error.errors()
        if any(item["type"] == "json_invalid" for item in errors):
            reason = errors[0].get("ctx", {}).get("error", "it cannot be read")
            detail = f"Send a JSON object as the body; this is none: {reason}."
            return problem_response(400, "malformed-json", "The body is not JSON", detail)
        fields = [{"field": _path(item["loc"]), "problem": item["msg"]} for item in errors]
        return problem_response(422, "invalid", "A value cannot be accepted", in_words(errors), {"errors": fields})

    @app.exception_handler(BodyTooLarge)
    async def too_large(request: Request, error: BodyTooLarge) -> Response:
        return error.response()

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> Response:
        title = HTTPStatus(error.status_code).phrase
        detail = _ADVICE.get(error.status_code, str(error.detail))
        slug = title.lower().replace(" ", "-")
        return problem_response(error.status_code, slug, title, detail, headers=error.headers)

    @app.exception_handler(Exception)
    async def unexpected(request: Request, error: Exception) -> Response:
        return internal_error()  # Starlette logs it with its traceback by raising it again


def in_words(errors: Sequence[Mapping[str, Any]]) -> str:
    """What is wrong with which field, as a sentence."""
    return "; ".join(f"{_path(item['loc'])}: {item['msg']}" for item in errors)


def _path(location: tuple[int | str, ...]) -> str:
    """``("body", "items", 0)`` → ``items.0``; the outermost part says only where it stood."""
    return ".".join(str(part) for part in location[1:]) or str(location[0])
