"""What one write carries."""

from __future__ import annotations

from collections.abc import Iterable

from ordercast.engineio.packet import Packet
from ordercast.engineio.payload import encode_payload, encode_payload_v3


class Batch(list[Packet]):
    """Packets that go out in one write. A broadcast has the same ones for client after client, so what they are joined
    to is made once, in each form that is asked for. Not to be changed."""

    __slots__ = ("_frames", "_payload", "_payloads_v3")

    def __init__(self, packets: Iterable[Packet] = ()) -> None:
        super().__init__(packets)
        self._frames: bytes | None = None
        self._payload: bytes | None = None
        self._payloads_v3: dict[bool, tuple[bytes, bool]] = {}

    @property
    def frames(self) -> bytes:
        """The packets as WebSocket frames."""
        if self._frames is None:
            self._frames = b"".join([packet.frame for packet in self])
        return self._frames

    def frames_v3(self, base64: bool) -> bytes:
        """The same for protocol 3, with ``base64`` for a client that asked for it. Text has the same frames there."""
        if not any(packet.binary for packet in self):
            return self.frames
        return b"".join([packet.frame_v3_base64 if base64 else packet.frame_v3 for packet in self])

    @property
    def payload(self) -> bytes:
        """The body of a polling response."""
        if self._payload is None:
            self._payload = encode_payload(self)
        return self._payload

    def payload_v3(self, base64: bool) -> tuple[bytes, bool]:
        """The same for protocol 3, and whether it is in the binary form."""
        made = self._payloads_v3.get(base64)
        if made is None:
            made = self._payloads_v3[base64] = encode_payload_v3(self, base64)
        return made


def complete(packets: list[Packet]) -> Batch:
    """The packets, and the trailer of the last one that has any; a trailer may be its own."""
    batch = Batch(packets)
    for packet in reversed(packets):
        if packet.trailer is not None:
            if packet.trailer is not packet:
                batch.append(packet.trailer)
            break
    return batch
