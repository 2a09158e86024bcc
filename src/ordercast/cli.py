"""The commands. An option and its ``ORDERCAST_…`` variable say the same thing; the option wins.

Each imports what it needs when it runs: all of it together takes longer than most of them do.
"""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import Annotated

import structlog
import typer

from ordercast import logs
from ordercast.cli_data import commands as data_commands
from ordercast.cli_demo import commands as demo_commands
from ordercast.cli_webhooks import commands as webhook_commands
from ordercast.cli_words import Config, DatabaseUrl, Host, Port, in_words, out
from ordercast.config import load, load_settings
from ordercast.config_file import chosen
from ordercast.hangup import Terminal, hold
from ordercast.imports import uncollected
from ordercast.orders.ids import parse_id
from ordercast.orders.principal import Role
from ordercast.version import __version__

app = typer.Typer(
    help="Live order status: customers see their own order move, operators see all of them.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

app.add_typer(demo_commands)
app.add_typer(data_commands)
app.add_typer(webhook_commands, name="webhook")

_log = structlog.get_logger("ordercast")


@app.command("serve")
@in_words
def serve_command(
    config: Config = None,
    host: Host = None,
    port: Port = None,
    workers: Annotated[int | None, typer.Option(help="Processes [1]")] = None,
    database_url: DatabaseUrl = None,
    redis_url: Annotated[str | None, typer.Option(help="Redis that joins several nodes")] = None,
    workflow: Annotated[Path | None, typer.Option(help="A TOML file with the shop's own workflow")] = None,
    cors_origins: Annotated[str | None, typer.Option(help="Origins of pages elsewhere, by commas")] = None,
    trusted_proxies: Annotated[str | None, typer.Option(help="Addresses of proxies that may name clients")] = None,
    max_connections_per_user: Annotated[int | None, typer.Option(help="0: no limit; 1: the newest wins [0]")] = None,
    monitor_interval: Annotated[
        float | None, typer.Option(help="Seconds between two lines on who is online [30]")
    ] = None,
    ping_interval: Annotated[float | None, typer.Option(help="Seconds between heartbeats [25]")] = None,
    ping_timeout: Annotated[float | None, typer.Option(help="Seconds a heartbeat may take [20]")] = None,
    max_payload: Annotated[int | None, typer.Option(help="Bytes of a client's largest message [16384]")] = None,
    log_format: Annotated[str | None, typer.Option(help="console or json [console]")] = None,
    log_level: Annotated[str | None, typer.Option(help="debug, info, warning or error [info]")] = None,
) -> None:
    """Run the server: REST, Socket.IO and the pages on one port.

    Tokens are verified with ORDERCAST_JWT_SECRET, ORDERCAST_JWT_PUBLIC_KEY or ORDERCAST_JWKS_URL.
    """
    options = locals()
    hold()
    read = partial(load, **options)
    loaded = read()
    settings = loaded.settings
    # The same file later, though by then nobody knows what the command line said before the command.
    read = partial(load, **options | {"config": settings.config})
    logs.configure(settings.log_level, settings.log_format)
    for note in loaded.notes():
        _log.warning(note)
    with uncollected():
        from ordercast.app import Ordercast
        from ordercast.reloading import Reloader
        from ordercast.serving import bind, run, serve
        from ordercast.workers import run_workers

    if settings.workers > 1:
        raise typer.Exit(run_workers(settings, bind(settings), read))
    ordercast = Ordercast(settings)
    run(serve(ordercast, bind(settings), reloader=Reloader(ordercast, read, Terminal())))


@app.command()
@in_words
def token(
    user: Annotated[str, typer.Option(help="The user's id")],
    role: Annotated[Role, typer.Option(help="What the user may do")] = Role.CUSTOMER,
    lifetime: Annotated[float, typer.Option(min=1, help="Seconds until it ends")] = 86_400,
    shop: Annotated[list[str] | None, typer.Option(help="Restrict to a shop; may be repeated")] = None,
) -> None:
    """Print a signed token for trying things out."""
    from ordercast.auth import sign_token

    id = parse_id(user)
    if id is None:
        raise typer.BadParameter("1 to 64 of A-Z a-z 0-9 _ . : -", param_hint="--user")
    sys.stdout.write(sign_token(load_settings(), id, role, lifetime, shop) + "\n")


@app.command()
@in_words
def check(
    config: Config = None,
    database_url: DatabaseUrl = None,
    redis_url: Annotated[str | None, typer.Option()] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Only the settings, and the files that they name")] = False,
) -> None:
    """Read the settings, reach database and Redis, and say what is wrong and how to mend it."""
    from ordercast.cli_check import check_all

    loaded = load(config=config, database_url=database_url, redis_url=redis_url)
    logs.configure("error", loaded.settings.log_format)
    if not check_all(loaded, out, offline=offline):
        raise typer.Exit(1)


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    config: Config = None,
    version: Annotated[bool, typer.Option("--version", help="Print the version", is_eager=True)] = False,
) -> None:
    if version:
        sys.stdout.write(f"ordercast {__version__}\n")
        raise typer.Exit
    if context.invoked_subcommand is None:
        sys.stdout.write(context.get_help() + "\n")
        raise typer.Exit(2)
    chosen.set(config)


def main() -> None:
    """The ``ordercast`` command."""
    app()
