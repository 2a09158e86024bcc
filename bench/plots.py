"""Bars, one per server, as SVG: readable on a light page and on a dark one."""

from __future__ import annotations

from html import escape
from pathlib import Path

from bench.report import figure
from bench.scenario import Column, Outcomes, Scenario

WIDTH, _NAMES, _VALUES = 720, 150, 110
_BAR, _GAP, _TOP = 22, 10, 44

STYLE = """\
text { font: 13px system-ui, sans-serif; fill: #24292f } .title { font-weight: 600 } .note { fill: #57606a }
.bar { fill: #8c959f } .ours { fill: #0969da }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 } .note { fill: #8d96a0 } .bar { fill: #6e7681 } .ours { fill: #4493f8 }
}"""


def bars(title: str, note: str, rows: list[tuple[str, float, str, bool]]) -> str:
    """A chart. Each row: name, value, the value as text, whether it is ours."""
    height = _TOP + len(rows) * (_BAR + _GAP)
    longest = max(value for _, value, _, _ in rows) or 1
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
        f"<title>{escape(title)}</title>",
        f"<style>{STYLE}</style>",
        f'<text class="title" x="0" y="16">{escape(title)}</text>',
        f'<text class="note" x="{WIDTH}" y="16" text-anchor="end">{escape(note)}</text>',
    ]
    for number, (name, value, text, ours) in enumerate(rows):
        y = _TOP - 10 + number * (_BAR + _GAP)
        width = max((WIDTH - _NAMES - _VALUES) * value / longest, 1)
        middle = y + _BAR / 2 + 5
        parts += [
            f'<text x="{_NAMES - 10}" y="{middle:g}" text-anchor="end">{escape(name)}</text>',
            f'<rect class="{"ours" if ours else "bar"}" x="{_NAMES}" y="{y}" width="{width:.1f}" height="{_BAR}"/>',
            f'<text x="{_NAMES + width + 8:.1f}" y="{middle:g}">{escape(text)}</text>',
        ]
    return "\n".join([*parts, "</svg>", ""])


def write(scenario: Scenario, outcomes: Outcomes, folder: Path) -> list[tuple[str, Path]]:
    """One chart per plotted column, with what it shows. A server whose rounds all failed has no bar."""
    written = []
    for column in _plotted(scenario):
        rows = [
            (contender.name, value, figure(value, column), contender is scenario.ours)
            for contender in outcomes.figures
            if (value := outcomes.median(contender, column.name)) is not None
        ]
        if not rows:
            continue
        note = "longer is better" if column.higher_is_better else "shorter is better"
        number = f"-{scenario.plots.index(column.name) + 1}" if len(scenario.plots) > 1 else ""
        path = folder / f"bench-{scenario.name}{number}.svg"
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(bars(f"{scenario.title}: {column.name}", note, rows))
        written.append((column.name, path))
    return written


def _plotted(scenario: Scenario) -> list[Column]:
    return [column for column in scenario.columns if column.name in scenario.plots]
