"""What the Python client reads and writes, held against the server's own encoding; and what it makes of pages."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ordercast.client import packets
from ordercast.client.models import events_of
from ordercast.client.packets import PacketError
from ordercast.engineio.payload import encode_payload
from ordercast.socketio.packet import PacketType, decode, encode

ANY_TIME = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # the machine may be busy
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
WITH_BYTES = st.lists(JSON | st.binary(max_size=40), max_size=4)


@ANY_TIME
@given(WITH_BYTES, st.none() | st.integers(0, 10**6))
def test_what_the_server_says_is_understood_over_long_polling(args: list[Any], id: int | None) -> None:
    sent = encode(PacketType.EVENT, data=["order:updated", *args], id=id)
    first, *buffers = packets.split_payload(encode_payload(sent).decode())
    assert isinstance(first, str)
    packet = packets.read(first.removeprefix("4"))
    assert (packet.kind, packet.id, packet.attachments) == ("event", id, len(buffers))
    assert packets.put_back(packet.data, [b for b in buffers if isinstance(b, bytes)]) == ["order:updated", *args]


@ANY_TIME
@given(st.lists(JSON, max_size=3), st.none() | st.integers(0, 10**6))
def test_what_it_says_the_server_understands(args: list[Any], id: int | None) -> None:
    packet = decode(packets.event("watch:order", args, id).removeprefix("4"))
    assert (packet.type, packet.data, packet.id) == (PacketType.EVENT, ["watch:order", *args], id)


def test_it_reads_the_other_packets() -> None:
    assert packets.read('0{"sid":"a","pid":"b"}').data["pid"] == "b"
    assert packets.read("1").kind == "disconnect"
    assert packets.read('4{"message":"Invalid token"}').kind == "refused"
    assert packets.read("37[1]") == packets.Packet("ack", [1], 7)
    opened = packets.read_opened('0{"sid":"a","pingInterval":25000,"pingTimeout":20000}')
    assert opened.silence == 45


@pytest.mark.parametrize("text", ["", "9[]", "2", "2{}", "2[]", "2[1]", "2[", "3[1]", '2/other,["a"]', "37{}"])
def test_what_is_no_packet_is_refused(text: str) -> None:
    with pytest.raises(PacketError):
        packets.read(text)


@pytest.mark.parametrize(
    "text", ["<html>", "0", "0[]", "0{}", '1{"sid":1}', '0{"sid":1,"pingInterval":"x","pingTimeout":1}']
)
def test_who_does_not_open_as_socket_io_is_told_apart(text: str) -> None:
    with pytest.raises(PacketError, match=r"no Socket\.IO server"):
        packets.read_opened(text)


@pytest.mark.parametrize("number", [1, -1, "0", None, True])
def test_a_placeholder_of_nothing_is_refused(number: Any) -> None:
    with pytest.raises(PacketError):
        packets.put_back([{"_placeholder": True, "num": number}], [b"a"])


def test_events_of_one_position_are_one() -> None:
    place = {"orderId": 17, "version": 2, "position": 8}
    status = {"status": "ready", "updatedAt": "2026-01-01T00:00:00.000Z", **place}
    page = {
        "events": [
            {"event": "order:updated", "data": status, "position": 8},
            {"event": "order:status_changed", "data": {**status, "customerId": 42, "updatedBy": "ana"}, "position": 8},
            {"event": "order:changed", "data": {**place, "changes": {"note": "ring"}}, "position": 8},
            {"event": "kitchen:bell", "data": {}, "position": 9},
            {"event": "order:changed", "data": {**place, "changes": {}, "version": 3, "position": 11}, "position": 11},
        ],
        "position": 12,
        "cursor": "log.with.dots.12",
    }
    first, second = events_of(json.loads(json.dumps(page)))
    assert (first.name, first.cursor, first.position) == ("order:status_changed", "log.with.dots.8", 8)
    assert (first.order_id, first.version, first.status, first.updated_by) == (17, 2, "ready", "ana")
    assert first.changes == {"note": "ring"}
    assert (second.name, second.cursor, second.status, second.order) == (
        "order:changed",
        "log.with.dots.11",
        None,
        None,
    )
