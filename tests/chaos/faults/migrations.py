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
TRIES = 12
PATIENCE_S = (0.3, 4.0)
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
    patience, kills, half_way = random.Random(), 0, 0
    for number in range(TRIES):
        # A busy machine takes seconds before the first statement.
        longest = PATIENCE_S[1] + number / 2
        code, said = await _migrate(stage, within_s=patience.uniform(PATIENCE_S[0], longest))
        if code == -signal.SIGKILL:
            kills += 1
            half_way += bool(await stage.sql(WRITER, _COLUMNS.format(TARGET)))
        elif code:
            stage.observed.violations.append(f"a migration after {kills} kills: {said}")
        else:
            break
    stage.observed.figures |= {"kills": float(kills), "kills half way": float(half_way)}
    if not half_way:
        raise RuntimeError(f"none of {kills} kills met the migration at work")
    yield
    code, said = await _migrate(stage, within_s=LAST_S)
    if code:
        stage.observed.violations.append(f"no migration after {kills} kills: {said}")
    elif await stage.sql(WRITER, _COLUMNS.format(TARGET)) != await stage.sql(
        WRITER, _COLUMNS.format("mds")
    ):
        stage.observed.violations.append(f"after {kills} kills the schema is another one")
    await stage.sql(WRITER, f"DROP DATABASE {TARGET}")


async def _migrate(stage: ClusterStage, *, within_s: float) -> tuple[int, str]:
    """How `mds migrate` ended, killed if it took longer, and the end of what it said."""
    container = stage.cluster["migrate"].container
    url = container.environment["MDS_DATABASE_URL"].removesuffix("/mds") + f"/{TARGET}"
    process = await asyncio.create_subprocess_exec(
        *inside("migrate"), *container.command,
        env=container.environment | {"MDS_DATABASE_URL": url},
        stdin=DEVNULL, stdout=DEVNULL, stderr=PIPE, start_new_session=True,
    )  # fmt: skip
    reading = asyncio.create_task(process.communicate())
    try:
        async with asyncio.timeout(within_s):
            _, said = await asyncio.shield(reading)
    except TimeoutError:
        os.killpg(process.pid, signal.SIGKILL)
        _, said = await reading
    return process.returncode or 0, said.decode()[-600:]
