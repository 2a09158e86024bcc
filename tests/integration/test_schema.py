"""The OpenAPI document against the server: requests that it allows and that it does not, by every role.

`SCHEMA_EXAMPLES` says how many for each operation; they are the same at each run. What a document of this kind cannot
say (`BEYOND`) is all that may be refused of a request that it allows.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from schemathesis.core.failures import AcceptedNegativeData
from schemathesis.openapi.checks import RejectedPositiveData

from ordercast.api.orders import MAX_PAGE
from ordercast.orders.search import MAX_TEXT
from tests.harness import ROOT, ServerProcess, token

EXAMPLES = int(os.environ.get("SCHEMA_EXAMPLES", "200"))
ROLES = {
    role: token(f"the-{role}-of-this-test", role, lifetime=86_400)
    for role in ("customer", "operator", "admin", "service")
}
KNOWN = ("known-1", "known-2", "known-3")
"""Orders that there are; the first one is the customer's."""

ID = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
BEYOND = (
    "There is no status ",  # they are the shop's
    "cursor: must be the next of an earlier answer",
    "after: must be a cursor as an earlier answer gave it",
    "must lie in the years 1 to 9999",
    "must not be nested deeper than",
    "This cursor is not of this log",
    "orderId: must be the one in the address",
    "must be printable",
    "url: ",  # what its pattern leaves open: addresses of our own network above all
    "printable characters",
    "need more than 64 bits",
    "q: must not be blank",  # of marks and nothing under them, say
    "This Idempotency-Key came before with another body",
)
VALID: dict[str, Callable[[str], Any]] = {
    "q": lambda text: text.strip() != "" and len(text) <= MAX_TEXT,
    "customerId": ID.fullmatch,
    "limit": lambda text: text.isdecimal() and 1 <= int(text) <= MAX_PAGE,
    "cursor": lambda text: len(text) <= 512,
}
"""What a text in the query of ``GET /api/orders`` may be; any may be a status."""
WAIT = 0.05  # s: what is waited for in the 60 s that one may ask for is nothing

schema = schemathesis.openapi.from_path(ROOT / "web" / "packages" / "client" / "openapi.json")
schema.config.generation.with_security_parameters = False  # tokens are ours; a check asks without


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server with the known orders."""
    with ServerProcess(tmp_path_factory.mktemp("schema")) as process:
        asyncio.run(_fill(process))
        yield process
        assert "Traceback" not in process.log


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    """One connection for all: to make one for each request would take longer than the request."""
    with requests.Session() as session:
        session.trust_env = False  # or it looks for a proxy each time
        yield session


async def _fill(server: ServerProcess) -> None:
    async with server.api() as api:
        for id in KNOWN:
            await api.create(orderId=id, customerId="the-customer-of-this-test" if id == KNOWN[0] else 42)


@schema.given(
    role=st.sampled_from([*ROLES]),
    known=st.sampled_from([None, *KNOWN]),
    status=st.sampled_from(["accepted", "preparing", "ready", "cancelled"]),
)
@schema.parametrize()
@settings(max_examples=EXAMPLES, derandomize=True, suppress_health_check=list(HealthCheck))
def test_the_server_is_as_described(
    case: schemathesis.Case[Any],
    role: str,
    known: str | None,
    status: str,
    server: ServerProcess,
    session: requests.Session,
) -> None:
    if known is not None:
        _make_known(case, known, status)
    if isinstance(wait := case.query.get("wait"), (int, float)) and 0 <= wait <= 60:
        case.query["wait"] = min(wait, WAIT)
    headers = {"Authorization": f"Bearer {ROLES[role]}"}
    response = case.call(server.url, headers=headers, session=session)
    try:
        case.validate_response(response, headers=headers)
    except schemathesis.core.failures.FailureGroup as group:
        wrong = [str(error) for error in group.exceptions if not _is_beyond(error, case, response)]
        asked = f"{case.as_curl_command(headers)}\n{response.status_code} {response.text}"
        assert wrong == [], f"{asked}\n{wrong}"


def _make_known(case: schemathesis.Case[Any], id: str, status: str) -> None:
    """Has a request that is well formed reach something."""
    if ID.fullmatch(str(case.path_parameters.get("id", ""))):
        case.path_parameters["id"] = id
        if isinstance(case.body, dict) and case.method == "PUT" and isinstance(case.body.get("orderId"), str):
            case.body["orderId"] = id
    if isinstance(case.body, dict) and isinstance(case.body.get("status"), str) and case.body["status"]:
        case.body["status"] = status


def _is_beyond(error: Exception, case: schemathesis.Case[Any], response: schemathesis.Response) -> bool:
    """Whether it is a refusal that no schema could foretell, or there was nothing to refuse in what was sent."""
    if isinstance(error, AcceptedNegativeData):
        return _is_written_like_valid(case, response)
    if not isinstance(error, RejectedPositiveData):
        return False
    return _has_fraction(case.body) or any(words in response.text for words in BEYOND)


def _is_written_like_valid(case: schemathesis.Case[Any], response: schemathesis.Response) -> bool:
    """Whether each value in the query is a valid one as it is written: so is a list of one text for a text."""
    if case.operation.label != "GET /api/orders":
        return False
    sent = parse_qs(urlsplit(response.request.url or "").query, keep_blank_values=True)
    return all(name == "status" or (len(values) == 1 and VALID[name](values[0])) for name, values in sent.items())


def _has_fraction(value: Any) -> bool:
    """Whether a whole number is written like ``1.0`` in it, which JSON Schema takes for an integer, and we do not."""
    if isinstance(value, (dict, list)):
        return any(map(_has_fraction, value.values() if isinstance(value, dict) else value))
    return isinstance(value, float) and value.is_integer()
