"""Runs an `Ordercast` under uvicorn, with errors that say what to do."""

from __future__ import annotations

import asyncio
import errno
import gc
import signal
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from types import FrameType
from typing import Any

import structlog
import uvicorn
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from ordercast.app import Ordercast
from ordercast.config import Settings
from ordercast.errors import SettingsError
from ordercast.reloading import Reloader

_log = structlog.get_logger("ordercast")

_BACKLOG = 2_048
_SHUTDOWN = 5  # s that requests under way may take, after the clients have left


def bind(settings: Settings) -> socket.socket:
    """A socket for `serve`, at its address but not listening yet: nobody is to wait for a server whose database may
    not open. Raises `SettingsError` where the address is taken or not ours."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
    except OSError as error:
        listener.close()
        raise _cannot_listen(settings.host, settings.port, error) from None
    return listener


def _listen(listener: socket.socket) -> None:
    """Lets clients connect. Raises `SettingsError` where another program began to listen there after our `bind`."""
    try:
        listener.listen(_BACKLOG)
    except OSError as error:
        host, port = listener.getsockname()[:2]
        raise _cannot_listen(host, port, error) from None


def _cannot_listen(host: str, port: int, error: OSError) -> SettingsError:
    where = f"{host}:{port}"
    if error.errno == errno.EADDRINUSE:
        return SettingsError(
            f"Port {port} is taken: stop the program that listens on {where}, or choose another --port"
        )
    return SettingsError(f"Cannot listen on {where} ({error.strerror}): choose another --host or --port")


def url_of(listener: socket.socket) -> str:
    """Where the listener can be reached from this machine."""
    host, port = listener.getsockname()[:2]
    if host in ("0.0.0.0", "::"):  # noqa: S104 - compared, not bound
        host = "127.0.0.1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class _Server(uvicorn.Server):
    """uvicorn's server, told to stop by a signal that first ends our connections in words clients understand."""

    def __init__(self, config: uvicorn.Config, ordercast: Ordercast) -> None:
        super().__init__(config)
        self._ordercast = ordercast

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        # As uvicorn's own, but without raising the signal again at the end: the database is still to be closed then.
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        # Before uvicorn closes its listener: whoever asks now is sent elsewhere, and /health/ready says so.
        self._ordercast.io.engine.stop_accepting()
        super().handle_exit(sig, frame)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await self._ordercast.leave()
        await super().shutdown(sockets)


class _Proxied:
    """The application, with the addresses of clients from the proxies that are trusted now."""

    def __init__(self, ordercast: Ordercast) -> None:
        self._ordercast = ordercast
        self._proxies: tuple[str, ...] = ()
        self._app: Any = ordercast.asgi

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if (proxies := self._ordercast.settings.trusted_proxies) is not self._proxies:
            self._proxies = proxies
            app: Any = self._ordercast.asgi
            self._app = ProxyHeadersMiddleware(app, list(proxies)) if proxies else app
        await self._app(scope, receive, send)


def raise_file_limit() -> None:
    """Each connection is an open file, and the usual soft limit of 1,024 is no limit of this machine's."""
    try:
        import resource
    except ImportError:  # Windows
        return
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


@contextmanager
def _short_collections() -> Iterator[None]:
    """Keeps what was made by now out of garbage collections: going through all that is imported takes up to 100 ms,
    in which nobody hears anything, and finds nothing."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


async def serve(
    ordercast: Ordercast,
    listener: socket.socket,
    beside: Callable[[], Awaitable[None]] | None = None,
    own: socket.socket | None = None,
    reloader: Reloader | None = None,
) -> None:
    """Serves until SIGINT or SIGTERM. ``beside`` runs as long, on the same loop. ``own``: where other nodes reach this
    one, if the listener is not its alone. ``reloader`` takes SIGHUP meanwhile. Raises `StorageError`, and
    `SettingsError` where the listener's port was taken meanwhile."""
    listeners = [listener] if own is None else [listener, own]
    config = uvicorn.Config(
        _Proxied(ordercast),
        lifespan="off",
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=_SHUTDOWN,
        backlog=_BACKLOG,
        proxy_headers=False,  # `_Proxied` sees to them
        **ordercast.uvicorn_settings(),
    )
    ordercast.port = listeners[-1].getsockname()[1]
    async with ordercast:
        with _short_collections():
            for each in listeners:
                _listen(each)
            server = _Server(config, ordercast)
            task = asyncio.ensure_future(beside()) if beside is not None else None
            try:
                # Signals first: who hears that it listens may tell it at once to stop, or to read its settings.
                with server.capture_signals(), reloader.listening() if reloader is not None else nullcontext():
                    _log.info(f"Ordercast listens on {url_of(listener)}")
                    await server.serve(sockets=listeners)
            finally:
                if task is not None:
                    task.cancel()
                    with suppress(asyncio.CancelledError):
                        await task


def run(main: Awaitable[None]) -> None:
    """Runs on uvloop where there is one, and as the last thing that this process does."""
    raise_file_limit()
    try:
        import uvloop
    except ImportError:  # Windows
        factory = asyncio.new_event_loop
    else:
        factory = uvloop.new_event_loop

    async def awaited() -> None:
        await main

    with asyncio.Runner(loop_factory=factory) as runner, suppress(KeyboardInterrupt):
        runner.run(awaited())
    gc.freeze()  # or the interpreter would look through all of it before it ends
