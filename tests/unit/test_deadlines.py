"""One timer for all deadlines, and the heartbeat on top of it; time is the test's own."""

from __future__ import annotations

import asyncio

import pytest

from ordercast.engineio import EngineServer, Options, PacketType, Session
from ordercast.engineio.deadlines import Deadlines, Timer
from tests.fakes import FakeHandler, FakeTransport, VirtualLoop, request, virtual_loop

GRAIN = 0.02


@pytest.fixture
def loop(monkeypatch: pytest.MonkeyPatch) -> VirtualLoop:
    return virtual_loop(monkeypatch)


class Record:
    """Deadlines whose items are noted with the time they fell due."""

    def __init__(self, loop: VirtualLoop, timer: Timer, delay: float) -> None:
        self.due: list[tuple[str, float]] = []
        self._loop, self._start = loop, loop.now
        self.deadlines: Deadlines[str] = Deadlines(timer, delay, self._note)

    def _note(self, item: str) -> None:
        self.due.append((item, round(self._loop.now - self._start, 3)))

    def items(self) -> str:
        return "".join(item for item, _ in self.due)


def test_items_fall_due_after_their_delay_in_order(loop: VirtualLoop) -> None:
    record = Record(loop, Timer(), 5)
    record.deadlines.add("a")
    loop.advance(1)
    record.deadlines.add("b")
    loop.advance(3.9)
    assert record.due == []
    loop.advance(0.1)
    assert record.due == [("a", 5)]
    loop.advance(100)
    assert record.due == [("a", 5), ("b", 6)]


def test_several_queues_share_one_timer(loop: VirtualLoop) -> None:
    timer = Timer()
    slow, fast = Record(loop, timer, 10), Record(loop, timer, 1)
    for _ in range(50):
        slow.deadlines.add("s")
        fast.deadlines.add("f")
    assert loop.timers == 1
    loop.advance(1)
    assert (len(fast.due), len(slow.due)) == (50, 0)
    assert loop.timers == 1
    loop.advance(9)
    assert slow.due == [("s", 10)] * 50
    assert loop.timers == 0


def test_an_earlier_deadline_moves_the_timer_forward(loop: VirtualLoop) -> None:
    timer = Timer()
    slow, fast = Record(loop, timer, 10), Record(loop, timer, 1)
    slow.deadlines.add("s")
    fast.deadlines.add("f")
    loop.advance(1)
    assert fast.due == [("f", 1)]
    assert slow.due == []


def test_what_is_due_within_a_grain_is_served_by_one_wake_up(loop: VirtualLoop) -> None:
    record = Record(loop, Timer(), 5)
    record.deadlines.add("a")
    loop.advance(GRAIN / 2)
    record.deadlines.add("b")
    loop.advance(GRAIN)
    record.deadlines.add("c")
    loop.advance(5 - 1.5 * GRAIN)
    assert record.due == [("a", 5), ("b", 5)]
    loop.advance(1.5 * GRAIN)
    assert record.items() == "abc"


def test_due_may_add_again(loop: VirtualLoop) -> None:
    timer = Timer()
    times: list[float] = []

    def again(item: str) -> None:
        times.append(loop.now)
        deadlines.add(item)

    deadlines: Deadlines[str] = Deadlines(timer, 2, again)
    start = loop.now
    deadlines.add("a")
    loop.advance(7)
    assert [time - start for time in times] == [2, 4, 6]
    assert loop.timers == 1


def test_a_due_that_fails_stops_neither_the_others_nor_those_to_come(loop: VirtualLoop) -> None:
    seen: list[str] = []

    def due(item: str) -> None:
        if item == "bad":
            raise RuntimeError(item)
        seen.append(item)

    deadlines: Deadlines[str] = Deadlines(Timer(), 1, due)
    for item in ("a", "bad", "b"):
        deadlines.add(item)
    with pytest.raises(RuntimeError):
        loop.advance(1)
    deadlines.add("c")
    loop.advance(1)
    assert seen == ["a", "b", "c"]


def test_a_closed_timer_serves_nothing(loop: VirtualLoop) -> None:
    timer = Timer()
    record = Record(loop, timer, 1)
    record.deadlines.add("a")
    timer.close()
    assert loop.timers == 0
    loop.advance(10)
    assert record.due == []


async def test_on_a_real_loop() -> None:
    done = asyncio.Event()
    timer = Timer()
    deadlines: Deadlines[asyncio.Event] = Deadlines(timer, 0.01, asyncio.Event.set)
    deadlines.add(done)
    assert not done.is_set()
    async with asyncio.timeout(60):
        await done.wait()
    timer.close()


# -- the heartbeat --------------------------------------------------------------------------------------------

INTERVAL, TIMEOUT = 25.0, 20.0


class Beating:
    """A session whose client answers pings, or does not."""

    def __init__(self, loop: VirtualLoop, interval: float = INTERVAL, timeout: float = TIMEOUT) -> None:
        self.handler = FakeHandler()
        self.transport = FakeTransport()
        self.engine = EngineServer(self.handler, Options(ping_interval=interval, ping_timeout=timeout))
        self.session: Session = self.engine.open(request(), self.transport)
        self.loop = loop

    @property
    def pings(self) -> int:
        return sum(packet.type is PacketType.PING for packet in self.transport.packets)

    def live(self, seconds: float, *, answer: bool, step: float = 0.25) -> list[float]:
        """Lets time pass; the client answers within a step. Returns when pings came."""
        times = []
        for i in range(round(seconds / step)):
            before = self.pings
            self.loop.advance(step)
            if self.pings > before:
                times.append((i + 1) * step)
                if answer:
                    self.session.receive(PacketType.PONG, "")
        return times


def test_the_first_ping_comes_after_an_interval(loop: VirtualLoop) -> None:
    beating = Beating(loop)
    loop.advance(INTERVAL - 1)
    assert beating.pings == 0
    loop.advance(1)
    assert beating.pings == 1
    assert beating.transport.texts[-1] == "2"


@pytest.mark.parametrize(("interval", "timeout"), [(25, 20), (20, 25), (5, 5), (10, 1), (1, 10)])
def test_a_client_that_answers_stays_and_is_pinged_before_it_gives_up(
    loop: VirtualLoop, interval: float, timeout: float
) -> None:
    """Clients give up ``interval + timeout`` after the last ping, whatever else has come since (see the protocol)."""
    beating = Beating(loop, interval, timeout)
    times = beating.live(interval * 20, answer=True)
    assert beating.handler.closed == []
    gaps = [after - before for before, after in zip([0, *times], times, strict=False)]
    assert min(gaps) >= interval - 0.5
    assert max(gaps) <= interval + 0.5
    assert interval * 20 - times[-1] <= interval + 0.5


def test_a_client_that_goes_silent_is_let_go_of(loop: VirtualLoop) -> None:
    beating = Beating(loop)
    loop.advance(INTERVAL + TIMEOUT - 1)
    assert beating.handler.closed == []
    loop.advance(1)
    assert beating.handler.closed == ["ping timeout"]
    assert beating.transport.aborted
    assert beating.engine.sessions == {}
    assert beating.engine.journal.closed == {"ping timeout": 1}


@pytest.mark.parametrize(("interval", "timeout"), [(25, 20), (1, 10)])
def test_silence_after_many_answers(loop: VirtualLoop, interval: float, timeout: float) -> None:
    beating = Beating(loop, interval, timeout)
    beating.live(interval * 10, answer=True)
    beating.live(2 * (interval + timeout), answer=False)
    assert beating.handler.closed == ["ping timeout"]


def test_pongs_that_nobody_asked_for_bring_no_more_pings(loop: VirtualLoop) -> None:
    beating = Beating(loop)
    for _ in range(5):
        beating.session.receive(PacketType.PONG, "")
    loop.advance(INTERVAL)
    for _ in range(5):
        beating.session.receive(PacketType.PONG, "")
    loop.advance(INTERVAL)
    assert beating.pings == 2


def test_messages_do_not_stand_in_for_a_pong(loop: VirtualLoop) -> None:
    beating = Beating(loop)
    for _ in range(int(INTERVAL + TIMEOUT)):
        beating.session.receive(PacketType.MESSAGE, "still here")
        loop.advance(1)
    assert beating.handler.closed == ["ping timeout"]


def test_a_session_that_has_ended_gets_no_pings(loop: VirtualLoop) -> None:
    beating = Beating(loop)
    beating.session.receive(PacketType.CLOSE, "")
    loop.advance(200)
    assert beating.pings == 0
    assert beating.handler.closed == ["transport close"]
    assert loop.timers == 0
