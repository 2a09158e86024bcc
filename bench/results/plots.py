"""Which share of all came within which time, on a logarithmic axis, as SVG like `bench.plots`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from pathlib import Path

from bench.plots import STYLE, WIDTH, bars
from bench.results.report import LIVE, POLLING, RECIPE_CONTACT, RECIPE_UPDATE, Results, duration
from bench.shop import quantile

_LEFT, _RIGHT, _TOP, _HEIGHT = 52, 16, 62, 230
_POINTS = 200  # along a curve: more cannot be told apart on so many pixels
_DECADES = {0.001: "1 ms", 0.01: "10 ms", 0.1: "0.1 s", 1.0: "1 s", 10.0: "10 s", 100.0: "100 s"}
_MINUTES = {2.0: "2 s", 5.0: "5 s", 10.0: "10 s", 30.0: "30 s", 60.0: "1 min", 120.0: "2 min", 300.0: "5 min"}

_OWN = """\
.grid { stroke: #d0d7de; stroke-width: 1 } .line { fill: none; stroke: #8c959f; stroke-width: 2.5 }
.line.ours { stroke: #0969da; fill: none } .mark { stroke: #bc4c00; stroke-width: 1.5; stroke-dasharray: 4 4 }
text.small { font-size: 12px } text.marked { fill: #bc4c00; font-size: 12px } text.live { fill: #0969da }
@media (prefers-color-scheme: dark) {
  .grid { stroke: #30363d } .line { stroke: #8d96a0 } .line.ours { stroke: #4493f8 }
  .mark { stroke: #f0883e } text.marked { fill: #f0883e } text.live { fill: #4493f8 }
}"""


def curves(
    title: str, series: Sequence[tuple[str, Sequence[float], bool]], marks: Sequence[tuple[str, float]], first: float
) -> str:
    """A chart. Each curve: name, times (s), whether it is ours. Each mark: its words, at which time. ``first``: where
    the axis begins (s); what is faster stands at its beginning."""
    last = max(max(values) for _, values, _ in series)
    last = max(last, *(at for _, at in marks)) * 1.1 if marks else last * 1.1
    width = WIDTH - _LEFT - _RIGHT

    def x(seconds: float) -> float:
        return _LEFT + width * max(math.log(seconds / first), 0) / math.log(last / first) if seconds > 0 else _LEFT

    def y(share: float) -> float:
        return _TOP + _HEIGHT * (1 - share)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {_TOP + _HEIGHT + 34}" role="img">',
        f"<title>{escape(title)}</title>",
        f"<style>{STYLE}\n{_OWN}</style>",
        f'<text class="title" x="0" y="16">{escape(title)}</text>',
    ]
    for share in (0, 0.25, 0.5, 0.75, 1):
        parts.append(f'<path class="grid" d="M{_LEFT} {y(share):g}H{WIDTH - _RIGHT}"/>')
        parts.append(
            f'<text class="note small" x="{_LEFT - 8}" y="{y(share) + 4:g}" text-anchor="end">{share:.0%}</text>'
        )
    for at, words in (_MINUTES if first > 1 else _DECADES).items():
        if first <= at <= last:
            parts.append(f'<path class="grid" d="M{x(at):.1f} {_TOP}V{_TOP + _HEIGHT}"/>')
            parts.append(_text("note small", x(at), _TOP + _HEIGHT + 20, words, "middle"))
    for words, at in marks:
        parts.append(f'<path class="mark" d="M{x(at):.1f} {_TOP - 6}V{_TOP + _HEIGHT}"/>')
        parts.append(_text("marked", x(at), _TOP - 12, words, "end" if x(at) > WIDTH - 120 else "middle"))
    for number, (name, values, ours) in enumerate(series):
        points = [(x(quantile(values, n / _POINTS)), y(n / _POINTS)) for n in range(_POINTS + 1)]
        path = " ".join(f"{px:.1f},{py:.1f}" for px, py in points)
        parts.append(f'<polyline class="line{" ours" if ours else ""}" points="{path}"/>')
        middle = f"{name}: half within {duration(quantile(values, 0.5))}"
        parts.append(
            _text("live" if ours else "note", 0 if number else WIDTH, 36, middle, "start" if number else "end")
        )
    return "\n".join([*parts, "</svg>", ""])


def _text(kind: str, x: float, y: float, words: str, anchor: str) -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:g}" text-anchor="{anchor}">{escape(words)}</text>'


def write(results: Results, folder: Path) -> list[tuple[str, Path]]:
    """The charts, with what each shows."""
    polling, live = results.modes[POLLING], results.modes[LIVE]
    every = f"polling every {results.plan.interval:g} s"
    asked = [
        (name, sum(run.requests.values()), f"{sum(run.requests.values()):.0f}", ours)
        for name, run, ours in ((every, polling, False), ("live", live, True))
    ]
    charts = {
        "updates": curves(
            "A change reaches a screen",
            [(every, polling.updates, False), ("live", live.updates, True)],
            [("the recipe, live: 200 ms", RECIPE_UPDATE)],
            0.001,
        ),
        "contacts": curves(
            "From a new order to the first contact with its customer",
            [(every, polling.contacts, False), ("live", live.contacts, True)],
            [("the recipe, live: 38 s", RECIPE_CONTACT[1]), ("the recipe, polling: 4.2 min", RECIPE_CONTACT[0])],
            2.0,
        ),
        "requests": bars("Requests a minute at the server", "shorter is better", asked),
    }
    words = ("share of changes on screens, by time", "share of customers contacted, by time", "requests a minute")
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for (name, chart), text in zip(charts.items(), words, strict=True):
        path = folder / f"results-{name}.svg"
        path.write_text(chart)
        written.append((text, path))
    return written
