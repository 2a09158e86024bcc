"""What one write carries, joined once for all who get the same."""

from __future__ import annotations

import pytest

from ordercast.engineio import Packet, message
from ordercast.engineio.batch import Batch, complete
from ordercast.engineio.payload import decode_binary_payload_v3, decode_payload, decode_payload_v3
from ordercast.socketio import Server
from tests.fake_clients import FakeClient
from tests.fakes import FakeTransport


def test_each_form_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    batch = Batch([message("a"), message(b"b")])
    forms = [batch.frames, batch.payload, batch.payload_v3(False), batch.payload_v3(True)]
    monkeypatch.setattr(Packet, "frame", None)
    monkeypatch.setattr(Packet, "payload", None)
    monkeypatch.setattr(Packet, "text_v3", None)
    again = [batch.frames, batch.payload, batch.payload_v3(False), batch.payload_v3(True)]
    assert all(first is second for first, second in zip(forms, again, strict=True))


def test_the_forms() -> None:
    batch = Batch([message("ä"), message(b"b")])
    received = [(4, "ä"), (4, b"b")]
    assert list(decode_payload(batch.payload.decode(), 9)) == received
    payload, binary = batch.payload_v3(True)
    assert not binary
    assert list(decode_payload_v3(payload.decode(), 9)) == received
    payload, binary = batch.payload_v3(False)
    assert binary
    assert list(decode_binary_payload_v3(payload, 9)) == received
    assert batch.frames == b"\x81\x03" + "4ä".encode() + b"\x82\x01b"
    assert batch.frames_v3(False) == b"\x81\x03" + "4ä".encode() + b"\x82\x02\x04b"
    assert batch.frames_v3(True) == b"\x81\x03" + "4ä".encode() + b"\x81\x06b4" + b"Yg=="


def test_a_batch_of_text_has_the_same_frames_in_both_protocols() -> None:
    batch = Batch([message("a"), message("b")])
    assert batch.frames is batch.frames_v3(False) is batch.frames_v3(True)


@pytest.mark.parametrize("own", [True, False])
def test_a_trailer_closes_the_batch(own: bool) -> None:
    first, last, after = message("1"), message("2"), message("3")
    first.trailer = message("no more")
    last.trailer = last if own else message("end")
    texts = [packet.data for packet in complete([first, last, after])]
    assert texts == [b"1", b"2", b"3", *([] if own else [b"end"])]


async def test_a_broadcast_is_one_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    io = Server()
    clients = [FakeClient(io) for _ in range(3)]
    for client in clients:
        await client.join()
    written: list[list[Packet]] = []
    monkeypatch.setattr(FakeTransport, "write", lambda self, packets: written.append(packets))
    io.emit("news", 1)
    io.emit("news", 2)
    await clients[0].hear()
    assert len(written) == 3
    assert all(batch is written[0] for batch in written)
    io.sockets[next(iter(io.sockets))].emit("news", 3)
    await clients[0].hear()
    assert len(written[3]) == 1
    assert io.engine._last == []
