"""Bad input over sockets: an answer or a clean close for its sender, and nothing for anyone else."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.harness import Api, Listener, ServerProcess, token
from tests.integration.test_bad_requests import TOKENS


@pytest.fixture(autouse=True)
async def bystander(server: ServerProcess, api: Api) -> AsyncIterator[Listener]:
    """An operator who misses nothing, whatever others send."""
    async with server.listener("bystander", "operator") as listener:
        yield listener
        order = await api.create(customerId="someone")
        seen = 0
        while order["orderId"] not in [created["orderId"] for created in listener.of("order:created")]:
            seen += 1
            await listener.until("order:created", seen)


@asynccontextmanager
async def raw(server: ServerProcess, query: str = "", **options: Any) -> AsyncIterator[ClientConnection]:
    """A WebSocket on which nothing has been said but the engine's OPEN."""
    url = f"{server.url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket{query}"
    async with connect(url, ping_interval=None, **options) as socket:
        assert (await socket.recv())[:1] == "0"
        yield socket


async def last_words(socket: ClientConnection, text: str | None = None) -> tuple[int, str] | None:
    """Says something, listens until the connection is closed, and returns code and reason; ``None`` without any."""
    try:
        if text is not None:
            await socket.send(text)
        while True:
            await asyncio.wait_for(socket.recv(), 10)
    except ConnectionClosed as closed:
        return None if closed.rcvd is None else (closed.rcvd.code, closed.rcvd.reason)


@asynccontextmanager
async def joined(server: ServerProcess, user: object = 42) -> AsyncIterator[ClientConnection]:
    """The same, after a CONNECT that was accepted."""
    async with raw(server) as socket:
        await socket.send("40" + json.dumps({"token": token(user)}))
        assert str(await socket.recv()).startswith('40{"sid":')
        yield socket


@pytest.mark.parametrize("what", TOKENS)
async def test_a_bad_token_in_connect_becomes_connect_error(server: ServerProcess, what: str) -> None:
    text, message = TOKENS[what]
    async with raw(server) as socket:
        await socket.send("40" + json.dumps({} if text is None else {"token": text}))
        assert await socket.recv() == "44" + json.dumps({"message": message}, separators=(",", ":"))
        await socket.send("40" + json.dumps({"token": token(42)}))
        assert str(await socket.recv()).startswith('40{"sid":'), "a refused client may try again"


@pytest.mark.parametrize("value", [17, 1.5, True, ["a"], {"a": 1}, "Bearer"])
async def test_a_token_that_is_no_token_is_invalid(server: ServerProcess, value: Any) -> None:
    async with raw(server) as socket:
        await socket.send("40" + json.dumps({"token": value}))
        answer = json.loads(str(await socket.recv())[2:])
    assert answer["message"] in ("Invalid token", "Authentication required")
    assert (answer["message"] == "Authentication required") == (value == "Bearer")


async def test_a_token_of_ten_megabytes_ends_that_one_connection(server: ServerProcess) -> None:
    async with raw(server) as socket:
        words = await last_words(socket, "40" + json.dumps({"token": "x" * 10_000_000}))
    # None: hung up on while still sending.
    assert words is None or words[0] == 1009


async def test_a_token_of_a_megabyte_in_url_or_header_is_refused(server: ServerProcess) -> None:
    big = "x" * 1_000_000
    for query, headers in (("&token=" + big, {}), ("", {"Authorization": big})):
        # OSError, EOFError: hung up on while still sending.
        with pytest.raises((InvalidStatus, OSError, EOFError)) as refused:
            await raw(server, query, additional_headers=headers).__aenter__()
        if isinstance(refused.value, InvalidStatus):
            assert refused.value.response.status_code == 431


async def test_polling_takes_no_payload_past_its_limit(server: ServerProcess) -> None:
    async with httpx2.AsyncClient(base_url=server.url) as client:
        opened = await client.get("/socket.io/?EIO=4&transport=polling")
        sid = json.loads(opened.text[1:])["sid"]
        session = f"/socket.io/?EIO=4&transport=polling&sid={sid}"
        response = await client.post(session, content="40" + json.dumps({"token": "x" * 100_000}))
        assert response.status_code == 413
        assert (await client.get(session)).status_code == 400


WATCHED = {
    "an object": '{"orderId":1}',
    "a list": "[1]",
    "a float": "1.5",
    "a whole float": "1.0",
    "a negative number": "-1",
    "400 digits": "1" * 400,
    "true": "true",
    "null": "null",
    "an empty text": '""',
    "a room": '"operators room"',
    "a path": '"../1"',
    "65 characters": json.dumps("x" * 65),
    "a NUL": '"\\u0000"',
}


@pytest.mark.parametrize("what", WATCHED)
async def test_watching_what_is_no_order_id_is_denied(server: ServerProcess, what: str) -> None:
    denied = '{"orderId":null,"error":"invalid_order_id"}'
    async with joined(server) as socket:
        await socket.send(f'427["watch:order",{WATCHED[what]}]')
        assert {await socket.recv(), await socket.recv()} == {f'42["watch:denied",{denied}]', f"437[{denied}]"}
        await socket.send('428["watch:order"]')
        assert {await socket.recv(), await socket.recv()} == {f'42["watch:denied",{denied}]', f"438[{denied}]"}


async def test_an_unknown_event_or_a_handlers_wrong_arguments_cost_nothing(server: ServerProcess, api: Api) -> None:
    order = await api.create(customerId=42)
    async with joined(server) as socket:
        await socket.send('42["no:such:event",1,2,3]')
        await socket.send('42["unwatch:order",{"a":[]},2,3]')
        await socket.send('42["watch:order",1,2,3,4,5]')
        await socket.send(f'42["watch:order",{order["orderId"]}]')
        while True:
            event, data = json.loads(str(await asyncio.wait_for(socket.recv(), 10))[2:])
            if event == "watching" and data["orderId"] == order["orderId"]:
                break


BROKEN = {
    "no engine packet": "x",
    "engine OPEN from a client": "0",
    "engine UPGRADE out of place": "5",
    "no packet": "4",
    "unknown packet": "49",
    "event without payload": "42",
    "event that is an object": "42{}",
    "event without a name": "42[]",
    "event with a number for a name": "42[1]",
    "reserved event": '42["connect"]',
    "reserved event, too": '42["disconnecting"]',
    "payload that is no JSON": '42["x",]',
    "payload nested without end": '42["x",' + "[" * 5_000,
    "acknowledgement without id": "43[]",
    "acknowledgement with a huge id": "43" + "9" * 400 + "[]",
    "CONNECT_ERROR from a client": '44{"message":"x"}',
    "second CONNECT": "40",
    "binary event where none is allowed": '451-["x",{"_placeholder":true,"num":0}]',
    "binary without a count": '45["x"]',
}


@pytest.mark.parametrize("what", BROKEN)
async def test_a_broken_packet_ends_that_one_connection(server: ServerProcess, what: str) -> None:
    async with joined(server) as socket:
        assert await last_words(socket, BROKEN[what]) == (1008, "parse error")


async def test_an_event_before_connect_ends_the_connection(server: ServerProcess) -> None:
    async with raw(server) as socket:
        assert await last_words(socket, '42["watch:order",1]') == (1008, "parse error")


async def test_a_foreign_namespace_is_refused_by_name(server: ServerProcess) -> None:
    async with raw(server) as socket:
        await socket.send("40/admin," + json.dumps({"token": token(42, "admin")}))
        assert await socket.recv() == '44/admin,{"message":"Invalid namespace"}'


@pytest.mark.parametrize("transport", ["websocket", "polling"])
async def test_a_connect_that_never_comes_ends_the_session(tmp_path: Path, transport: str) -> None:
    with ServerProcess(tmp_path, connect_timeout="0.3", log_level="debug") as server:
        if transport == "websocket":
            async with raw(server) as socket:
                assert await last_words(socket) == (1000, "connect timeout")
        else:
            async with httpx2.AsyncClient(base_url=server.url) as client:
                opened = await client.get("/socket.io/?EIO=4&transport=polling")
                sid = json.loads(opened.text[1:])["sid"]
                poll = await client.get(f"/socket.io/?EIO=4&transport=polling&sid={sid}")
                assert poll.text == "1" or poll.json()["message"] == "Session ID unknown"
