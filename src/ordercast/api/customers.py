"""``DELETE /api/customers/{id}``: a customer who wants to be forgotten."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Response

from ordercast.api.context import Caller, Parts
from ordercast.api.description import problems
from ordercast.api.schemas import PathId

router = APIRouter(
    prefix="/api/customers",
    tags=["customers"],
    responses=problems(401, 403, 422, 501, 503),
)


@router.delete("/{id}", status_code=204, response_model=None)
async def anonymise(
    id: Annotated[PathId, Path(description="The customer's id")], caller: Caller, parts: Parts
) -> Response:
    """Anonymises a customer: a pseudonym takes the place of the id, and what is personal goes from their orders, the
    log and what was answered; their tokens count no more. The same again, or for who was never here, is the same.
    """
    await parts.privacy.anonymise(id, caller)
    return Response(status_code=204)
