"""Engine.IO: sessions over long-polling and WebSocket. Knows no events, no rooms, no orders.

https://socket.io/docs/v4/engine-io-protocol/
"""

from ordercast.engineio.disconnects import Disconnect
from ordercast.engineio.options import Options
from ordercast.engineio.packet import Packet, PacketType, message
from ordercast.engineio.request import Request
from ordercast.engineio.server import EngineServer, Handler
from ordercast.engineio.session import Session

__all__ = ["Disconnect", "EngineServer", "Handler", "Options", "Packet", "PacketType", "Request", "Session", "message"]
