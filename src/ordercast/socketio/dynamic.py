"""Namespaces that come to be when a client asks for them. https://socket.io/docs/v4/namespaces/#dynamic-namespaces"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ordercast.socketio.namespace import Namespace

if TYPE_CHECKING:
    from ordercast.socketio.server import Server

Match = re.Pattern[str] | Callable[[str, dict[str, Any]], bool]
"""Which names there may be: a pattern of the whole name, or a function of the name and the client's ``auth``."""


class DynamicNamespace(Namespace):
    """Gives its middleware and listeners to each namespace whose name it matches.

    A child is there while it has sockets. What is emitted here goes to all children; their rooms are their own.
    """

    def __init__(self, server: Server, match: Match) -> None:
        super().__init__(server, match.pattern if isinstance(match, re.Pattern) else "/*")
        self.children: dict[str, Namespace] = {}
        self._match = match

    def matches(self, name: str, auth: dict[str, Any]) -> bool:
        """Whether a client may have a namespace of this name."""
        if isinstance(self._match, re.Pattern):
            return self._match.fullmatch(name) is not None
        return self._match(name, auth)

    def child(self, name: str) -> Namespace:
        """The namespace of a name that matched."""
        if name not in self.children:
            self.children[name] = _Child(self, name)
        return self.children[name]

    def emit(self, event: str, *args: Any) -> None:
        """Sends an event to everyone in every child."""
        for child in tuple(self.children.values()):
            child.emit(event, *args)

    def server_side_emit(self, event: str, *args: Any) -> None:
        """Sends an event to the nodes that have the same children."""
        for child in tuple(self.children.values()):
            child.server_side_emit(event, *args)


class _Child(Namespace):
    def __init__(self, parent: DynamicNamespace, name: str) -> None:
        super().__init__(parent.server, name)
        self._parent = parent
        self._middleware = parent._middleware
        self._listeners = parent._ensure()
        self._server_side = parent._server_side

    def emptied(self) -> None:
        self._parent.children.pop(self.name, None)
        self.server.forget_namespace(self)
