"""How the command line logs: one line per event, for people or as JSON. A host application keeps its own logging."""

from __future__ import annotations

import logging
import sys
from typing import Any

import structlog

_SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.stdlib.ExtraAdder(),
]


def configure(level: str = "info", format: str = "console") -> None:
    """Sends our log and the libraries' to stderr. ``format``: ``console`` or ``json``. May be called again.

    uvicorn's access log is left off: it writes whole URLs, and 2016 clients carry their token in theirs.
    """
    structlog.configure(
        # Not by the class, which loggers keep from their first word on: the level may be another one later.
        processors=[structlog.stdlib.filter_by_level, *_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.NOTSET),
        cache_logger_on_first_use=True,
    )
    renderer: Any
    if format == "json":
        renderer = structlog.processors.JSONRenderer()
    else:
        renderer = structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(),
            exception_formatter=structlog.dev.plain_traceback,  # the rich one shows locals, and so tokens
        )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_SHARED,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info if format == "json" else _keep,
                renderer,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    logging.getLogger("uvicorn.access").disabled = True
    logging.getLogger("alembic").setLevel(logging.WARNING)
    # uvicorn's own "WebSocket /path?query [accepted]" lines hold the query, and so a token.
    logging.getLogger("uvicorn.error").setLevel(max(logging.WARNING, logging.getLevelName(level.upper())))


def is_louder(level: str, other: str) -> bool:
    """Whether more is said at a level than at another."""
    levels = logging.getLevelNamesMapping()
    return levels[level.upper()] < levels[other.upper()]


def _keep(logger: Any, name: str, event: Any) -> Any:
    return event
