"""Cables that are cut, and one that is slow. Nobody is told: what is sent is lost, or late."""

import asyncio
import contextlib
import math
import time
from collections.abc import AsyncIterator

import pymysql

from tests.chaos.faults.evidence import is_cut, must
from tests.chaos.stage import BALANCER, DATABASES, OWN_DATABASE, REPLICAS, WRITER, ClusterStage

DATABASE_PORT = 3306
GROUP_PORT = 4567
SLOW_S = 2.0
# A node notices after 1 s (evs.suspect_timeout), and asks for the rest of the group once more.
NOTICED_S = 5.0
AT_ONCE_S = 1.0


@contextlib.asynccontextmanager
async def cut(stage: ClusterStage, *, one: str, other: str, port: int) -> AsyncIterator[None]:
    """Two hosts lose each other.

    Args:
        port: of the other, which the one has used.
    """
    network = stage.cluster.network
    await asyncio.to_thread(network.part, one, other)
    try:
        await must(lambda: is_cut(stage, one, other, port), f"{one} is cut from {other}")
        yield
    finally:
        await asyncio.to_thread(network.join, one, other)


@contextlib.asynccontextmanager
async def no_database(stage: ClusterStage, *, service: str) -> AsyncIterator[None]:
    """A replica that everybody reaches does not reach the database."""
    cable = stage.cluster.network.slow(service)
    address = stage.cluster.address(BALANCER)
    async with cable.delayed(math.inf, address=address, port=DATABASE_PORT):
        await must(
            lambda: is_cut(stage, service, BALANCER, DATABASE_PORT), f"{service} has no database"
        )
        yield


@contextlib.asynccontextmanager
async def slow_database(stage: ClusterStage) -> AsyncIterator[None]:
    """Every statement takes longer, for all replicas."""
    cable = stage.cluster.network.slow(BALANCER)
    address = stage.cluster.address(BALANCER)
    async with cable.delayed(SLOW_S / 2, address=address, port=DATABASE_PORT):
        await must(
            lambda: is_cut(stage, REPLICAS[0], BALANCER, DATABASE_PORT, SLOW_S / 2),
            "the database is slow",
        )
        yield


@contextlib.asynccontextmanager
async def cut_writer(stage: ClusterStage) -> AsyncIterator[None]:
    """The database node that writes loses the two others, but nobody loses it: it is the minority,
    and has to refuse by itself."""
    async with contextlib.AsyncExitStack() as cuts, asyncio.TaskGroup() as tasks:
        for each in DATABASES:
            if each != WRITER:
                one_cut = cut(stage, one=WRITER, other=each, port=GROUP_PORT)
                await cuts.enter_async_context(one_cut)
        tasks.create_task(_ask_the_minority(stage))
        yield


async def _ask_the_minority(stage: ClusterStage) -> None:
    """Writes to it past the balancer until it refuses; none of these writes may be accepted."""
    began = time.monotonic()
    while (since := time.monotonic() - began) < 2 * NOTICED_S:
        refusal = await asyncio.to_thread(_write, stage)
        answered = time.monotonic() - began
        if not refusal:
            stage.observed.violations.append(
                "a database node without the others accepted a write that began "
                f"{since:.2f} s after the cut"
            )
        if "not yet prepared" in refusal:
            stage.observed.figures["minority refuses"] = answered
            if answered - since > AT_ONCE_S:
                stage.observed.violations.append(
                    f"the minority took {answered - since:.2f} s to refuse a write"
                )
            return
        await asyncio.sleep(0.1)
    stage.observed.violations.append(
        f"the minority refused nothing within {2 * NOTICED_S:.0f} s; its last word: {refusal}"
    )


def _write(stage: ClusterStage) -> str:
    """Why a write is refused; empty: it is not."""
    try:
        with stage.connect(WRITER, within_s=1.0) as connection, connection.cursor() as cursor:
            cursor.execute(f"UPDATE {OWN_DATABASE}.beat SET value = value + 1 WHERE id = 1")
    except pymysql.Error as error:
        return str(error)
    return ""
