"""What the board asks for over REST: who may, what each caller sees, what is said against the rest."""

from __future__ import annotations

import json
from typing import Any

import pytest
from starlette.types import ASGIApp

from ordercast.api.application import create_api
from ordercast.orders.board import DEFAULTS, MAX_TARGET
from ordercast.orders.models import NewOrder
from tests.rest import JSON, MAX_BODY, SHARES, SHOP, Headers, Side, ask, bearer

ANA, BEN, ADA = bearer("operator", "ana"), bearer("operator", 7), bearer("admin", "ada")
NORA = bearer("operator", "nora", shops=["north"])
ADA_OF_NORTH = bearer("admin", "ada", shops=["north"])
CUSTOMER = bearer("customer", 42)
BACKEND = bearer("service", "shop")
GUEST: Headers = [(b"authorization", b"Bearer " + SHARES.issue("7", "42").token.encode())]


class Api:
    def __init__(self, side: Side) -> None:
        self.side = side
        self.app: ASGIApp = create_api(side.services, max_body=MAX_BODY, cors_origins=())

    async def __call__(self, method: str, path: str, who: Headers, body: Any = None, *more: tuple[bytes, bytes]) -> Any:
        """The status and the answer."""
        path, _, query = path.partition("?")
        sent = (b"",) if body is None else (json.dumps(body).encode(),)
        headers = [*who, *more, *(JSON if body is not None else [])]
        status, _, answer = await ask(self.app, method, path, sent, headers, query=query.encode())
        return status, json.loads(answer)


@pytest.fixture
async def api() -> Api:
    return Api(await Side.open())


# -- claims -------------------------------------------------------------------------------------------------


async def test_taking_an_order_and_giving_it_back(api: Api) -> None:
    path = "/api/orders/7"
    status, order = await api("POST", f"{path}/claim", ANA)
    assert (status, order["claimedBy"], order["version"]) == (200, "ana", 2)
    assert await api("POST", f"{path}/claim", ANA, {}) == (200, order), "nothing changes"
    status, problem = await api("POST", f"{path}/claim", BEN, {})
    assert (status, problem["type"], problem["claimedBy"]) == (409, "urn:ordercast:claimed-by-another", "ana")
    assert problem["detail"] == "ana has this order. Take it over with 'from', or leave it to them."
    assert (await api("POST", f"{path}/claim", BEN, {"from": "chiara"}))[0] == 409
    assert (await api("POST", f"{path}/claim", BEN, {"from": None}))[0] == 409
    status, order = await api("POST", f"{path}/claim", BEN, {"from": "ana"})
    assert (status, order["claimedBy"]) == (200, 7)
    status, problem = await api("POST", f"{path}/release", ANA)
    assert (status, problem["claimedBy"]) == (409, 7)
    status, order = await api("POST", f"{path}/release", BEN)
    assert (status, order["claimedBy"], order["version"]) == (200, None, 4)
    assert await api("POST", f"{path}/release", ANA) == (200, order), "nobody has it"
    status, problem = await api("POST", f"{path}/claim", ANA, {"from": 7})
    assert (status, problem["claimedBy"]) == (409, None)
    assert problem["detail"] == "Nobody has this order any more. Take it without 'from'."
    await api("POST", f"{path}/claim", ANA)
    assert (await api("POST", f"{path}/release", ADA))[1]["claimedBy"] is None, "an admin may"
    history = (await api("GET", f"{path}/events", ADA))[1]["events"]
    told = [(entry["kind"], entry["updatedBy"], entry["changed"]) for entry in history[1:]]
    assert told == [
        (kind, who, ["claimedBy"])
        for kind, who in (
            ("claimed", "ana"),
            ("claimed", 7),
            ("released", 7),
            ("claimed", "ana"),
            ("released", "ada"),
        )
    ]


async def test_a_claim_that_is_sent_again_is_answered_as_before(api: Api) -> None:
    key = (b"idempotency-key", b"once")
    first = await api("POST", "/api/orders/7/claim", ANA, {}, key)
    await api("POST", "/api/orders/7/release", ANA)
    assert await api("POST", "/api/orders/7/claim", ANA, {}, key) == first
    status, problem = await api("POST", "/api/orders/7/claim", ANA, {"from": "ben"}, key)
    assert (status, problem["type"]) == (422, "urn:ordercast:idempotency-key-reused")
    assert (await api("GET", "/api/orders/7", ANA))[1]["claimedBy"] is None


@pytest.mark.parametrize("body", [[], "x", {"from": ""}, {"from": -1}, {"from": {}}, {"form": "ana"}, {"from": "a b"}])
async def test_claims_that_say_something_else(api: Api, body: object) -> None:
    status, problem = await api("POST", "/api/orders/7/claim", ANA, body)
    assert (status, problem["type"]) == (422, "urn:ordercast:invalid")
    assert (await api("GET", "/api/orders/7", ANA))[1]["version"] == 1


@pytest.mark.parametrize("what", ["claim", "release"])
async def test_who_may_not_and_what_is_not_theirs(api: Api, what: str) -> None:
    for who in (CUSTOMER, BACKEND, GUEST):
        status, problem = await api("POST", f"/api/orders/7/{what}", who)
        assert (status, problem["detail"].split()[:4]) == (403, ["Only", "operators", "and", "admins"])
    missing = await api("POST", f"/api/orders/none/{what}", ANA)
    assert missing[0] == 404
    for who in (NORA, ADA_OF_NORTH, bearer("customer", 43)):
        assert await api("POST", f"/api/orders/7/{what}", who) == missing
    assert (await api("POST", f"/api/orders/north-1/{what}", NORA))[0] == 200
    assert (await api("POST", f"/api/orders/7/{what}", []))[0] == 401


# -- corrections and search ---------------------------------------------------------------------------------


async def test_corrections_by_either_way_into_the_api(api: Api) -> None:
    """With a charset that the short way does not know, FastAPI answers."""
    other = [(b"content-type", b"application/json; charset=UTF-8")]
    await api("PATCH", "/api/orders/7", ANA, {"status": "accepted"})
    for headers in (JSON, other):
        for body in ({"status": "received"}, {"status": "received", "reason": "  "}):
            status, _, answer = await ask(api.app, "PATCH", "/api/orders/7", [json.dumps(body).encode()], ANA + headers)
            assert (status, json.loads(answer)["type"]) == (409, "urn:ordercast:reason-needed")
    status, order = await api("PATCH", "/api/orders/7", ANA, {"status": "received", "reason": "the wrong one"})
    assert (status, order["status"]) == (200, "received")
    assert (await api("GET", "/api/orders/7/events", ANA))[1]["events"][-1]["reason"] == "the wrong one"
    assert (await api("PATCH", "/api/orders/7", CUSTOMER, {"status": "accepted", "reason": "please"}))[0] == 403
    assert (await api("GET", "/api/workflow", []))[1]["corrections"] is True


async def found(api: Api, q: str, who: Headers) -> list[object]:
    status, page = await api("GET", f"/api/orders?q={q}", who)
    assert status == 200, page
    return sorted(order["orderId"] for order in page["orders"])


async def test_search_finds_what_the_caller_may_see(api: Api) -> None:
    for id, customer, shop in (("11", "42", "north"), ("12", "43", "south"), ("13", "42", None)):
        contact = {"name": "Sofia Núñez"}
        await api.side.orders.create(NewOrder(customer_id=customer, order_id=id, shop_id=shop, contact=contact), SHOP)
    await api("PATCH", "/api/orders/13", ANA, {"status": "cancelled"})
    assert await found(api, "NUNEZ", ANA) == [11, 12, 13]
    assert await found(api, "nu%C3%B1ez", NORA) == [11]
    assert await found(api, "sofia", CUSTOMER) == [11, 13]
    assert await found(api, "sofia", bearer("customer", 44)) == []
    assert await found(api, "sofia&status=received,accepted", ANA) == [11, 12]
    assert await found(api, "sofia&limit=1", ANA) == [13]
    status, problem = await api("GET", "/api/orders?q=sofia", GUEST)
    assert (status, problem["detail"]) == (403, "A share link shows one order, and no list.")


@pytest.mark.parametrize("q", ["", "%20", "%00", "%CC%81", "x" * 129, "%C3%B1" * 129])
async def test_texts_that_find_nothing_for_a_reason(api: Api, q: str) -> None:
    for who in (ANA, CUSTOMER):
        status, problem = await api("GET", f"/api/orders?q={q}", who)
        assert (status, problem["type"]) == (422, "urn:ordercast:invalid")
        assert problem["detail"].startswith("q: ")


# -- figures and settings -----------------------------------------------------------------------------------


async def test_figures_of_the_callers_shops(api: Api) -> None:
    await api("POST", "/api/orders/7/contact", ANA)
    await api("PATCH", "/api/orders/north-1", ANA, {"status": "rejected"})
    figures = (await api("GET", "/api/stats", ANA))[1]
    assert (figures["created"], figures["done"], figures["aborted"], figures["position"]) == (2, 0, 1, 4)
    assert (figures["orders"]["received"], figures["orders"]["rejected"]) == (1, 1)
    assert (figures["firstContact"]["count"], figures["firstContact"]["waiting"]) == (1, 0)
    assert figures["timeInStatus"]["received"]["count"] == 1
    assert figures["timeZone"] == "UTC"
    north = (await api("GET", "/api/stats", NORA))[1]
    assert (north["created"], north["aborted"], north["orders"]["received"]) == (1, 1, 0)
    assert north["firstContact"] == {"count": 0, "median": None, "p90": None, "waiting": 0}
    nothing = (await api("GET", "/api/stats", bearer("operator", "x", shops=["south"])))[1]
    assert (nothing["created"], nothing["aborted"], set(nothing["orders"].values())) == (0, 0, {0})


@pytest.mark.parametrize("path", ["/api/stats", "/api/board"])
async def test_the_board_is_for_operators_and_admins(api: Api, path: str) -> None:
    for who in (CUSTOMER, BACKEND, GUEST):
        status, problem = await api("GET", path, who)
        assert (status, "perators and admins" in problem["detail"]) == (403, True)
    assert (await api("GET", path, []))[0] == 401


async def test_targets(api: Api) -> None:
    me: dict[str, object] = {"userId": "ana", "role": "operator", "shops": None}
    assert await api("GET", "/api/board", ANA) == (200, {"targets": DEFAULTS, "me": me})
    me = {"userId": "nora", "role": "operator", "shops": ["north"]}
    assert (await api("GET", "/api/board", NORA))[1]["me"] == me
    assert (await api("GET", "/api/board", bearer("operator", "x", shops=[7, "a"])))[1]["me"]["shops"] == [7, "a"]
    body = {"targets": {"ready": MAX_TARGET, "received": 1, "preparing": None}}
    status, board = await api("PUT", "/api/board", ADA, body)
    assert (status, board["targets"], board["me"]["role"]) == (200, {"received": 1, "ready": MAX_TARGET}, "admin")
    assert (await api("GET", "/api/board", NORA))[1]["targets"] == board["targets"]
    assert api.side.boards == [board["targets"]]
    assert (await api("PUT", "/api/board", ADA, {"targets": {}}))[1]["targets"] == {}
    assert (await api("GET", "/api/board", ANA))[1]["targets"] == {}


@pytest.mark.parametrize(
    ("targets", "word"),
    [
        ({"lost": 1}, "no status 'lost'"),
        ({"delivered": 60}, "nothing follows 'delivered'"),
        ({"ready": 0}, "targets.ready"),
        ({"ready": MAX_TARGET + 1}, "targets.ready"),
        ({"ready": 1.5}, "targets.ready"),
        ({"ready": "60"}, "targets.ready"),
        ({"ready": True}, "targets.ready"),
        ([], "targets"),
        (None, "targets"),
    ],
)
async def test_targets_that_cannot_be(api: Api, targets: object, word: str) -> None:
    status, problem = await api("PUT", "/api/board", ADA, {"targets": targets})
    assert (status, word in problem["detail"]) == (422, True), problem
    assert (await api("PUT", "/api/board", ADA, {}))[0] == 422
    assert (await api("PUT", "/api/board", ADA, {"targets": {}, "more": 1}))[0] == 422
    assert api.side.boards == []
    assert (await api("GET", "/api/board", ADA))[1]["targets"] == DEFAULTS


async def test_only_admins_of_all_shops_set_targets(api: Api) -> None:
    for who, word in (
        (ANA, "Only admins"),
        (CUSTOMER, "Only admins"),
        (BACKEND, "Only admins"),
        (ADA_OF_NORTH, "names some"),
    ):
        status, problem = await api("PUT", "/api/board", who, {"targets": {"ready": 5}})
        assert (status, word in problem["detail"]) == (403, True)
    assert api.side.boards == []


async def test_how_one_signs_in_is_told_to_everyone(api: Api) -> None:
    answer = {"shopName": "Trattoria", "loginUrl": None, "refreshUrl": None}
    assert await api("GET", "/board/sign-in.json", []) == (200, answer)
