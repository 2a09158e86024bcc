"""What this node has asked others and waits to hear, pure but for the futures."""

from __future__ import annotations

import asyncio
from typing import Any

from ordercast.socketio.cluster import Answers
from ordercast.socketio.cluster_read import CLIENT_ACK, CLIENT_COUNT, Response


class Ask:
    """A question to all other nodes, each of which answers once."""

    def __init__(self) -> None:
        self.nodes: int | None = None
        self.answers: list[Response] = []
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def expect(self, nodes: int) -> None:
        """How many will answer is known; answers may be there already."""
        self.nodes = nodes
        self._look()

    def receive(self, response: Response) -> None:
        """An answer, or a part of one."""
        self.answers.append(response)
        self._look()

    @property
    def complete(self) -> bool:
        """Whether all has been heard."""
        return self.nodes is not None and len(self.answers) >= self.nodes

    def _look(self) -> None:
        if self.complete and not self.done.done():
            self.done.set_result(None)


class AckAsk(Ask):
    """A question to clients of other nodes: each node says how many it asked, and passes on what each answers."""

    def __init__(self) -> None:
        super().__init__()
        self.clients = 0
        self.responses: list[Any] = []

    def receive(self, response: Response) -> None:
        if response.type == CLIENT_COUNT and response.client_count is not None:
            self.clients += response.client_count
            self.answers.append(response)
        elif response.type == CLIENT_ACK:
            self.responses.append(response.packet)
        self._look()

    @property
    def complete(self) -> bool:
        return super().complete and len(self.responses) >= self.clients

    def result(self) -> Answers:
        """What was heard."""
        nodes = 1 if self.nodes is None else max(self.nodes - len(self.answers), 0)
        return Answers(self.responses, max(self.clients - len(self.responses), 0), nodes)
