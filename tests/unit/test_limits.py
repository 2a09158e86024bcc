"""Every limit of the Socket.IO side is a setting with the same name and default; and what each does."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any

import pytest

from ordercast.config import Settings
from ordercast.config_limits import Limits
from ordercast.engineio import Options, Request, disconnects
from ordercast.engineio.errors import Refusal, Refused
from ordercast.engineio.gate import Gate
from ordercast.socketio import Server
from tests.fake_clients import FakeClient


def test_settings_and_options_agree() -> None:
    options = {name: field.default for name, field in Options.__dataclass_fields__.items()}
    server = {name: p.default for name, p in inspect.signature(Server.__init__).parameters.items()}
    for name, field in Limits.model_fields.items():
        assert field.default == (options | server)[name], name
    Server(**Settings().server_options())


@pytest.mark.parametrize(
    ("option", "refusal"),
    [("max_sessions", Refusal.TOO_MANY_SESSIONS), ("max_handshakes", Refusal.TOO_MANY_HANDSHAKES)],
)
async def test_only_so_many_at_once(option: str, refusal: Refusal) -> None:
    options: dict[str, Any] = {option: 2}
    io = Server(**options)
    first = FakeClient(io)
    FakeClient(io)
    with pytest.raises(Refused) as caught:
        io.engine.gate.check_session(first.session.request)
    assert caught.value.refusal is refusal
    if option == "max_handshakes":
        await first.join()
    else:
        first.session.close(disconnects.TRANSPORT_CLOSE)
    io.engine.gate.check_session(first.session.request)
    assert io.engine.gate.joining == 1


def _request(peer: str, *forwarded: str) -> Request:
    return Request("/", b"", [(b"x-forwarded-for", value.encode()) for value in forwarded], peer)


def test_only_so_many_of_one_address() -> None:
    gate = Gate(Options(max_sessions_per_address=1, trusted_proxies=("10.0.0.0/8",)))

    class Session:
        joined = False
        request = _request("10.0.0.1", "203.0.113.7")

    session = Session()
    gate.check_session(session.request)
    gate.enter(session)  # type: ignore[arg-type]
    with pytest.raises(Refused) as caught:
        gate.check_session(_request("10.0.0.2", "203.0.113.7"))
    assert caught.value.refusal is Refusal.TOO_MANY_OF_ADDRESS
    gate.check_session(_request("10.0.0.2", "203.0.113.8"))
    gate.leave(session)  # type: ignore[arg-type]
    gate.check_session(_request("10.0.0.2", "203.0.113.7"))


@pytest.mark.parametrize(
    ("peer", "forwarded", "proxies", "address"),
    [
        ("203.0.113.9", ("198.51.100.1",), (), "203.0.113.9"),  # nobody is trusted
        ("203.0.113.9", ("198.51.100.1",), ("10.0.0.0/8",), "203.0.113.9"),  # this one is not
        ("10.0.0.1", ("198.51.100.1",), ("10.0.0.0/8",), "198.51.100.1"),
        ("10.0.0.1", ("1.2.3.4, 198.51.100.1",), ("10.0.0.0/8",), "198.51.100.1"),  # what a client says of itself
        ("10.0.0.1", ("198.51.100.1, 10.9.9.9",), ("10.0.0.0/8",), "198.51.100.1"),  # two proxies
        ("10.0.0.1", ("198.51.100.1", "10.9.9.9"), ("10.0.0.0/8",), "198.51.100.1"),  # in two headers
        ("10.0.0.1", (), ("10.0.0.0/8",), "10.0.0.1"),
        ("10.0.0.1", ("",), ("10.0.0.0/8",), "10.0.0.1"),
        ("10.0.0.1", ("not an address",), ("10.0.0.0/8",), "not an address"),
        ("::1", ("2001:db8::7",), ("::1",), "2001:db8::7"),
        ("10.0.0.1", ("1.1.1.1, 2.2.2.2",), ("*",), "1.1.1.1"),
        ("", ("1.1.1.1",), ("*",), ""),
    ],
)
def test_who_counts_as_the_client(
    peer: str, forwarded: tuple[str, ...], proxies: tuple[str, ...], address: str
) -> None:
    gate = Gate(Options(trusted_proxies=proxies))
    assert gate.address_of(_request(peer, *forwarded)) == address


async def test_more_messages_than_people_send_end_the_session(caplog: pytest.LogCaptureFixture) -> None:
    io = Server(max_message_rate=5)
    client = FakeClient(io)
    await client.join()
    with caplog.at_level("INFO"):
        for _ in range(20):
            client.say('2["hello"]')
    assert client.session.why is disconnects.TOO_MANY_MESSAGES
    unlimited = FakeClient(Server(max_message_rate=0))
    await unlimited.join()
    unlimited.say(*['2["hello"]'] * 2_000)
    assert unlimited.session.why is None


async def test_attachments_are_bounded_in_bytes_and_time() -> None:
    io = Server(max_attachments=2, max_attachment_bytes=10, attachment_timeout=0.01)
    heard: list[object] = []
    io.on("file", lambda socket, *args: heard.extend(args))
    packet = '52-["file",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]'
    good, large, slow = FakeClient(io), FakeClient(io), FakeClient(io)
    for client in (good, large, slow):
        await client.join()
    good.say(packet, b"12345", b"67890")
    assert heard == [b"12345", b"67890"]
    large.say(packet, b"12345", b"678901")
    assert large.session.why is disconnects.PARSE_ERROR
    slow.say(packet, b"12345")
    while slow.session.why is None:  # noqa: ASYNC110 - a timer of the server's
        await asyncio.sleep(0.001)
    assert slow.session.why is disconnects.ATTACHMENT_TIMEOUT
    assert good.session.why is None


@pytest.mark.parametrize(
    ("packet", "ends"),
    [
        ('2["n",' + "1" * 100 + "]", False),
        ('2["n",' + "1" * 101 + "]", True),
        ('2["n",{"a":[-' + "1" * 101 + "]}]", True),
        ('2["n","' + "1" * 500 + '"]', False),
        ('2["n",' + "[" * 31 + "]" * 31 + "]", False),
        ('2["n",' + "[" * 32 + "]" * 32 + "]", True),
        ('2["n","' + "[" * 400 + '"]', False),
    ],
)
async def test_json_is_bounded_in_depth_and_in_numbers(packet: str, ends: bool) -> None:
    io = Server(max_depth=32, max_digits=100)
    client = FakeClient(io)
    await client.join()
    client.say(packet)
    assert (client.session.why is disconnects.PARSE_ERROR) == ends
