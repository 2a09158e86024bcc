"""What waits to be published, bounded, and how it is written."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass

from ordercast.socketio.cluster import Counters


@dataclass(slots=True)
class Message:
    """``time``: when it was queued, on the event loop's clock."""

    channel: bytes
    payload: bytes
    time: float
    counted: asyncio.Future[int] | None = None  # of how many hear the channel

    @property
    def size(self) -> int:
        """In bytes."""
        return len(self.channel) + len(self.payload)

    def packed(self) -> bytes:
        """The commands that publish it, counting first if need be."""
        publish = pack(b"PUBLISH", self.channel, self.payload)
        return publish if self.counted is None else pack(b"PUBSUB", b"NUMSUB", self.channel) + publish


class Queue:
    """Messages in their order. Past ``max_bytes`` the oldest are dropped and counted."""

    __slots__ = ("_bytes", "_counters", "_max_bytes", "_messages")

    def __init__(self, max_bytes: int, counters: Counters) -> None:
        self._messages: deque[Message] = deque()
        self._bytes = 0
        self._max_bytes = max_bytes
        self._counters = counters

    def put(self, message: Message) -> None:
        """Adds one at the end."""
        self._messages.append(message)
        self._bytes += message.size
        while self._bytes > self._max_bytes:
            self._pop()
            self._counters.dropped += 1

    def take(self, oldest: float) -> Message | None:
        """The first one that was queued at ``oldest`` or later; those before are dropped and counted."""
        while self._messages:
            message = self._pop()
            if message.time >= oldest:
                return message
            self._counters.dropped += 1
        return None

    def _pop(self) -> Message:
        message = self._messages.popleft()
        self._bytes -= message.size
        return message

    def __len__(self) -> int:
        return len(self._messages)


def pack(*words: bytes) -> bytes:
    """A command as Redis reads it. https://redis.io/docs/latest/develop/reference/protocol-spec/"""
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%b\r\n" % (len(word), word) for word in words)
