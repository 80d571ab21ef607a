"""Disks that are full."""

import contextlib
from collections.abc import AsyncIterator

from tests.chaos.stage import REPLICAS, WRITER, ClusterStage


@contextlib.asynccontextmanager
async def full_database(stage: ClusterStage) -> AsyncIterator[None]:
    """The node that writes cannot write any more."""
    with stage.disk[WRITER].full():
        yield


@contextlib.asynccontextmanager
async def full_log(stage: ClusterStage) -> AsyncIterator[None]:
    """A replica cannot write its log any more."""
    with stage.disk[REPLICAS[1]].full():
        yield
