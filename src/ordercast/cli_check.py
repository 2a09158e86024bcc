"""``ordercast check``: what is wrong, and how to mend it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from rich.console import Console
from rich.markup import escape

from ordercast.auth import TokenVerifier
from ordercast.config import Loaded, Settings
from ordercast.config_environment import unknown_settings
from ordercast.config_forms import NO_REDIS
from ordercast.errors import OrdercastError, SettingsError
from ordercast.orders.workflow import load_workflow
from ordercast.storage import database, webhook_check


def check_all(loaded: Loaded, out: Console, *, offline: bool) -> bool:
    """Says how everything is, and returns whether it is well. ``offline``: only what the settings say, and the files
    that they name."""
    settings, notes = loaded.settings, loaded.notes()
    _tell_settings(loaded, out)
    checks: list[tuple[str, Callable[[], str]]] = [
        ("tokens", lambda: asyncio.run(_check_tokens(settings, offline))),
        ("workflow", lambda: _check_workflow(settings)),
    ]
    if not offline:
        checks += [
            ("database", lambda: database.check(settings)),
            ("webhooks", lambda: _check_webhooks(settings, notes)),
            ("redis", lambda: asyncio.run(_check_redis(settings))),
        ]
    well = True
    for name, do in checks:
        try:
            out.print(f"[green]ok[/]    {name:<9} {escape(do())}")
        except OrdercastError as error:
            well = False
            out.print(f"[red]wrong[/] {name:<9} {escape(str(error))}")
    for sentence in (*notes, *unknown_settings()):
        out.print(f"[yellow]note[/]  {escape(sentence)}")
    return well


def _tell_settings(loaded: Loaded, out: Console) -> None:
    """Which file was read, and where each setting that is not the default comes from."""
    file = loaded.settings.config or "no file: the environment and the options alone"
    out.print(f"[green]ok[/]    settings  {escape(str(file))}")
    rows = loaded.described()
    width = max((len(name) for name, _, _ in rows), default=0)
    for name, value, source in rows:
        out.print(f"      {name:<{width}}  {value}  from {source}", markup=False)


async def _check_tokens(settings: Settings, offline: bool) -> str:
    verifier = TokenVerifier.from_settings(settings)
    try:
        if not offline and (problems := await verifier.problems()):
            raise SettingsError(" ".join(problems))
    finally:
        await verifier.close()
    return "keys in the settings" if verifier.is_local else f"keys from {settings.jwks_url}"


def _check_workflow(settings: Settings) -> str:
    workflow = load_workflow(settings.workflow, settings.status_map)
    theirs = f", {len(workflow.names)} of the shop's own names for them" if workflow.names else ""
    return f"{len(workflow.statuses)} statuses{theirs}"


def _check_webhooks(settings: Settings, notes: list[str]) -> str:
    count, sentences = webhook_check.look(settings)
    notes += sentences
    return f"{count}{', not all of them well' if sentences else ''}"


async def _check_redis(settings: Settings) -> str:
    if settings.redis_url is None:
        return "not set: one node"
    from redis.asyncio import Redis
    from redis.exceptions import RedisError

    try:
        async with Redis.from_url(settings.redis_url, socket_connect_timeout=5) as redis:
            await redis.ping()
    except ValueError:
        raise SettingsError(NO_REDIS) from None
    except (RedisError, OSError) as error:
        raise SettingsError(f"Redis does not answer ({error}): start it, or correct ORDERCAST_REDIS_URL") from None
    return "answers"
