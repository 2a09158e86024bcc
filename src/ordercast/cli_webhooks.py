"""``ordercast webhook …``: the same as REST, on the database of the settings.

Straight on the database, also beside a running server: these are small writes, which a file takes from several
processes, and the server looks at its webhooks every 2 s. So there is no token to make first, and it works while the
server is down.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from ordercast.cli_words import DatabaseUrl, in_words, out, settings_of
from ordercast.config import Settings
from ordercast.orders.ids import parse_id
from ordercast.webhooks.addresses import rules_of
from ordercast.webhooks.models import Endpoint, Tally
from ordercast.webhooks.service import MAX_PAGE, OVERLAP, WebhookService
from ordercast.webhooks.views import answer_view, delivery_view, endpoint_view, secret_view

if TYPE_CHECKING:
    from ordercast.storage.database import Storage

commands = typer.Typer(
    help="Where changes are sent: signed HTTP requests to the shop's own systems.", no_args_is_help=True
)

WebhookId = Annotated[str, typer.Argument(metavar="ID", help="The webhook, as 'ordercast webhook list' has it")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON")]

_Use = Callable[[WebhookService, "Storage"], Awaitable[Any]]


@in_words
def _run(database_url: str | None, use: _Use) -> Any:
    """What a use case returns. Ends with a sentence where something is wrong that its user can mend."""
    settings = settings_of(database_url=database_url, log_level="warning")
    return asyncio.run(_on_database(settings, use))


async def _on_database(settings: Settings, use: _Use) -> Any:
    from ordercast.storage.database import open_storage  # which takes a while
    from ordercast.webhooks.client import open_client

    rules = rules_of(settings.webhook_allow_private)
    async with open_storage(settings) as storage, open_client(rules, settings.webhook_timeout) as client:
        return await use(WebhookService(storage.webhooks, client, storage.log.head), storage)


@commands.command()
def add(
    url: Annotated[str, typer.Argument(help="https://host/path")],
    event: Annotated[list[str] | None, typer.Option(help="Only this type of event; may be repeated")] = None,
    shop: Annotated[list[str] | None, typer.Option(help="Only orders of this shop; may be repeated")] = None,
    description: Annotated[str, typer.Option(help="What it is, for people")] = "",
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Add a webhook, which gets what happens from now on. Prints its secret, this once."""
    shops = [parse_id(one) for one in shop or []]
    if None in shops:
        raise typer.BadParameter("1 to 64 of A-Z a-z 0-9 _ . : -", param_hint="--shop")
    wanted = [one for one in shops if one is not None] or None
    made = _run(database_url, lambda webhooks, _: webhooks.add(url, event or None, wanted, description))
    _secret(made, as_json)


@commands.command("list")
def list_(database_url: DatabaseUrl = None, as_json: AsJson = False) -> None:
    """List all webhooks, and how each does."""
    found = _run(database_url, lambda webhooks, _: webhooks.all())
    if as_json:
        _json([endpoint_view(*one) for one in found])
        return
    if not found:
        out.print("There is none. Add one with 'ordercast webhook add https://host/path'.")
        return
    table = Table("id", "url", "state", "waiting", "dead", box=None)
    for endpoint, tally in found:
        table.add_row(endpoint.id, endpoint.url, _state(endpoint), str(tally.waiting), str(tally.dead))
    out.print(table)


@commands.command()
def show(id: WebhookId, database_url: DatabaseUrl = None) -> None:
    """Show one webhook as JSON."""
    _json(endpoint_view(*_run(database_url, lambda webhooks, _: webhooks.get(id))))


@commands.command()
def remove(id: WebhookId, database_url: DatabaseUrl = None) -> None:
    """Remove a webhook, and all that waits for it."""
    _run(database_url, lambda webhooks, _: webhooks.remove(id))
    out.print(f"{id} is removed.")


@commands.command()
def enable(id: WebhookId, database_url: DatabaseUrl = None) -> None:
    """Send to a webhook again that was disabled. It goes on where it was."""
    _run(database_url, lambda webhooks, _: webhooks.change(id, {"enabled": True}))
    out.print(f"{id} is enabled.")


@commands.command()
def disable(id: WebhookId, database_url: DatabaseUrl = None) -> None:
    """Send nothing to a webhook for now."""
    _run(database_url, lambda webhooks, _: webhooks.change(id, {"enabled": False}))
    out.print(f"{id} is disabled.")


@commands.command()
def rotate(
    id: WebhookId,
    overlap: Annotated[float, typer.Option(min=0, help="Seconds that the old secret signs on beside it")] = OVERLAP,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Give a webhook a new secret, and print it, this once."""
    _secret(_run(database_url, lambda webhooks, _: webhooks.rotate(id, overlap)), as_json)


@commands.command()
def dead(
    id: WebhookId,
    waiting: Annotated[bool, typer.Option("--waiting", help="Those that are tried again, instead")] = False,
    after: Annotated[str | None, typer.Option(help="Go on after this message id")] = None,
    limit: Annotated[int, typer.Option(min=1, max=MAX_PAGE)] = 100,
    database_url: DatabaseUrl = None,
) -> None:
    """List messages that were given up, the oldest first, a JSON object a line."""

    async def read(webhooks: WebhookService, storage: Storage) -> list[dict[str, Any]]:
        endpoint, found = await webhooks.deliveries(id, "waiting" if waiting else "dead", after, limit)
        return [delivery_view(endpoint, one, storage.log.log_id) for one in found]

    for view in _run(database_url, read):
        typer.echo(json.dumps(view, ensure_ascii=False))


@commands.command()
def resend(
    id: WebhookId,
    message_ids: Annotated[list[str] | None, typer.Argument(metavar="[MESSAGE_ID]...")] = None,
    all_dead: Annotated[bool, typer.Option("--all", help="All that were given up")] = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Have the server try dead messages again: these, or all."""
    if all_dead == bool(message_ids):
        raise typer.BadParameter("name message ids as 'ordercast webhook dead' has them, or --all")
    count = _run(database_url, lambda webhooks, _: webhooks.resend(id, message_ids or None))
    out.print(f"{count} {'message is' if count == 1 else 'messages are'} tried again by the server.")


@commands.command("test")
def send_test(id: WebhookId, database_url: DatabaseUrl = None) -> None:
    """Send a message of type webhook.test from here, and print what the receiver said."""
    answer = _run(database_url, lambda webhooks, _: webhooks.test(id))
    _json(answer_view(answer))
    if not answer.ok:
        raise typer.Exit(1)


def _state(endpoint: Endpoint) -> str:
    state = "enabled" if endpoint.enabled else "disabled"
    return f"{state}: {endpoint.problem}" if endpoint.problem else state


def _secret(endpoint: Endpoint, as_json: bool) -> None:
    if as_json:
        _json(secret_view(endpoint, Tally()))
        return
    out.print(f"id      {endpoint.id}")
    out.print(f"secret  {endpoint.secrets[0].value}", markup=False)
    out.print("Keep the secret where the receiver verifies with it: it is not shown again.")


def _json(value: Any) -> None:
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))
