"""``ordercast demo``: a shop to look at."""

from __future__ import annotations

import secrets
import tempfile
from typing import Annotated, Any

import typer

from ordercast.cli_words import Host, Port, in_words, out, settings_of
from ordercast.errors import SettingsError
from ordercast.imports import uncollected
from ordercast.orders.principal import Principal, Role

commands = typer.Typer()


@commands.command()
@in_words
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
        settings = settings_of(own, host=host, port=port)
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
            out.print("\n[bold]A shop is open.[/] Its orders move by themselves; open these side by side:\n")
            out.print(f"  operator  {base}/board#token={operator}", markup=False)
            out.print(f"  customer  {customer}\n", markup=False)
            out.print(f"  API       {base}/docs", markup=False)
            out.print("\nCtrl+C closes it and forgets everything.\n")
            await demo_shop.run()

        run(serve(ordercast, listener, shop))
