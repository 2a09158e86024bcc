"""What an event of the log becomes on the wire: packets, and the rooms that each goes to."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from ordercast.engineio import Packet
from ordercast.live.moves import Moves
from ordercast.live.rooms import Target, target
from ordercast.orders.announcements import Audience, Step, addressed, announcements, changes_owner
from ordercast.orders.cursors import format_cursor
from ordercast.orders.models import Order, OrderEvent
from ordercast.socketio import Namespace

KEPT = 8_192
"""Events whose packets are kept, some MB: when a whole shop comes back at once, all ask for the same ones."""


@dataclass(frozen=True, slots=True)
class Said:
    """One announcement, encoded."""

    where: Target
    packets: list[Packet]
    audience: Audience

    def reaches(self, rooms: frozenset[str]) -> bool:
        """Whether a socket in these rooms gets it."""
        return not rooms.isdisjoint(self.where.to) and rooms.isdisjoint(self.where.except_)


class Speaker:
    """Encodes events, each once, and remembers the latest."""

    def __init__(self, namespace: Namespace, log_id: str, step: Step) -> None:
        self._namespace = namespace
        self._log_id = log_id
        self._step = step
        self.moves = Moves()
        self.moved: Callable[[OrderEvent], tuple[str, ...]] = lambda event: ()
        """Called with what is about to be said of an order that is another customer's or shop's now: the event has
        these. What follows is not for all who have been hearing of the order. Returns which sockets it has told so."""
        self._told: dict[str, tuple[str, ...]] = {}  # by order, until its move is said to the others
        self._kept: OrderedDict[int, Sequence[Said]] = OrderedDict()
        self._closing: tuple[int, Packet] = (-1, Packet.__new__(Packet))

    def closing(self, position: int) -> Packet:
        """The ``position`` event that closes a write with events up to this position: the cursor in it is what a
        client comes back with."""
        if self._closing[0] != position:
            (packet,) = self._namespace.encode_event("position", [format_cursor(self._log_id, position)], closed=False)
            packet.key = "position"  # the newest will do
            packet.trailer = packet
            self._closing = (position, packet)
        return self._closing[1]

    def standing(self, event: str, position: int) -> list[Packet]:
        """An event of the server's own that says where a client is now, with the cursor it comes back with from then
        on."""
        packets = self._namespace.encode_event(event, [{"position": position}])
        packets[-1].trailer = self.closing(position)
        return packets

    def say(self, event: OrderEvent, order: Order | None, former: OrderEvent | None = None) -> Sequence[Said]:
        """The announcements of an event, in the order they go out, kept at hand for whoever asks for it next.
        ``former``: see `announcements`.

        Raises where one cannot be encoded; then none is to be sent.
        """
        kept = self._kept.get(event.position)
        if kept is not None:
            return kept
        moves = changes_owner(event)
        if moves:
            self._kept.clear()  # what is kept of the order is for others
        now_of = addressed(event, order)
        told: tuple[str, ...] = ()
        if now_of is not event or moves:
            self.moves.add(event.order_id)
            told = self._told.pop(event.order_id, ()) + self.moved(now_of)
            if told and not moves:
                self._told[event.order_id] = told
        event = now_of
        closing = self.closing(event.position)
        said = []
        for announcement in announcements(event, order, self._step, former):
            packets = self._namespace.encode_event(announcement.event, [announcement.data])
            packets[-1].trailer = closing
            packets[0].key = (
                announcement.event,
                event.order_id,
                event.fields if "changes" in announcement.data else (),
            )
            where = target(event, announcement)
            if announcement.audience is Audience.FORMER:
                where = replace(where, except_=(*where.except_, *told))
            said.append(Said(where, packets, announcement.audience))
        self._keep(event.position, said)
        return said

    def pass_over(self, position: int) -> None:
        """The event at this position cannot be encoded: whoever asks for it next is given nothing to send."""
        self._keep(position, ())

    def _keep(self, position: int, said: Sequence[Said]) -> None:
        self._kept[position] = said
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)

    def said(self, position: int) -> Sequence[Said] | None:
        """The announcements of the event at this position, if they are still at hand."""
        return self._kept.get(position)
