"""Who listens to what: any number of listeners per event, called in the order they came."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, overload

Listener = Callable[..., Awaitable[Any] | Any]

_NONE: tuple[Listener, ...] = ()


class Listeners:
    """Listeners by event, and catch-all ones. Made only where there are any, since there is one set per socket."""

    __slots__ = ("_any", "_any_outgoing", "_by_event")

    def __init__(self) -> None:
        self._by_event: dict[str, tuple[Listener, ...]] = {}
        self._any: tuple[Listener, ...] = _NONE
        self._any_outgoing: tuple[Listener, ...] = _NONE

    def of(self, event: str) -> tuple[Listener, ...]:
        """The listeners to an event."""
        return self._by_event.get(event, _NONE)

    @property
    def any(self) -> tuple[Listener, ...]:
        """The catch-all listeners."""
        return self._any

    @property
    def any_outgoing(self) -> tuple[Listener, ...]:
        """The catch-all listeners to what is sent."""
        return self._any_outgoing

    def add(self, event: str, listener: Listener) -> None:
        """Adds a listener to an event."""
        self._by_event[event] = (*self.of(event), listener)

    def add_any(self, listener: Listener) -> None:
        """Adds a catch-all listener."""
        self._any = (*self._any, listener)

    def add_any_outgoing(self, listener: Listener) -> None:
        """Adds a catch-all listener to what is sent."""
        self._any_outgoing = (*self._any_outgoing, listener)

    def remove(self, event: str, listener: Listener | None) -> None:
        """Removes a listener, or with ``None`` all of an event's. One that is not there is no error."""
        rest = () if listener is None else tuple(one for one in self.of(event) if not _is(one, listener))
        if rest:
            self._by_event[event] = rest
        else:
            self._by_event.pop(event, None)

    def remove_any(self, listener: Listener | None) -> None:
        """Removes a catch-all listener, in or out, or with ``None`` all."""
        if listener is None:
            self._any = self._any_outgoing = _NONE
        else:
            self._any = tuple(one for one in self._any if one != listener)
            self._any_outgoing = tuple(one for one in self._any_outgoing if one != listener)


class _Once:
    """A listener that leaves before its first call."""

    def __init__(self, emitter: Emitter, event: str, listener: Listener) -> None:
        self.emitter = emitter
        self.event = event
        self.listener = listener

    def __call__(self, *args: Any) -> Any:
        self.emitter.off(self.event, self)
        return self.listener(*args)


def _is(one: Listener, listener: Listener) -> bool:
    return one == listener or (isinstance(one, _Once) and one.listener == listener)


class Emitter:
    """What has listeners: a `Socket` or a `Namespace`. The methods are those of Node.js's EventEmitter and of
    https://socket.io/docs/v4/listening-to-events/."""

    __slots__ = ("_listeners",)

    def __init__(self) -> None:
        self._listeners: Listeners | None = None

    def _ensure(self) -> Listeners:
        if self._listeners is None:
            self._listeners = Listeners()
        return self._listeners

    @overload
    def on(self, event: str) -> Callable[[Listener], Listener]: ...
    @overload
    def on(self, event: str, listener: Listener) -> Listener: ...
    def on(self, event: str, listener: Listener | None = None) -> Any:
        """Listens to an event; plain or async, also as a decorator.

        What the first listener to a client's event returns is its acknowledgement, where the client asks for one:
        nothing for ``None``, several arguments for a tuple.
        """
        if listener is None:
            return lambda function: self.on(event, function)
        self._ensure().add(event, listener)
        return listener

    @overload
    def once(self, event: str) -> Callable[[Listener], Listener]: ...
    @overload
    def once(self, event: str, listener: Listener) -> Listener: ...
    def once(self, event: str, listener: Listener | None = None) -> Any:
        """Listens to an event one time."""
        if listener is None:
            return lambda function: self.once(event, function)
        self._ensure().add(event, _Once(self, event, listener))
        return listener

    def off(self, event: str, listener: Listener | None = None) -> None:
        """Stops a listener, or all of an event's. One that does not listen is no error."""
        if self._listeners is not None:
            self._listeners.remove(event, listener)

    def on_any(self, listener: Listener) -> Listener:
        """Listens to every event a client sends; gets its name before its arguments. Also a decorator."""
        self._ensure().add_any(listener)
        return listener

    def off_any(self, listener: Listener | None = None) -> None:
        """Stops a catch-all listener, or all of them."""
        if self._listeners is not None:
            self._listeners.remove_any(listener)

    def listeners(self, event: str) -> tuple[Listener, ...]:
        """The listeners to an event, in the order they are called."""
        return () if self._listeners is None else self._listeners.of(event)
