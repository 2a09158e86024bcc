"""The environment's ``ORDERCAST_…`` that nothing reads."""

from __future__ import annotations

import difflib
import os
import re

from ordercast.config import Settings

# Variables that Kubernetes sets for a Service called ordercast, for all containers beside it.
_SERVICE_LINK = re.compile(r"SERVICE_(HOST|PORT(_.*)?)|PORT_[0-9]+_.*")


def unknown_settings() -> list[str]:
    """A sentence for each ``ORDERCAST_…`` in the environment that is no setting, most likely a misspelt one."""
    names = sorted(name.upper() for name in Settings.model_fields)
    sentences = []
    for variable in sorted(os.environ):
        name = variable.upper().removeprefix("ORDERCAST_")
        if name == variable.upper() or name in names or _SERVICE_LINK.fullmatch(name):
            continue
        close = difflib.get_close_matches(name, names, n=1)
        hint = f"did you mean ORDERCAST_{close[0]}?" if close else "nothing reads it."
        sentences.append(f"{variable} is no setting; {hint}")
    return sentences
