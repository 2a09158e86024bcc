"""Whatever clients of both protocols do, in any order: each gets the events of its rooms, in order and once.

The server is the real one down to its transports; below them there is memory, and a clock that only the test moves.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from ordercast.engineio import deadlines, server
from ordercast.socketio import Server
from tests.step_clients import StepClient, StillLoop

LONG = 1e6  # s; heartbeats and slow readers are other tests' matter
UPGRADE_TIMEOUT = 10.0  # s
ROOMS = st.sets(st.sampled_from("xyz"))


class Sequences(RuleBasedStateMachine):
    """Connects, polls, probes, upgrades, joins, emits, asks, stalls and drops, against sets and lists."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = StillLoop()
        self.patch = pytest.MonkeyPatch()
        for module in (deadlines, server):
            self.patch.setattr(module, "monotonic", self.loop.time)
        self.io = Server(
            ping_interval=LONG,
            ping_timeout=LONG,
            max_queue_time=LONG,
            upgrade_timeout=UPGRADE_TIMEOUT,
            max_message_rate=0,
        )
        self.io.on("say", lambda socket, number: number)
        self.clients: list[StepClient] = []
        self.count = 0
        self.answered: list[int] = []
        self.expected_answers: list[int] = []

    def number(self) -> int:
        self.count += 1
        return self.count

    def some(self, which: int, condition: Callable[[StepClient], bool] = lambda client: True) -> list[StepClient]:
        """One of the clients of which something is true, if there is any."""
        fitting = [client for client in self.clients if condition(client)]
        return [fitting[which % len(fitting)]] if fitting else []

    # -- clients ------------------------------------------------------------------------------------------------

    @initialize(protocols=st.tuples(*[st.sampled_from([3, 4])] * 2))
    def begin(self, protocols: tuple[int, int]) -> None:
        for protocol, transport in zip(protocols, ("polling", "websocket"), strict=True):
            self.connect(protocol, transport)

    @precondition(lambda self: len(self.clients) < 4)
    @rule(protocol=st.sampled_from([3, 4]), transport=st.sampled_from(["polling", "polling", "websocket"]))
    def connect(self, protocol: int, transport: str) -> None:
        self.clients.append(StepClient(self.io, self.loop, protocol, transport))

    @rule(which=st.integers(0, 9))
    def poll(self, which: int) -> None:
        for client in self.some(which, lambda client: client.polls and client.poll_pending is None):
            client.poll()

    @rule(which=st.integers(0, 9))
    def probe(self, which: int) -> None:
        for client in self.some(which, lambda client: client.polls and client.wire is None):
            client.open_wire(client.query("websocket"))
            client.write("2probe")
            assert client.probed

    @rule(which=st.integers(0, 9))
    def upgrade(self, which: int) -> None:
        for client in self.some(which, lambda client: client.polls and client.probed and client.poll_pending is None):
            client.polls = False
            client.write("5")
            assert client.socket.session.transport is client.wire

    @rule(which=st.integers(0, 9))
    def give_the_probe_up(self, which: int) -> None:
        for client in self.some(which, lambda client: client.polls and client.wire is not None):
            assert client.wire is not None
            self.loop.do(client.wire.abort)

    @rule()
    def time_for_probes_is_over(self) -> None:
        self.loop.now += UPGRADE_TIMEOUT + 1
        self.loop.do(lambda: None)
        for client in self.clients:
            assert not client.polls or client.wire is None or client.wire.over

    @rule(which=st.integers(0, 9), stall=st.booleans())
    def stall_or_resume(self, which: int, stall: bool) -> None:
        for client in self.some(which, lambda client: not client.polls and client.stalled is not stall):
            assert client.wire is not None
            if stall:
                client.wire.writable = False
            else:
                client.drain()

    @rule(which=st.integers(0, 9), how=st.sampled_from(["vanish", "leave", "sent away"]))
    def drop(self, which: int, how: str) -> None:
        for client in self.some(which):
            self.clients.remove(client)
            if how == "leave":
                client.say("41")
            elif how == "sent away":
                self.loop.do(client.socket.disconnect)
            assert client.socket.connected is (how == "vanish")
            client.vanish()
            assert not client.socket.connected
            assert client.heard == client.due[: len(client.heard)]

    # -- rooms and events ---------------------------------------------------------------------------------------

    @rule(which=st.integers(0, 9), rooms=ROOMS, leave=st.booleans())
    def join(self, which: int, rooms: set[str], leave: bool) -> None:
        for client in self.some(which):
            if leave:
                client.rooms -= rooms
                for room in rooms:
                    client.socket.leave(room)
            else:
                client.rooms |= rooms
                client.socket.join(*rooms)

    @rule(to=ROOMS, except_=ROOMS, size=st.none() | st.integers(0, 3))
    def emit(self, to: set[str], except_: set[str], size: int | None) -> None:
        number = self.number()
        for client in self.clients:
            if (not to or client.rooms & to) and not client.rooms & except_:
                client.due.append(number)
        args = (number,) if size is None else (number, size, bytes(size))
        self.loop.do(lambda: self.io.to(*to).except_(*except_).emit("news", *args))

    @rule(which=st.integers(0, 9))
    def ask(self, which: int) -> None:
        for client in self.some(which):
            number = self.number()
            client.due.append(number)
            self.loop.do(partial(client.socket.emit, "ask", number, ack=self.answered.append))

    @rule(which=st.integers(0, 9))
    def answer(self, which: int) -> None:
        for client in self.some(which, lambda client: bool(client.questions)):
            id, number = client.questions.pop(0)
            self.expected_answers.append(number)
            client.say(f"43{id}[{number}]")

    @rule(which=st.integers(0, 9))
    def say(self, which: int) -> None:
        for client in self.some(which):
            number = self.number()
            client.due.append(f"answer {number}")
            client.say(f'42{number}["say",{number}]')

    # -- what holds ---------------------------------------------------------------------------------------------

    @invariant()
    def everyone_has_heard_what_they_could(self) -> None:
        for client in self.clients:
            client.look()
            whole = not client.stalled and (client.poll_pending is not None or not client.polls)
            assert client.heard == (client.due if whole else client.due[: len(client.heard)])

    @invariant()
    def the_server_knows_who_is_where(self) -> None:
        assert set(self.io.sockets) == {client.id for client in self.clients}
        assert set(self.io.engine.sessions) >= {client.sid for client in self.clients}
        rooms = self.io.of("/").rooms
        named = {room: {client.socket for client in self.clients if room in client.rooms} for room in "xyz"}
        assert {room: set(rooms.members(room)) for room in "xyz"} == named
        assert len(rooms) == sum(map(bool, named.values()))
        assert self.answered == self.expected_answers

    def teardown(self) -> None:
        try:
            for client in self.clients:
                client.drain()
                client.look()
                assert client.heard == client.due
                client.vanish()
            self.clients.clear()
            self.the_server_knows_who_is_where()
            self.loop.now += 3 * LONG
            self.loop.do(lambda: None)
            assert self.io.engine.sessions == {}
            assert (self.io.engine.gate.sessions, self.io.engine.gate.joining) == (0, 0)
            assert [deadlines for deadlines in self.io.engine.timer.queues if deadlines.queue] == []
            assert asyncio.all_tasks(self.loop) == set()
        finally:
            self.patch.undo()
            self.loop.close()


TestSequences = Sequences.TestCase
TestSequences.settings = settings(max_examples=300, stateful_step_count=40, deadline=None, derandomize=True)
