"""The REST API, over aiohttp."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import aiohttp

from ordercast.client.answers import NOT_OURS
from ordercast.client.errors import Problem, Unreachable
from ordercast.client.tokens import Tokens

PATIENCE = 30.0
"""s that an answer may take: longer than the server itself waits for its database."""

Query = Mapping[str, str | int | float | None]


def base_of(url: str) -> str:
    """Where the server is, with a slash at the end. Raises ``ValueError`` for what is no address of one."""
    found = re.match(r"https?://[^/?#]+[^?#]*", url, re.I)
    if found is None:
        raise ValueError(f"{url!r} is no URL of an Ordercast server; give one like https://shop.example")
    return found[0].rstrip("/") + "/"


class Rest:
    """Requests with the token at hand, and once more with a new one where that was refused."""

    def __init__(self, base: str, tokens: Tokens, session: aiohttp.ClientSession) -> None:
        self._root = f"{base}api/"
        self._tokens = tokens
        self._session = session

    async def call(
        self,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        body: Any = None,
        idempotency_key: str | None = None,
        patience: float = PATIENCE,
    ) -> Any:
        """One request to ``/api/{path}``; the JSON of the answer. Raises `Problem`, `TokenError`, `Unreachable`."""
        headers = {} if idempotency_key is None else {"Idempotency-Key": idempotency_key}
        token = await self._tokens.current()
        try:
            return await self._once(method, path, query, body, headers, patience, token)
        except Problem as problem:
            if problem.status != 401 or not self._tokens.renewable:
                raise
        renewed = await self._tokens.after(token)
        return await self._once(method, path, query, body, headers, patience, renewed)

    async def _once(
        self,
        method: str,
        path: str,
        query: Query | None,
        body: Any,
        headers: Mapping[str, str],
        patience: float,
        token: str,
    ) -> Any:
        headers = {**headers, "Authorization": f"Bearer {token}", "Accept": "application/json"}
        params = {name: str(value) for name, value in (query or {}).items() if value is not None}
        timeout = aiohttp.ClientTimeout(total=patience)
        try:
            async with self._session.request(
                method, self._root + path, params=params, json=body, headers=headers, timeout=timeout
            ) as response:
                status, text = response.status, await response.text()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Unreachable(f"{self._root} cannot be reached: {str(error) or 'no answer in time'}") from error
        return _answer(status, text)


def _answer(status: int, text: str) -> Any:
    try:
        said = json.loads(text) if text else None
    except ValueError:
        said = text
    if not 200 <= status < 300:
        raise Problem(status, said if isinstance(said, dict) else {})
    if isinstance(said, str):
        raise Unreachable(NOT_OURS)
    return said
