"""Follows changes for as long as a replica serves, whatever goes wrong in between."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable

import structlog

from metadata_server.domain.refused import Refused
from metadata_server.services.watching.tailer import Tailer

PAUSE_S = 0.5
log = structlog.get_logger()


async def keep_following(
    tailer: Tailer, follow: Callable[[], Awaitable[None]], *, missed: str
) -> None:
    """Follows again whenever following has ended, until it is cancelled, or the replica drains.

    Args:
        follow: begins with a look at everything: changes in between are not told.
        missed: what is logged when it ends otherwise than by draining.
    """
    while not tailer.draining.is_set():
        try:
            await follow()
        except Refused as refused:
            if tailer.draining.is_set():
                return
            log.warning(missed, reason=refused.reason)
        except Exception:  # the top of a background loop
            log.exception(missed)
        await asyncio.sleep(random.uniform(PAUSE_S / 2, PAUSE_S))
