"""Ordercast: live order status over Socket.IO.

``from ordercast import Ordercast, Settings`` is the whole of it as a library; `open_orders` and `open_orders_sync` are
the orders alone, for processes that serve nobody; ``from ordercast.socketio import Server`` is the Socket.IO server
alone, and imports nothing else.
"""

from typing import TYPE_CHECKING, Any

from ordercast.version import __version__

if TYPE_CHECKING:
    from ordercast.app import Ordercast
    from ordercast.config import Settings
    from ordercast.opening import open_orders, open_orders_sync

__all__ = ["Ordercast", "Settings", "__version__", "open_orders", "open_orders_sync"]


def __getattr__(name: str) -> Any:
    """Imports them when first asked for (PEP 562)."""
    if name == "Ordercast":
        from ordercast.app import Ordercast

        return Ordercast
    if name == "Settings":
        from ordercast.config import Settings

        return Settings
    if name in ("open_orders", "open_orders_sync"):
        from ordercast import opening

        return getattr(opening, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
