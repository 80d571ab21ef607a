"""Each replica says now and then that it is there, so that people see all of them at any."""

from __future__ import annotations

import asyncio
import os
import random
import socket
from dataclasses import dataclass, replace

import structlog

from metadata_server.domain.refused import Refused
from metadata_server.domain.replica import (
    SIGN_US,
    DatabaseNode,
    Replica,
    ReplicaState,
    Sign,
)
from metadata_server.services.standbys import StandBys
from metadata_server.services.watching.tailer import Tailer
from metadata_server.store.database_nodes import database_nodes
from metadata_server.store.replicas import replicas, write_sign
from metadata_server.store.store import Answer, Store
from metadata_server.store.unit_of_work import UnitOfWork

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Standing:
    """All replicas and nodes at one time of the database's clock."""

    replicas: list[Replica]
    nodes: list[DatabaseNode]
    now_us: int


class Replicas:
    """Reads who serves."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._standbys = StandBys(store.database)

    async def list(self) -> Answer[Standing]:
        """
        Raises:
            Refused: DATABASE_UNAVAILABLE.
        """

        def work(unit: UnitOfWork) -> Standing:
            return Standing(replicas(unit), database_nodes(unit), unit.now_us)

        answer = await self._store.read(work)
        nodes = await self._standbys.told(answer.value.nodes)
        return replace(answer, value=replace(answer.value, nodes=nodes))


class SignOfLife:
    """What one replica says of itself.

    Args:
        id: its name.
        version: release that it runs.
    """

    def __init__(self, store: Store, tailer: Tailer, *, id: str, version: str) -> None:
        self._store = store
        self._tailer = tailer
        self._id, self._version = id, version
        self._start_us = 0
        self._ports = (0, 0)

    async def run(self, *, grpc_port: int, http_port: int) -> None:
        """Says that it serves, or drains, until it is cancelled; says nothing while the database
        is away."""
        self._ports = (grpc_port, http_port)
        pause_s = SIGN_US / 1_000_000
        while True:
            draining = self._tailer.draining.is_set()
            await self._say(ReplicaState.DRAINING if draining else ReplicaState.SERVING)
            try:
                async with asyncio.timeout(random.uniform(0.8, 1.0) * pause_s):
                    if draining:
                        await asyncio.Event().wait()
                    await self._tailer.draining.wait()
            except TimeoutError:
                continue

    async def end(self) -> None:
        """Says that it has stopped as it should."""
        await self._say(ReplicaState.ENDED)

    async def _say(self, state: ReplicaState) -> None:
        sign = Sign(
            id=self._id,
            state=state,
            version=self._version,
            host=socket.gethostname(),
            pid=os.getpid(),
            grpc_port=self._ports[0],
            http_port=self._ports[1],
            lag_us=round(self._tailer.lag_s * 1_000_000),
            followers=self._tailer.followers,
        )

        def work(unit: UnitOfWork) -> int:
            start_us = self._start_us or unit.now_us
            write_sign(unit, sign, start_us=start_us)
            return start_us

        try:
            self._start_us = (await self._store.transact(work)).value
        except Refused as refused:
            log.info("no_sign_of_life", reason=refused.reason)
        except Exception:  # the top of a background loop: nobody's work hangs on a sign
            log.exception("no_sign_of_life")
