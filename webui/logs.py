"""Logs of the web UI, like those of all programs that call servers."""

import logging
import sys

from control_units.logs import configure_logs


def configure(level: str, format: str) -> None:
    """Sets up logging of this process; `level` is the least severe that is written."""
    configure_logs(level, format)
    # What libraries say (aiohttp, asyncio) goes the same way.
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(message)s", force=True)
