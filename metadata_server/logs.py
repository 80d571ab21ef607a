"""Structured logs: one JSON line an event, on standard error."""

from __future__ import annotations

import logging
import sys

import structlog


def set_up_logs(level: str, *, replica: str) -> None:
    """Sets the one log of the process up.

    Args:
        level: `debug`, `info`, `warning` or `error`.
        replica: stands in every line.
    """
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[level.upper()]
        ),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(replica=replica)
