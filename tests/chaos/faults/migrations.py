"""A migration that is killed again and again, on the database cluster that others work with."""

import asyncio
import contextlib
import os
import random
import signal
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator

from deploy.processes.network import inside
from tests.chaos.stage import OWN_DATABASE, WRITER, ClusterStage

TARGET = f"{OWN_DATABASE}_migration"
TRIES = 8
PATIENCE_S = 1.5
"""After its first step, at most."""
FIRST_STEP_S = 60.0
LAST_S = 90.0
_COLUMNS = (
    "SELECT table_name, column_name, column_type, is_nullable, column_key "
    "FROM information_schema.columns WHERE table_schema = '{}' ORDER BY 1, 2"
)


@contextlib.asynccontextmanager
async def killed_migration(stage: ClusterStage) -> AsyncIterator[None]:
    """From nothing to the newest schema, in a database of its own: whenever one is killed, the
    next one goes on. What comes of it is the schema of one that nobody killed."""
    await stage.sql(WRITER, f"DROP DATABASE IF EXISTS {TARGET}; CREATE DATABASE {TARGET} "
                            f"CHARACTER SET utf8mb4 COLLATE utf8mb4_bin")  # fmt: skip
    patience, kills = random.Random(), 0
    for _ in range(TRIES):
        code, said = await _migrate(stage, kill_after_s=patience.uniform(0, PATIENCE_S))
        if code == -signal.SIGKILL:
            kills += 1
        elif code:
            stage.observed.violations.append(f"a migration after {kills} kills: {said}")
        else:
            break
    if not kills:
        raise RuntimeError("no kill met the migration at work")
    stage.observed.figures["kills"] = float(kills)
    yield
    code, said = await _migrate(stage)
    if code:
        stage.observed.violations.append(f"no migration after {kills} kills: {said}")
    elif await _columns(stage, TARGET) != await _columns(stage, "mds"):
        stage.observed.violations.append(f"after {kills} kills the schema is another one")
    await stage.sql(WRITER, f"DROP DATABASE {TARGET}")


async def _migrate(stage: ClusterStage, *, kill_after_s: float | None = None) -> tuple[int, str]:
    """How `mds migrate` ended, and the end of what it said.

    Args:
        kill_after_s: after its first step; None: nobody kills it, unless it never ends.
    """
    container = stage.cluster["migrate"].container
    url = container.environment["MDS_DATABASE_URL"].removesuffix("/mds") + f"/{TARGET}"
    process = await asyncio.create_subprocess_exec(
        *inside("migrate"), *container.command,
        env=container.environment | {"MDS_DATABASE_URL": url},
        stdin=DEVNULL, stdout=DEVNULL, stderr=PIPE, start_new_session=True,
    )  # fmt: skip
    reading = asyncio.create_task(process.communicate())
    try:
        if kill_after_s is not None:
            await _first_step(stage, reading)
        async with asyncio.timeout(LAST_S if kill_after_s is None else kill_after_s):
            _, said = await asyncio.shield(reading)
    except TimeoutError:
        os.killpg(process.pid, signal.SIGKILL)
        _, said = await reading
    return process.returncode or 0, said.decode()[-600:]


async def _first_step(stage: ClusterStage, ending: "asyncio.Task[tuple[bytes, bytes]]") -> None:
    """Returns once the schema is another one, or the migration has ended."""
    before = await _columns(stage, TARGET)
    async with asyncio.timeout(FIRST_STEP_S):
        while not ending.done() and await _columns(stage, TARGET) == before:
            await asyncio.sleep(0.05)


async def _columns(stage: ClusterStage, database: str) -> str:
    return await stage.sql(WRITER, _COLUMNS.format(database))
