"""Commands on the database: ``migrate``, ``backup``, ``restore``, ``import``."""

from __future__ import annotations

import asyncio
import gc
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from ordercast.cli_words import DatabaseUrl, err, in_words, out, settings_of

commands = typer.Typer()

_MADE = 200_000
"""Objects of an import between two collections of garbage: of a commit's, which are soon gone by themselves, the usual
700 would have a quarter of the time go by in looking for cycles that there are not."""


@commands.command()
@in_words
def migrate(database_url: DatabaseUrl = None) -> None:
    """Bring the database to the current schema."""
    from ordercast.storage import database

    before, after = database.migrate(settings_of(database_url=database_url, log_level="warning"))
    if before == after:
        out.print(f"The database is at the current schema already ({after}).")
    else:
        out.print(f"The database went from schema {before or 'none'} to {after}.")


@commands.command()
@in_words
def backup(
    file: Annotated[Path, typer.Argument(help="Where to: one file, for either kind of database")],
    force: Annotated[bool, typer.Option("--force", help="In the place of a file that is there")] = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Copy the database into a file, as it is at one moment; servers may be running on it meanwhile."""
    from ordercast.rows_bar import rows_bar
    from ordercast.storage.backup import back_up

    settings = settings_of(database_url=database_url, log_level="warning")
    with rows_bar(err, "Copying") as progress:
        made = back_up(settings, file, force=force, progress=progress)
    out.print(f"{made.path} holds {made.orders} orders, schema {made.schema}, as of {made.made_at}.", markup=False)


@commands.command()
@in_words
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

    settings = settings_of(database_url=database_url, log_level="warning")
    with rows_bar(err, "Restoring") as progress:
        there = put_back(settings, file, force=force, progress=progress)
    out.print(
        f"{there.orders} orders are back as of {there.made_at}, up to log position {there.position}, in a new log."
    )


@commands.command("import")
@in_words
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

    settings = settings_of(database_url=database_url, workflow=workflow, log_level="warning")
    source = Source(file)
    report = RefusedLines(refused or source.refused, source)
    with source.opened() as data, bar(err, source.name, source.size) as progress:
        run = Import(settings, data, source.key, report.add, partial(show, progress))
        gc.set_threshold(_MADE)
        try:
            tally = asyncio.run(run.run())
        except KeyboardInterrupt:
            err.print("Stopped. Run the same again to go on.")
            raise typer.Exit(130) from None
        finally:
            report.close()
    out.print(summary(source.name, tally))
    if tally.refused:
        out.print(f"See {report.path} for why, line by line.", markup=False)
        raise typer.Exit(1)
