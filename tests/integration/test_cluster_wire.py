"""The bytes of the official adapter and emitter, as they make them, against ours."""

from __future__ import annotations

import asyncio
import json
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from ordercast.socketio import cluster_write as write
from ordercast.socketio.cluster import Selection
from ordercast.socketio.cluster_read import (
    AllRooms,
    BroadcastWithAck,
    Disconnect,
    Fetch,
    Join,
    Leave,
    ServerSideEmit,
    read_broadcast,
    read_request,
    read_response,
)
from tests.harness import CLIENTS

WAIT = 60.0  # s; bounds a failure only
MANY: dict[str, Any] = {
    "text": "ü🍕",
    "n": [0, -1, 127, 128, 65536, -32769, 2**40, 1.5],
    "no": None,
    "yes": True,
    "deep": [{"a": []}],
}


class Official:
    """What the packages say, by name: channel and payload. `read` is what they understand."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.said: dict[str, tuple[str, bytes]] = {}

    async def collect(self) -> None:
        while (line := await self._line())["what"] != "end":
            self.said[line["what"]] = (line["channel"], b64decode(line["payload"]))

    async def read(self, payload: bytes) -> Any:
        assert self._process.stdin is not None
        line = {"what": "read", "payload": b64encode(payload).decode()}
        self._process.stdin.write(json.dumps(line).encode() + b"\n")
        return (await self._line())["value"]

    async def _line(self) -> Any:
        assert self._process.stdout is not None
        async with asyncio.timeout(WAIT):
            return json.loads(await self._process.stdout.readline())


@pytest.fixture
async def official() -> AsyncIterator[Official]:
    process = await asyncio.create_subprocess_exec(
        "node",
        str(CLIENTS / "cluster_wire.mjs"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=CLIENTS,
    )
    packages = Official(process)
    try:
        await packages.collect()
        yield packages
    finally:
        process.kill()
        await process.wait()


def rooms(*names: str, but: tuple[str, ...] = ()) -> Selection:
    return Selection(frozenset(names), frozenset(but))


BROADCASTS: dict[str, tuple[str, list[Any], Selection, bool]] = {
    "all": ("/", ["hello"], rooms(), False),
    "room": ("/", ["hello", 1, "x"], rooms("küche#1"), False),
    "rooms": ("/", ["hello"], rooms("a", "b", but=("c",)), False),
    "volatile": ("/", ["hello"], rooms("a"), True),
    "binary": ("/", ["photo", {"data": b"\x00\xff"}, b"\x01"], rooms("a"), False),
    "many": ("/", ["many", MANY], rooms(), False),
    "number": ("/", ["hello"], rooms("17"), False),
    "undefined": ("/", ["hello", None, {}], rooms(), False),
    "date": ("/", ["hello", datetime(2001, 9, 9, 1, 46, 40, tzinfo=UTC)], rooms(), False),
    "namespace": ("/kitchen", ["hello"], rooms("a"), False),
}


async def test_broadcasts(official: Official) -> None:
    for who in ("adapter", "emitter"):
        for what, (namespace, data, to, volatile) in BROADCASTS.items():
            channel, payload = official.said[f"{who} {what}"]
            said = read_broadcast(payload)
            assert (said.packet.nsp, said.packet.data, said.opts.selection()) == (namespace, data, to), what
            assert (said.opts.flag("volatile") is True) is volatile
            assert (said.uid == write.EMITTER) is (who == "emitter")
            assert write.Channels("socket.io", namespace).broadcast(to) == channel.encode()
            flags = {"volatile": True} if volatile else {}
            ours = write.broadcast(said.uid, namespace, data[0], data[1:], to, flags)
            # A room of several, numbers of 32 bits and above, and rooms that are numbers have several spellings.
            if who == "adapter" and what not in ("rooms", "many", "number"):
                assert ours == payload, what
            elif what != "number":
                read, theirs = await official.read(ours), await official.read(payload)
                for one in (read, theirs):
                    one[2]["rooms"].sort()
                assert read == theirs, what


async def test_requests(official: Official) -> None:
    for who in ("adapter", "emitter"):
        uid = json.loads(official.said["adapter join"][1])["uid"] if who == "adapter" else None
        for what, ours, shape in (
            ("join", write.select(write.JOIN, uid, rooms("a", but=("b",)), rooms=["x", "y"]), Join),
            ("leave", write.select(write.LEAVE, uid, rooms("a"), rooms=["x"]), Leave),
            ("disconnect", write.select(write.DISCONNECT, uid, rooms(), close=True), Disconnect),
            ("server side", write.server_side_emit(uid or write.EMITTER, "hello", [1, {"a": "x"}]), ServerSideEmit),
        ):
            channel, payload = official.said[f"{who} {what}"]
            assert channel.encode() == write.Channels("socket.io", "/").request
            assert ours == payload or json.loads(ours) == json.loads(payload)
            assert isinstance(read_request(payload), shape)
            assert read_request(payload) == read_request(ours)


async def test_questions(official: Official) -> None:
    fetch = read_request(official.said["adapter fetch"][1])
    assert isinstance(fetch, Fetch)
    ours = write.select(write.FETCH, fetch.uid, rooms("a", but=("b",)), requestId=fetch.request_id)
    assert json.loads(ours) == json.loads(official.said["adapter fetch"][1])
    assert isinstance(read_request(official.said["adapter all rooms"][1]), AllRooms)
    asks = read_request(official.said["adapter server side with ack"][1])
    assert isinstance(asks, ServerSideEmit)
    ours = write.server_side_emit(asks.uid, "hello", [1], asks.request_id)
    assert json.loads(ours) == json.loads(official.said["adapter server side with ack"][1])
    payload = official.said["adapter with ack"][1]
    said = read_request(payload)
    assert isinstance(said, BroadcastWithAck)
    assert payload == write.broadcast_with_ack(
        said.uid, said.request_id, "/", "hello", [b"\x07"], rooms("a"), timeout=1.5
    )


async def test_responses(official: Official) -> None:
    channel, payload = official.said["response fetch"]
    assert channel.encode() == write.Channels("socket.io", "/").response
    assert payload == write.response("r1", sockets=[])
    assert read_response(official.said["response ids"][1]).sockets == []
    assert read_response(official.said["response rooms"][1]).rooms == []
    assert json.loads(official.said["response server side"][1]) == json.loads(write.response("r4", type=6, data=3))
    ack = await official.read(write.client_ack("r", [b"x", {"a": None}]))
    assert ack == {"type": 9, "requestId": "r", "packet": [{"bytes": [120]}, {"a": None}]}
