"""What the facility does while faults are injected."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from tests.chaos.history import Recorder


class Stage(Protocol):
    """What a load stands on: a cluster, or one replica."""

    @property
    def address(self) -> str:
        """Of the load balancer, for gRPC; of the only replica, where there is none."""

    @property
    def replicas(self) -> Sequence[str]:
        """Addresses of the replicas themselves, for gRPC."""

    @property
    def recorder(self) -> Recorder:
        """Of this round."""

    @property
    def folder(self) -> Path:
        """For logs and records of the load's own processes; all `*.jsonl` in it are read."""

    @property
    def units(self) -> int:
        """How many control units it shall have; a load makes the best of it."""


class Load(Protocol):
    """One load, of one round: `prepare`, then `run` until told, then `settle`, then `close`.

    Before `prepare` a round asks for `final_state.position_now`; after `close` it reads
    `final_state.read_final_state`, and asks `checker.violations`.
    """

    @property
    def name(self) -> str:
        """In tables and on the command line."""

    @property
    def probes(self) -> str:
        """Prefix of ids of its probes' resources."""

    async def prepare(self, stage: Stage) -> None:
        """Declares and starts what it needs, before any fault."""

    async def run(self, stop: asyncio.Event) -> None:
        """Works until it is told to stop; what a fault may cause is recorded, never raised."""

    async def settle(self) -> None:
        """Returns when everything is current again: watchers, units, operations. It runs beside
        `run`, after the faults are healed; the caller has a deadline."""

    async def close(self) -> None:
        """Ends its processes and connections, whatever became of the rest."""
