"""What answers look like, for the documentation: answers themselves are made by the domain's own views."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, WithJsonSchema
from pydantic.alias_generators import to_camel

from ordercast.api.schemas import ID_SCHEMA


class _View(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, serialize_by_alias=True, use_attribute_docstrings=True)


JsonId = Annotated[int | str, WithJsonSchema(ID_SCHEMA)]


class OrderView(_View):
    """An order, as the contract has it. For the documentation; answers are made by `view_for`."""

    order_id: JsonId
    shop_id: JsonId | None
    customer_id: JsonId
    reference: str | None
    """The shop's own number of it, as customers know it"""
    fulfilment: Literal["delivery", "pickup"]
    status: str
    status_since: str
    step: int
    """Where it is on the customer's progress bar, from 1 up; 0: off it"""
    version: int
    """Counts the order's changes from 1, without holes"""
    items: list[Any]
    """The shop's own JSON"""
    total: float | None
    """In the currency's major unit"""
    currency: str | None
    """ISO 4217"""
    note: str | None
    contact: dict[str, Any] | None
    """The shop's own JSON"""
    expected_at: str | None
    """RFC 3339 in UTC, as all times"""
    claimed_by: JsonId | None
    """The operator who has taken it; for its customer always null"""
    first_contact_at: str | None
    """When a person first contacted the customer"""
    created_at: str
    updated_at: str


class SharedOrderView(_View):
    """An order as whoever has a share link sees it: nothing personal."""

    order_id: JsonId
    shop_id: JsonId | None
    reference: str | None
    fulfilment: Literal["delivery", "pickup"]
    status: str
    status_since: str
    step: int
    version: int
    items: list[Any]
    total: float | None
    currency: str | None
    expected_at: str | None
    created_at: str
    updated_at: str


class ShareView(_View):
    """A share link: whoever opens `url` sees one order, until `expiresAt`. `shareToken` does for an application."""

    share_token: str
    url: str
    expires_at: str


class OrderList(_View):
    """A page of orders; ``next`` is the ``cursor`` of the page after it."""

    orders: list[OrderView]
    next: str | None
    position: int


class HistoryEntry(_View):
    """One thing that happened to an order."""

    position: int
    order_id: JsonId
    version: int
    kind: Literal["created", "imported", "status_changed", "changed", "contacted", "claimed", "released"]
    status: str
    previous_status: str | None
    changed: list[str]
    at: str
    updated_by: JsonId | None = None
    reason: str | None = None
    forced: bool = False


class History(_View):
    """An order's history; ``complete`` where it goes back to the order's creation."""

    events: list[HistoryEntry]
    complete: bool


class LiveEvent(_View):
    """A Socket.IO event, for those who poll."""

    event: str
    data: dict[str, Any]
    position: int


class EventPage(_View):
    """What happened after a cursor, and the cursor to ask with next."""

    events: list[LiveEvent]
    position: int
    cursor: str


class OnlineView(_View):
    """An operator or admin with at least one connection."""

    user_id: JsonId
    role: Literal["operator", "admin"]


class NodeView(_View):
    """What one node has: connections of any role, and operators among them."""

    node: str
    connections: int
    operators: int


class PresenceView(_View):
    """Who is online. ``connections`` and ``nodes`` are for callers whose token names no shops."""

    operators_online: int
    operators: list[OnlineView]
    connections: int | None = None
    nodes: list[NodeView] | None = None


class TimesView(_View):
    """How many there were, and how long they took, in seconds (nearest-rank percentiles; ``null`` where none was)."""

    count: int
    median: float | None
    p90: float | None


class FirstContactView(TimesView):
    """Orders first contacted today, from their creation on; ``waiting``: open ones that nobody has contacted yet."""

    waiting: int


class StatsView(_View):
    """Figures of the day. ``orders``: how many are in a status that orders wait in, or came into another one today and
    are still there. ``timeInStatus``: of stays that ended today. ``position``: of the log, up to which all counts."""

    day: str
    time_zone: str
    since: str
    as_of: str
    position: int
    orders: dict[str, int]
    created: int
    done: int
    aborted: int
    first_contact: FirstContactView
    time_in_status: dict[str, TimesView]


class MeView(_View):
    """Who asks; ``shops`` is ``null`` for all."""

    user_id: JsonId
    role: Literal["operator", "admin"]
    shops: list[JsonId] | None


class BoardView(_View):
    """How long an order may take in a status, in seconds; a status that is absent has no target."""

    targets: dict[str, int]
    me: MeView


class SignInView(_View):
    """What a board needs before it knows who sits at it. No secrets."""

    shop_name: str | None
    login_url: str | None
    refresh_url: str | None


class ProblemView(BaseModel):
    """RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
