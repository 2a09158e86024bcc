"""What a page makes a browser fetch."""

from __future__ import annotations

from bench.contenders import BOARD_PAGE, TRACK_PAGE
from bench.scenario import Column, Figures, Round, Scenario
from scripts.sizes import gzipped, sizes


def measure(round: Round) -> Figures:
    """Sizes in kB, of what is built now."""
    page = round.contender.name.removeprefix("/")
    raw, packed = sizes(page, len), sizes(page, gzipped)
    return {
        "JavaScript kB": raw["js"] / 1000,
        "JavaScript kB, gzip": packed["js"] / 1000,
        "CSS kB": raw["css"] / 1000,
        "CSS kB, gzip": packed["css"] / 1000,
    }


SCENARIO = Scenario(
    name="pages",
    title="The pages' sizes",
    contenders=(BOARD_PAGE, TRACK_PAGE),
    columns=(
        Column("JavaScript kB"),
        Column("JavaScript kB, gzip"),
        Column("CSS kB"),
        Column("CSS kB, gzip"),
    ),
    measure=measure,
    goals=(),
    ours=BOARD_PAGE,
    method="""\
What a browser fetches before the page stands: scripts that it names and what they import before they run, with their
styles. An order's details, targets and the list of keys are fetched when somebody opens them, and are not in it.""",
)
