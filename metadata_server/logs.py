"""Structured logs: one event a line, on standard error."""

from __future__ import annotations

import logging
import sys

import structlog
from structlog.typing import Processor


def set_up_logs(level: str, *, format: str, replica: str) -> None:
    """Sets the one log of the process up.

    Args:
        level: `debug`, `info`, `warning` or `error`.
        format: `json`, one object a line, or `text`, for people.
        replica: stands in every line.
    """
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *written_as(format),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[level.upper()]
        ),
        logger_factory=lambda *_: writer(),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(replica=replica)


def writer() -> logging.Logger:
    """Writes lines on standard error, or loses them: a full disk, or a reader that has gone, must
    not end what a program does."""
    logging.raiseExceptions = False
    found = logging.getLogger("mds")
    found.handlers = [logging.StreamHandler(sys.stderr)]
    found.propagate = False
    found.setLevel(logging.DEBUG)
    return found


def written_as(format: str) -> tuple[Processor, ...]:
    """What makes a line of an event."""
    if format == "text":
        # The usual tracebacks tell what each variable holds, and some of them hold secrets.
        plain = structlog.dev.plain_traceback
        is_terminal = sys.stderr.isatty()
        return (structlog.dev.ConsoleRenderer(colors=is_terminal, exception_formatter=plain),)
    return (structlog.processors.format_exc_info, structlog.processors.JSONRenderer())
