"""Socket.IO: namespaces, events, acknowledgements and rooms over `ordercast.engineio`.

``from ordercast.socketio import Server`` is a Socket.IO server for anything. https://socket.io/docs/v4/
"""

from ordercast.socketio.errors import ConnectError
from ordercast.socketio.namespace import Namespace
from ordercast.socketio.operator import BroadcastOperator
from ordercast.socketio.server import Server
from ordercast.socketio.socket import Handshake, Socket

__all__ = ["BroadcastOperator", "ConnectError", "Handshake", "Namespace", "Server", "Socket"]
