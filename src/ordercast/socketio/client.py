"""What a session carries: the client's sockets, one per namespace, and its half-received binary packet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ordercast.engineio import Session, disconnects
from ordercast.socketio.errors import ConnectError, PacketError
from ordercast.socketio.packet import Packet, PacketType, decode, encode, put_back

if TYPE_CHECKING:
    from ordercast.socketio.server import Server
    from ordercast.socketio.socket import Socket

_MAX_REFUSALS = 16  # after which a session that tries again and again is not worth its log lines
_MAX_NAMESPACES = 16  # per session, connected or connecting


class Client:
    """The Socket.IO side of one engine session."""

    __slots__ = (
        "_buffers",
        "_connecting",
        "_early",
        "_partial",
        "_refusals",
        "_server",
        "joined",
        "legacy",
        "session",
        "sockets",
    )

    def __init__(self, server: Server, session: Session) -> None:
        self._server = server
        self.session = session
        self.sockets: dict[str, Socket] = {}
        self.legacy = session.protocol == 3  # Socket.IO 1.x or 2.x
        self._refusals = 0
        self.joined = False  # whether any namespace was ever joined, or need not be
        self._early: list[str] | None = None  # namespaces that a legacy client asked for before it was in "/"
        self._connecting: dict[str, Socket] | None = None  # whom middleware still looks at
        self._partial: Packet | None = None
        self._buffers: list[bytes] | None = None

    def message(self, data: str | bytes) -> None:
        """A message of the session. One that breaks the protocol ends the session with a parse error."""
        try:
            if isinstance(data, str):
                if self._partial is not None:
                    raise PacketError("text where an attachment was due")
                packet = decode(data, self._server.max_depth, self._server.max_digits)
                if packet.attachments:
                    self._begin_binary(packet)
                else:
                    self._packet(packet)
            else:
                self._attachment(data)
        except PacketError:
            self.session.close(disconnects.PARSE_ERROR)

    def _begin_binary(self, packet: Packet) -> None:
        if packet.attachments > self._server.max_attachments:
            raise PacketError(f"more than {self._server.max_attachments} attachments")
        self._partial, self._buffers = packet, []
        self._server.await_attachments(self, packet)

    def _attachment(self, data: bytes) -> None:
        packet, buffers = self._partial, self._buffers
        if packet is None or buffers is None:
            raise PacketError("attachment of nothing")
        buffers.append(data)
        if sum(map(len, buffers)) > self._server.max_attachment_bytes:
            raise PacketError(f"attachments of more than {self._server.max_attachment_bytes} bytes")
        if len(buffers) == packet.attachments:
            self._partial = self._buffers = None
            packet.data = put_back(packet.data, buffers)
            self._packet(packet)

    def attachments_due(self, packet: Packet) -> None:
        """A packet's attachments have had their time."""
        if self._partial is packet:
            self.session.close(disconnects.ATTACHMENT_TIMEOUT)

    def _packet(self, packet: Packet) -> None:
        if packet.type is PacketType.CONNECT:
            self._connect(packet)
            return
        socket = self.sockets.get(packet.nsp)
        if socket is None:
            # A packet that crossed our DISCONNECT on the way is no mistake; one before any CONNECT is.
            if self._connecting is not None and packet.type is PacketType.DISCONNECT:
                self._connecting.pop(packet.nsp, None)
            elif not (self.joined or self._connecting or self.legacy):
                raise PacketError("packet before CONNECT")
            return
        if packet.type is PacketType.DISCONNECT:
            socket.namespace.remove(socket, disconnects.CLIENT_DISCONNECT)
        elif packet.type in (PacketType.EVENT, PacketType.BINARY_EVENT):
            socket.namespace.event(socket, packet.data[0], packet.data[1:], packet.id)
        elif packet.id is not None:
            socket.acknowledged(packet.id, packet.data)

    def begin(self) -> None:
        """The session is open. A legacy client asks for no connection to "/": it is given one."""
        if self.legacy:
            self._connect_to("/", "", {})

    def _connect(self, packet: Packet) -> None:
        if not self.legacy:
            self._connect_to(packet.nsp, "", packet.data or {})
            return
        name, _, query = packet.nsp.partition("?")
        if name == "/":
            return  # connected without asking
        if "/" in self.sockets:
            self._connect_to(name, query, {})
        else:
            self._early = self._early or []
            if len(self._early) >= _MAX_NAMESPACES:
                raise PacketError(f"more than {_MAX_NAMESPACES} namespaces")
            self._early.append(packet.nsp)

    def _connect_to(self, name: str, query: str, auth: dict[str, Any]) -> None:
        connecting = self._connecting or {}
        if name in self.sockets or name in connecting:
            raise PacketError("already connected to this namespace")
        if len(self.sockets) + len(connecting) >= _MAX_NAMESPACES:
            raise PacketError(f"more than {_MAX_NAMESPACES} namespaces")
        namespace = self._server.find_namespace(name, auth)
        if namespace is None:
            self.refuse(name, ConnectError("Invalid namespace"))
        else:
            namespace.connect(self, self._socket_id(name), auth, query)

    def _socket_id(self, name: str) -> str:
        """Random, so that it gives nobody the session; legacy clients make theirs up from the session's."""
        if not self.legacy:
            return self._server.cluster.socket_id()
        return self.session.id if name == "/" else f"{name}#{self.session.id}"

    def connecting(self, socket: Socket) -> None:
        """Middleware begins to look at a socket."""
        self._connecting = self._connecting or {}
        self._connecting[socket.namespace.name] = socket

    def waits_for(self, socket: Socket) -> bool:
        """Whether the client still wants this socket: it may have gone, said DISCONNECT, or asked anew meanwhile."""
        wanted = self._connecting is not None and self._connecting.get(socket.namespace.name) is socket
        return wanted and self.session.why is None

    def connected(self, socket: Socket) -> None:
        """Middleware let a socket in."""
        self._settled(socket)
        self._stays()
        self.sockets[socket.namespace.name] = socket
        hello = {"sid": socket.id} if socket.pid is None else {"sid": socket.id, "pid": socket.pid}
        socket.send_packet(PacketType.CONNECT, None if self.legacy else hello)

    def after_connect(self) -> None:
        """A namespace has been joined, and its listener told: what waited for "/" goes on."""
        early, self._early = self._early, None
        try:
            for nsp in early or ():
                name, _, query = nsp.partition("?")
                self._connect_to(name, query, {})
        except PacketError:
            self.session.close(disconnects.PARSE_ERROR)

    def refused(self, socket: Socket, error: ConnectError) -> None:
        """Middleware refused; the client may try again."""
        if self.waits_for(socket):
            self._settled(socket)
            self.refuse(socket.namespace.name, error)
            if self.legacy and error.keep_session:
                self._stays()
            self._refusals += 1
            if self._refusals >= _MAX_REFUSALS:
                self.session.close(disconnects.TOO_MANY_MESSAGES)

    def refuse(self, name: str, error: ConnectError) -> None:
        """Tells the client that, and why, it is not in a namespace."""
        data: Any = {"message": error.message}
        if self.legacy:
            data = error.message if error.data is None else error.data
        elif error.data is not None:
            data["data"] = error.data
        for packet in encode(PacketType.CONNECT_ERROR, name, data):
            self.session.send(packet)

    def give_up(self) -> None:
        """The client has joined nothing in time. A legacy one that was refused stays away only if told to."""
        if self.legacy:
            for packet in encode(PacketType.DISCONNECT):
                self.session.send(packet)
            self.session.close(disconnects.REFUSED)
        else:
            self.session.close(disconnects.CONNECT_TIMEOUT)

    def _stays(self) -> None:
        self.joined = True
        self.session.server.gate.joined(self.session)

    def _settled(self, socket: Socket) -> None:
        if self._connecting is not None:
            self._connecting.pop(socket.namespace.name, None)
            if not self._connecting:
                self._connecting = None

    def left(self, socket: Socket) -> None:
        """A socket has left its namespace."""
        self.sockets.pop(socket.namespace.name, None)

    def closed(self, why: disconnects.Disconnect) -> None:
        """The session is over, and with it every socket."""
        for socket in list(self.sockets.values()):
            socket.namespace.remove(socket, why)
