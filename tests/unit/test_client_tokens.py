"""Where the Python client's tokens come from: functions that fail, hang, or give what can be no token."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest

from ordercast.client.errors import TokenError
from ordercast.client.tokens import Tokens, checked
from tests.fake_shop import WAIT, Shop, living


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> Shop:
    return Shop(monkeypatch)


@pytest.mark.parametrize("given", ["a.b.c", "a.b.c\n", " a.b.c ", "Bearer a.b.c", "bearer  a.b.c\r\n"])
def test_a_token_is_taken_without_what_stands_around_it(given: str) -> None:
    assert checked(given) == "a.b.c"


NO_TOKENS = ["", "\n", "a b", "<!doctype html>\n<title>502</title>", "a\x00b", "töken", None, 5, b"a.b.c", ["t"]]


@pytest.mark.parametrize("given", NO_TOKENS)
async def test_what_can_be_no_token_is_said_without_saying_it(shop: Shop, given: Any) -> None:
    with pytest.raises(TokenError, match="a token is") as caught:
        checked(given)
    assert not given or str(given) not in str(caught.value)
    with pytest.raises(TokenError):
        Tokens(given)
    async with living(shop) as it:
        with pytest.raises(TokenError):
            await it.live.refresh(given or "")


@pytest.mark.parametrize("given", NO_TOKENS)
async def test_a_function_that_gives_no_token_is_asked_again(shop: Shop, given: Any) -> None:
    answers = [given, given, "t"]
    async with living(shop, lambda: answers.pop(0)) as it:
        it.live.connect()
        await it.until("live")
        assert "offline token" in it.states
        assert shop.tries == [{"token": "t"}]


def _hang_plain(stop: threading.Event) -> str:
    stop.wait(WAIT)
    return "late"


async def _hang_async() -> str:
    await asyncio.sleep(WAIT)
    return "late"


@pytest.fixture
def stop() -> Any:
    event = threading.Event()
    yield event
    event.set()


@pytest.mark.parametrize("kind", ["plain", "async"])
async def test_a_function_that_hangs_is_given_up_and_asked_again(kind: str, stop: threading.Event) -> None:
    hanging = True

    def plain() -> str:
        return _hang_plain(stop) if hanging else "t"

    async def later() -> str:
        return await _hang_async() if hanging else "t"

    tokens = Tokens(plain if kind == "plain" else later, patience=0.5)
    for failure in await asyncio.gather(*(tokens.current() for _ in range(3)), return_exceptions=True):
        assert isinstance(failure, TokenError)
        assert "no answer in 0.5 s" in str(failure)
    hanging = False
    assert await tokens.current() == "t"


async def test_the_token_at_hand_serves_until_there_is_a_new_one() -> None:
    answers: list[Any] = ["old", OSError("away"), "new"]
    gate = asyncio.Event()

    async def get() -> str:
        answer = answers.pop(0)
        if answer != "old":
            await gate.wait()
        if isinstance(answer, Exception):
            raise answer
        return str(answer)

    tokens = Tokens(get)
    assert await tokens.current() == "old"
    renewing = asyncio.ensure_future(tokens.fresh())
    await asyncio.sleep(0)
    async with asyncio.timeout(WAIT):
        assert await tokens.current() == "old", "while a newer one is asked for"
    gate.set()
    with pytest.raises(TokenError, match="away"):
        await renewing
    assert await tokens.current() == "old", "and where that failed"
    assert await tokens.fresh() == "new" == await tokens.current()


async def test_what_was_asked_before_a_token_was_given_replaces_it_no_more() -> None:
    gate = asyncio.Event()

    async def get() -> str:
        await gate.wait()
        return "late"

    tokens = Tokens(get)
    waiting = asyncio.ensure_future(tokens.current())
    await asyncio.sleep(0)
    tokens.replace("given")
    gate.set()
    assert await waiting == "late"
    assert await tokens.current() == "given"


async def test_connecting_again_asks_a_function_that_hangs_again(shop: Shop) -> None:
    asked = 0
    first = asyncio.Event()

    async def get() -> str:
        nonlocal asked
        asked += 1
        first.set()
        return await _hang_async() if asked == 1 else "t"

    async with living(shop, get) as it:
        it.live.connect()
        await first.wait()
        await it.live.disconnect()
        it.live.connect()
        await it.until("live")
        assert asked == 2


async def test_closing_ends_a_function_that_hangs(shop: Shop) -> None:
    ended = False

    async def get() -> str:
        nonlocal ended
        try:
            return await _hang_async()
        finally:
            ended = True

    async with living(shop, get) as it:
        it.live.connect()
        asking = asyncio.ensure_future(it.live._tokens.current())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    assert ended
    with pytest.raises(TokenError, match="closed"):
        await asking


def _raises(error: BaseException) -> Callable[[], str]:
    def get() -> str:
        raise error

    return get


@pytest.mark.parametrize(
    "error", [StopIteration(), SystemExit(1), asyncio.CancelledError(), TimeoutError(), ValueError()]
)
@pytest.mark.parametrize("kind", ["plain", "async"])
async def test_whatever_a_function_raises_is_a_failed_try(shop: Shop, kind: str, error: BaseException) -> None:
    if kind == "async" and isinstance(error, SystemExit):
        error = RuntimeError("it ends the loop, as it should")
    get, calls = _raises(error), 0

    def plain() -> str:
        nonlocal calls
        calls += 1
        return get() if calls == 1 else "t"

    async def later() -> str:
        return plain()

    with pytest.raises(TokenError, match=r"the token function failed: ."):
        await Tokens(plain if kind == "plain" else later).current()
    calls = 0
    async with living(shop, plain if kind == "plain" else later) as it:
        it.live.connect()
        await it.until("live")
        assert "offline token" in it.states


def test_a_function_that_hangs_keeps_no_program_from_ending() -> None:
    text = """
import asyncio, threading
from ordercast.client.tokens import Tokens
from ordercast.client.errors import TokenError
async def main():
    try:
        await Tokens(threading.Event().wait, patience=0.05).current()
    except TokenError as error:
        print(error)
asyncio.run(main())
"""
    ran = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, timeout=WAIT, check=True)
    assert ran.stdout == "the token function failed: no answer in 0.05 s\n"


@pytest.mark.parametrize("kind", ["plain", "async"])
async def test_a_token_function_is_asked_once_for_all_who_wait(kind: str) -> None:
    asked = 0

    def plain() -> str:
        nonlocal asked
        asked += 1
        return f"t{asked}"

    async def later() -> str:
        await asyncio.sleep(0)
        return plain()

    tokens = Tokens(plain if kind == "plain" else later)
    assert set(await asyncio.gather(*(tokens.current() for _ in range(5)))) == {"t1"}
    assert set(await asyncio.gather(*(tokens.after("t1") for _ in range(5)))) == {"t2"}
    assert await tokens.after("t1") == await tokens.current() == "t2", "somebody has got it already"
