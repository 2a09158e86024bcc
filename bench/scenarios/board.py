"""The operators' board in a browser: how smoothly it is drawn while orders change, and while one scrolls."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Error, Page, sync_playwright

from bench.boardshop import BoardShop
from bench.contenders import FEW_ORDERS, MANY_ORDERS, cores, running, token
from bench.loop import Failed, Loop
from bench.scenario import Column, Figures, Goal, Round, Scenario

ORDERS, FEW = 5_000, 50
RATE = 50.0
"""Changes a second."""
SECONDS = 20.0
SMOOTH = 100 / 3
"""ms: a frame that took longer was one of fewer than 30 a second."""
_PATIENCE = 120_000  # ms

_ALL_THERE = """orders => [...document.querySelectorAll(".column .count")]
  .reduce((sum, count) => sum + Number(count.textContent), 0) >= orders"""

_WATCH = """scroll => {
  const watch = { frames: [], long: 0, on: true };
  new PerformanceObserver(list => list.getEntries().forEach(({ duration }) => { watch.long += duration; }))
    .observe({ type: "longtask" });
  let last = performance.now();
  const columns = [...document.querySelectorAll(".cards")];
  const frame = () => {
    const now = performance.now();
    watch.frames.push(now - last);
    last = now;
    for (const column of columns) column.scrollTop += scroll;
    if (watch.on) requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
  window.watch = watch;
}"""
_SEEN = "() => { window.watch.on = false; return [window.watch.frames.slice(1), window.watch.long]; }"


def measure(round: Round) -> Figures:
    """One round on a board of so many orders."""
    orders = ORDERS if round.contender is MANY_ORDERS else FEW
    seconds = SECONDS if not round.quick else 5.0
    loop = Loop()
    with running(round.contender) as server, _page() as page:
        shop = BoardShop(loop, server.port)
        shop.create(orders)
        began = time.perf_counter()
        page.goto(f"{server.url}/board#token={token('ana', 'operator')}", wait_until="commit")
        page.locator(".card").first.wait_for(timeout=_PATIENCE)
        first = time.perf_counter() - began
        page.wait_for_function(_ALL_THERE, arg=orders, timeout=_PATIENCE)
        loaded = time.perf_counter() - began
        page.evaluate(_WATCH, 0)
        made = shop.change(RATE, seconds)
        frames, long = page.evaluate(_SEEN)
        scrolled: list[float] = []
        if orders == ORDERS:
            page.evaluate(_WATCH, 40)
            page.wait_for_timeout(1000 * seconds / 4)
            scrolled, _ = page.evaluate(_SEEN)
    loop.close()
    ordered = sorted(frames)
    figures = {
        "first card s": first,
        "all there s": loaded,
        "changes/s": made / seconds,
        "frames/s": 1000 * len(frames) / sum(frames),
        "frame p50 ms": _part(ordered, 0.5),
        "p95 ms": _part(ordered, 0.95),
        "p99 ms": _part(ordered, 0.99),
        "over 33 ms %": 100 * sum(frame > SMOOTH for frame in frames) / len(frames),
        "in long tasks %": long / sum(frames) * 100,
    }
    if scrolled:
        figures["frames/s, all columns scrolled"] = 1000 * len(scrolled) / sum(scrolled)
    return figures


def _part(ordered: list[float], part: float) -> float:
    """What that part of them does not exceed. Raises `Failed` where there are none."""
    if not ordered:
        raise Failed("the browser has drawn nothing")
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]


@contextmanager
def _page() -> Iterator[Page]:
    """A laptop's screen in Chromium, which may use every core there is, as the operator's own machine would."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        raise Failed("Chromium is missing")
    own = os.sched_getaffinity(0)
    os.sched_setaffinity(0, set(cores()))  # which what is started from here inherits
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, chromium_sandbox=False)
        os.sched_setaffinity(0, own)
        try:
            yield browser.new_page(viewport={"width": 1440, "height": 900})
        except Error as error:
            raise Failed(f"the board does not show it: {error.message.splitlines()[0]}") from error
        finally:
            browser.close()


SCENARIO = Scenario(
    name="board",
    title=f"The board in a browser: {ORDERS:,} open orders, {RATE:g} changes/s",
    contenders=(MANY_ORDERS, FEW_ORDERS),
    columns=(
        Column("first card s", 2),
        Column("all there s", 2),
        Column("changes/s", 1, higher_is_better=True),
        Column("frames/s", 1, higher_is_better=True),
        Column("frame p50 ms"),
        Column("p95 ms"),
        Column("p99 ms"),
        Column("over 33 ms %"),
        Column("in long tasks %"),
        Column("frames/s, all columns scrolled", 1, higher_is_better=True),
    ),
    measure=measure,
    goals=(Goal(f"frames p95 ms on a board of {ORDERS:,} orders, {RATE:g} changes/s", "p95 ms", 33.3, stretch=16.7),),
    ours=MANY_ORDERS,
    method=f"""\
Chromium without a window, 1,440 × 900, opens the board as an operator; then the shop changes the status of one order
after the other, {RATE:g} a second for {SECONDS:g} s, in every column and mostly out of sight. *first card* and *all
there* are since the page was asked for, with nothing in the cache. A *frame* is the time from one
`requestAnimationFrame` to the next: 60 a second at best. *in long tasks* is the part of the time in which the page
did something for more than 50 ms. Then every column is scrolled by 40 px per frame, all at once.

The machine has no GPU, and browser, server and load share its two cores: everything that a graphics card would do,
the processor does. So compare the two boards.""",
    verdict="""\
The small board is the harder one: most of its orders are drawn, so that most changes move cards, 50 times a second; of
5,000 few are drawn, and a change of the others costs little.""",
)
