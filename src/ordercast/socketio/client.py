"""What a session carries: the client's sockets, one per namespace, and its half-received binary packet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ordercast.engineio import Session, disconnects
from ordercast.socketio.errors import PacketError
from ordercast.socketio.packet import Packet, PacketType, decode, encode, put_back

if TYPE_CHECKING:
    from ordercast.socketio.namespace import Namespace
    from ordercast.socketio.server import Server
    from ordercast.socketio.socket import Socket

_MAX_NAMESPACES = 16  # per session, connected or connecting


class Client:
    """The Socket.IO side of one engine session."""

    __slots__ = ("_buffers", "_connecting", "_partial", "_server", "_session", "joined", "sockets")

    def __init__(self, server: Server, session: Session) -> None:
        self._server = server
        self._session = session
        self.sockets: dict[str, Socket] = {}
        self.joined = False  # whether any namespace was ever joined
        self._connecting: set[str] | None = None
        self._partial: Packet | None = None
        self._buffers: list[bytes] | None = None

    def message(self, data: str | bytes) -> None:
        """A message of the session. One that breaks the protocol ends the session with a parse error."""
        try:
            if isinstance(data, str):
                if self._partial is not None:
                    raise PacketError("text where an attachment was due")
                packet = decode(data)
                if packet.attachments:
                    self._begin_binary(packet)
                else:
                    self._packet(packet)
            else:
                self._attachment(data)
        except PacketError:
            self._session.close(disconnects.PARSE_ERROR)

    def _begin_binary(self, packet: Packet) -> None:
        if packet.attachments > self._server.max_attachments:
            raise PacketError(f"more than {self._server.max_attachments} attachments")
        self._partial, self._buffers = packet, []

    def _attachment(self, data: bytes) -> None:
        packet, buffers = self._partial, self._buffers
        if packet is None or buffers is None:
            raise PacketError("attachment of nothing")
        buffers.append(data)
        if len(buffers) == packet.attachments:
            self._partial = self._buffers = None
            packet.data = put_back(packet.data, buffers)
            self._packet(packet)

    def _packet(self, packet: Packet) -> None:
        if packet.type is PacketType.CONNECT:
            self._connect(packet)
            return
        socket = self.sockets.get(packet.nsp)
        if socket is None:
            # A packet that crossed our DISCONNECT on the way is no mistake; one before any CONNECT is.
            if not self.joined and not self._connecting:
                raise PacketError("packet before CONNECT")
            return
        if packet.type is PacketType.DISCONNECT:
            socket.namespace.remove(socket, disconnects.CLIENT_DISCONNECT)
        elif packet.type in (PacketType.EVENT, PacketType.BINARY_EVENT):
            socket.namespace.event(socket, packet.data[0], packet.data[1:], packet.id)
        elif packet.id is not None:
            socket.acknowledged(packet.id, packet.data)

    def _connect(self, packet: Packet) -> None:
        namespace = self._server.find_namespace(packet.nsp.partition("?")[0])
        if namespace is None:
            for reply in encode(PacketType.CONNECT_ERROR, packet.nsp, {"message": "Invalid namespace"}):
                self._session.send(reply)
            return
        connecting = self._connecting = self._connecting or set()
        if namespace.name in self.sockets or namespace.name in connecting:
            raise PacketError("already connected to this namespace")
        if len(self.sockets) + len(connecting) >= _MAX_NAMESPACES:
            raise PacketError(f"more than {_MAX_NAMESPACES} namespaces")
        connecting.add(namespace.name)
        namespace.connect(self._session, packet.data or {}, self._connected)

    def _connected(self, socket: Socket) -> None:
        self._settled(socket.namespace)
        self.joined = True
        self.sockets[socket.namespace.name] = socket

    def refused(self, namespace: Namespace) -> None:
        """Middleware refused; the client may try again."""
        self._settled(namespace)

    def _settled(self, namespace: Namespace) -> None:
        if self._connecting is not None:
            self._connecting.discard(namespace.name)
            if not self._connecting:
                self._connecting = None

    def left(self, socket: Socket) -> None:
        """A socket has left its namespace."""
        self.sockets.pop(socket.namespace.name, None)

    def closed(self, why: disconnects.Disconnect) -> None:
        """The session is over, and with it every socket."""
        for socket in list(self.sockets.values()):
            socket.namespace.remove(socket, why)
