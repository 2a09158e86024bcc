"""The commands. An option and its ``ORDERCAST_…`` variable say the same thing; the option wins.

Each imports what it needs when it runs: all of it together takes longer than most of them do.
"""

from __future__ import annotations

import asyncio
import gc
import secrets
import sys
import tempfile
from collections.abc import Callable, Mapping
from functools import partial, wraps
from pathlib import Path
from typing import Annotated, Any, ParamSpec

import structlog
import typer
from rich.console import Console

from ordercast import logs
from ordercast.cli_webhooks import commands as webhook_commands
from ordercast.config import Settings, load, load_settings
from ordercast.config_file import chosen
from ordercast.errors import OrdercastError, SettingsError
from ordercast.hangup import Terminal, hold
from ordercast.imports import uncollected
from ordercast.orders.ids import parse_id
from ordercast.orders.principal import Principal, Role
from ordercast.version import __version__

app = typer.Typer(
    help="Live order status: customers see their own order move, operators see all of them.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

app.add_typer(webhook_commands, name="webhook")

P = ParamSpec("P")

Config = Annotated[
    Path | None, typer.Option("--config", "-c", help="A TOML file with settings [ORDERCAST_CONFIG, else none]")
]
Host = Annotated[str | None, typer.Option(help="Address to listen on [127.0.0.1]")]
Port = Annotated[int | None, typer.Option(help="Port to listen on; 0 takes a free one [3001]")]
_MADE = 200_000
"""Objects of an import between two collections of garbage: of a commit's, which are soon gone by themselves, the usual
700 would have a quarter of the time go by in looking for cycles that there are not."""

DatabaseUrl = Annotated[str | None, typer.Option(help="Where orders live [sqlite+aiosqlite:///ordercast.db]")]

_log = structlog.get_logger("ordercast")
_out = Console(highlight=False, soft_wrap=True)
_err = Console(stderr=True, highlight=False, soft_wrap=True)


def _in_words(command: Callable[P, None]) -> Callable[P, None]:
    """Ends a command with one sentence where something is wrong that its user can mend."""

    @wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except OrdercastError as error:
            _err.print(f"ordercast: {error}", style="bold red", markup=False)
            raise typer.Exit(1) from None

    return wrapped


def _settings(fixed: Mapping[str, Any] | None = None, /, **options: Any) -> Settings:
    settings = load_settings(fixed, **options)
    logs.configure(settings.log_level, settings.log_format)
    return settings


@app.command("serve")
@_in_words
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
@_in_words
def demo(
    host: Host = None,
    port: Port = None,
    seed: Annotated[int, typer.Option(help="Another seed, another day at the shop")] = 2016,
    speed: Annotated[float, typer.Option(min=0.1, max=50, help="Multiplies the shop's pace")] = 1.0,
) -> None:
    """Run the server on a throw-away database with a sample shop; prints links for an operator and a customer."""
    with uncollected():
        from ordercast.api import pages
        from ordercast.api.shares import track_url
        from ordercast.app import Ordercast
        from ordercast.auth import sign_token
        from ordercast.demo import OPERATOR, DemoShop, targets
        from ordercast.serving import bind, run, serve, url_of

    with tempfile.TemporaryDirectory(prefix="ordercast-demo-") as folder:
        # What the demo brings along, whatever the environment says of the shop's own server.
        own: dict[str, Any] = {
            "jwt_secret": (secrets.token_urlsafe(48),),
            "jwt_public_key": None,
            "jwks_url": None,
            "database_url": f"sqlite+aiosqlite:///{folder}/demo.db",
            "redis_url": None,
            "workers": 1,
            "public_url": None,
            "shop_name": "Trattoria Marea",
            "shop_phone": "+44 20 7946 0958",  # of a range that nobody has
            "workflow": None,
            "status_map": {},
        }
        settings = _settings(own, host=host, port=port)
        if not pages.built():
            raise SettingsError("The pages are not built: run 'make build' in the source tree first")
        ordercast = Ordercast(settings)
        listener = bind(settings)
        base = url_of(listener)

        async def shop() -> None:
            demo_shop = DemoShop(ordercast.orders, seed, speed)
            # An admin, so that whoever looks on may try everything.
            ana = Principal(OPERATOR, Role.ADMIN)
            await ordercast.board.set_targets(targets(speed), ana)
            order = await demo_shop.open()
            operator = sign_token(settings, ana.user_id, ana.role, 86_400)
            customer = track_url(base, ordercast.shares.issue(order.order_id, order.customer_id).token)
            _out.print("\n[bold]A shop is open.[/] Its orders move by themselves; open these side by side:\n")
            _out.print(f"  operator  {base}/board#token={operator}", markup=False)
            _out.print(f"  customer  {customer}\n", markup=False)
            _out.print(f"  API       {base}/docs", markup=False)
            _out.print("\nCtrl+C closes it and forgets everything.\n")
            await demo_shop.run()

        run(serve(ordercast, listener, shop))


@app.command()
@_in_words
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
@_in_words
def migrate(database_url: DatabaseUrl = None) -> None:
    """Bring the database to the current schema."""
    from ordercast.storage import database

    before, after = database.migrate(_settings(database_url=database_url, log_level="warning"))
    if before == after:
        _out.print(f"The database is at the current schema already ({after}).")
    else:
        _out.print(f"The database went from schema {before or 'none'} to {after}.")


@app.command()
@_in_words
def backup(
    file: Annotated[Path, typer.Argument(help="Where to: one file, for either kind of database")],
    force: Annotated[bool, typer.Option("--force", help="In the place of a file that is there")] = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Copy the database into a file, as it is at one moment; servers may be running on it meanwhile."""
    from ordercast.rows_bar import rows_bar
    from ordercast.storage.backup import back_up

    settings = _settings(database_url=database_url, log_level="warning")
    with rows_bar(_err, "Copying") as progress:
        made = back_up(settings, file, force=force, progress=progress)
    _out.print(f"{made.path} holds {made.orders} orders, schema {made.schema}, as of {made.made_at}.", markup=False)


@app.command()
@_in_words
def restore(
    file: Annotated[Path, typer.Argument(help="What 'ordercast backup' made, of either kind of database")],
    force: Annotated[bool, typer.Option("--force", help="In the place of what the database holds")] = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Put a backup into the database, all of it or nothing, and begin a new log: clients fetch anew by themselves.

    Servers must be stopped. The file is checked first.
    """
    from ordercast.rows_bar import rows_bar
    from ordercast.storage.restore import restore as put_back

    settings = _settings(database_url=database_url, log_level="warning")
    with rows_bar(_err, "Restoring") as progress:
        there = put_back(settings, file, force=force, progress=progress)
    _out.print(
        f"{there.orders} orders are back as of {there.made_at}, up to log position {there.position}, in a new log."
    )


@app.command("import")
@_in_words
def import_command(
    file: Annotated[str, typer.Argument(help="One order a line, as PUT takes it; - reads standard input")],
    refused: Annotated[
        Path | None, typer.Option(help="Where refused lines go, with reasons [FILE.refused.ndjson]")
    ] = None,
    database_url: DatabaseUrl = None,
    workflow: Annotated[Path | None, typer.Option(help="A TOML file with the shop's own workflow")] = None,
) -> None:
    """Bring orders in from a file, straight into the database; a server may be running on it meanwhile.

    Run the same again to go on where it was stopped: nothing is doubled. Exits with 1 if any line was refused.
    """
    from ordercast.importing.run import Import
    from ordercast.importing.screen import RefusedLines, Source, bar, show, summary

    settings = _settings(database_url=database_url, workflow=workflow, log_level="warning")
    source = Source(file)
    report = RefusedLines(refused or source.refused, source)
    with source.opened() as data, bar(_err, source.name, source.size) as progress:
        run = Import(settings, data, source.key, report.add, partial(show, progress))
        gc.set_threshold(_MADE)
        try:
            tally = asyncio.run(run.run())
        except KeyboardInterrupt:
            _err.print("Stopped. Run the same again to go on.")
            raise typer.Exit(130) from None
        finally:
            report.close()
    _out.print(summary(source.name, tally))
    if tally.refused:
        _out.print(f"See {report.path} for why, line by line.", markup=False)
        raise typer.Exit(1)


@app.command()
@_in_words
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
    if not check_all(loaded, _out, offline=offline):
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
