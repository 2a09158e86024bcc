"""The last results, kept, so that the page can be written anew without measuring for minutes."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from bench.results.plan import Plan
from bench.results.report import Results
from bench.results.run import Measured

FILE = Path(__file__).parents[2] / ".cache" / "results.json"


def keep(results: Results, file: Path = FILE) -> None:
    """Replaces what is kept."""
    kept = {
        "plan": asdict(results.plan),
        "modes": {mode: asdict(run) for mode, run in results.modes.items()},
        "others": dict(results.others),
    }
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(kept))


def recall(file: Path = FILE) -> Results:
    """What is kept. Raises ``FileNotFoundError`` where nothing is."""
    kept = json.loads(file.read_text())
    modes = {mode: Measured(**run) for mode, run in kept["modes"].items()}
    return Results(Plan(**kept["plan"]), modes, kept["others"])
