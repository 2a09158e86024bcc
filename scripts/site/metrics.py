"""The metrics, from `ordercast.metrics`."""

from __future__ import annotations

from ordercast import metrics
from scripts.site.markdown import table


def reference() -> str:
    """A table of each kind."""
    # prometheus_client ends a counter's name so, as the text format has it.
    counters = [(f"ordercast_{name}_total", "", text) for name, text in metrics._COUNTERS.items()]
    counters += [(f"ordercast_{name}_total", label, text) for name, (label, text) in metrics._LABELLED_COUNTERS.items()]
    gauges = [(f"ordercast_{name}", "", text) for name, text in metrics._GAUGES.items()]
    gauges += [(f"ordercast_{name}", label, text) for name, (label, text) in metrics._LABELLED_GAUGES.items()]
    parts = []
    for title, rows in (("Gauges", gauges), ("Counters", counters)):
        cells = [(f"`{name}`", f"`{label}`" if label else "", text) for name, label, text in sorted(rows)]
        parts.append(f"## {title}\n\n{table(('metric', 'label', ''), cells)}")
    return "\n".join(parts)
