"""What all commands share: options, where they print, and the sentence with which one ends."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, ParamSpec, TypeVar

import typer
from rich.console import Console

from ordercast import logs
from ordercast.config import Settings, load_settings
from ordercast.errors import OrdercastError

P = ParamSpec("P")
T = TypeVar("T")

Config = Annotated[
    Path | None, typer.Option("--config", "-c", help="A TOML file with settings [ORDERCAST_CONFIG, else none]")
]
Host = Annotated[str | None, typer.Option(help="Address to listen on [127.0.0.1]")]
Port = Annotated[int | None, typer.Option(help="Port to listen on; 0 takes a free one [3001]")]
DatabaseUrl = Annotated[str | None, typer.Option(help="Where orders live [sqlite+aiosqlite:///ordercast.db]")]

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


def in_words(command: Callable[P, T]) -> Callable[P, T]:
    """Ends a command with one sentence where something is wrong that its user can mend."""

    @wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return command(*args, **kwargs)
        except OrdercastError as error:
            err.print(f"ordercast: {error}", style="bold red", markup=False)
            raise typer.Exit(1) from None

    return wrapped


def settings_of(fixed: Mapping[str, Any] | None = None, /, **options: Any) -> Settings:
    """As `load_settings`; the log is as they say from then on."""
    settings = load_settings(fixed, **options)
    logs.configure(settings.log_level, settings.log_format)
    return settings
