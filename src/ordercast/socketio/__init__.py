"""Socket.IO: namespaces, events, acknowledgements and rooms over `ordercast.engineio`.

``from ordercast.socketio import Server`` is a Socket.IO server for anything. https://socket.io/docs/v4/
"""

from ordercast.socketio.cluster import Cluster, Counters
from ordercast.socketio.dynamic import DynamicNamespace
from ordercast.socketio.errors import AckTimeout, ClusterTimeout, ConnectError
from ordercast.socketio.namespace import Namespace
from ordercast.socketio.operator import BroadcastOperator
from ordercast.socketio.remote import RemoteSocket
from ordercast.socketio.server import Server
from ordercast.socketio.socket import Handshake, Socket

__all__ = [
    "AckTimeout",
    "BroadcastOperator",
    "Cluster",
    "ClusterTimeout",
    "ConnectError",
    "Counters",
    "DynamicNamespace",
    "Handshake",
    "Namespace",
    "RemoteSocket",
    "Server",
    "Socket",
]
