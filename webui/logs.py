"""Logs: one JSON line an event, on standard error."""

import logging
import sys

import structlog


def configure(level: str) -> None:
    """Sets up logging of this process; `level` is the least severe that is written."""
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
    # What libraries say (aiohttp, asyncio) goes the same way.
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(message)s", force=True)
