"""Ordercast: live order status over Socket.IO.

``from ordercast import Ordercast, Settings`` is the whole of it as a library; ``from ordercast.socketio import Server``
is the Socket.IO server alone, and imports nothing else.
"""

from typing import TYPE_CHECKING, Any

from ordercast.version import __version__

if TYPE_CHECKING:
    from ordercast.app import Ordercast
    from ordercast.config import Settings

__all__ = ["Ordercast", "Settings", "__version__"]


def __getattr__(name: str) -> Any:
    """Imports the two when first asked for (PEP 562)."""
    if name == "Ordercast":
        from ordercast.app import Ordercast

        return Ordercast
    if name == "Settings":
        from ordercast.config import Settings

        return Settings
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
