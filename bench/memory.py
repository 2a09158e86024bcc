"""What the last rounds gave, kept, so that the page can be written anew without measuring for a quarter of an hour."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from bench import scenarios
from bench.contenders import ALL
from bench.loop import Failed
from bench.scenario import Outcomes, Scenario

FILE = Path(__file__).parent.parent / ".cache" / "bench.json"


def keep(results: Mapping[Scenario, Outcomes]) -> None:
    """Replaces what is kept of these scenarios, and nothing of the others."""
    kept = json.loads(FILE.read_text()) if FILE.exists() else {}
    for scenario, outcomes in results.items():
        kept[scenario.name] = {
            contender.name: {
                "figures": figures,
                "failures": [str(it) for it in outcomes.failures[contender]],
                "others": outcomes.others[contender],
            }
            for contender, figures in outcomes.figures.items()
        }
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(json.dumps(kept, indent=1))


def recall() -> dict[Scenario, Outcomes]:
    """What is kept. Raises ``FileNotFoundError`` where nothing is."""
    kept = json.loads(FILE.read_text())
    contenders = {contender.name: contender for contender in ALL}
    results = {}
    for scenario in scenarios.ALL:
        if scenario.name in kept:
            servers = kept[scenario.name]
            outcomes = results[scenario] = Outcomes([contenders[name] for name in servers])
            for name, rounds in servers.items():
                outcomes.figures[contenders[name]] += rounds["figures"]
                outcomes.failures[contenders[name]] += map(Failed, rounds["failures"])
                outcomes.others[contenders[name]] += rounds["others"]
    return results
