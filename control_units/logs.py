"""Logs of programs that call servers: one event a line, on standard error."""

import logging
import os
import sys
from collections.abc import Mapping

import structlog
from structlog.typing import Processor

LEVEL_VARIABLE, FORMAT_VARIABLE = "MDS_LOG_LEVEL", "MDS_LOG_FORMAT"
LEVELS = ("debug", "info", "warning", "error")
JSON, TEXT = FORMATS = ("json", "text")


def set_up_logs(environment: Mapping[str, str] = os.environ) -> None:
    """As the environment says, unless the program has set up structlog itself. What it says wrong
    is a line in the log: a power supply does not wait for that."""
    if structlog.is_configured():
        return
    level, wrong_level = said(environment, LEVEL_VARIABLE, LEVELS, "info")
    format, wrong_format = said(environment, FORMAT_VARIABLE, FORMATS, JSON)
    configure_logs(level, format)
    for advice in filter(None, (wrong_level, wrong_format)):
        structlog.get_logger().warning("setting_invalid", advice=advice)


def configure_logs(level: str, format: str) -> None:
    """Sets the one log of the process up.

    Args:
        level: the least severe that is written.
        format: `json`, one object a line, or `text`, for people.
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
    if format == TEXT:
        # The usual tracebacks tell what each variable holds, and some of them hold secrets.
        plain = structlog.dev.plain_traceback
        is_terminal = sys.stderr.isatty()
        return (structlog.dev.ConsoleRenderer(colors=is_terminal, exception_formatter=plain),)
    return (structlog.processors.format_exc_info, structlog.processors.JSONRenderer())


def said(
    environment: Mapping[str, str], variable: str, words: tuple[str, ...], usual: str
) -> tuple[str, str]:
    """What a variable says, and what is wrong with that; empty: nothing is."""
    word = environment.get(variable, "").strip().lower() or usual
    if word in words:
        return word, ""
    return usual, f"{variable} is {environment[variable]!r}; right would be {', '.join(words)}"
