"""The command line as people use it: a program of its own against a real server."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

import pytest

from tests.stages.program import BIN
from tests.stages.replica import Replica

PATIENCE_S = 60


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended, and what it wrote."""

    code: int
    out: str
    err: str


Mds = Callable[..., Awaitable[Ended]]


async def run_mds(
    *arguments: str,
    environment: Mapping[str, str] | None = None,
    stdin: bytes = b"",
    stdout: int | BinaryIO = asyncio.subprocess.PIPE,
) -> Ended:
    """Runs `mds` to its end, without a terminal."""
    process = await asyncio.create_subprocess_exec(
        str(BIN / "mds"),
        *arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=stdout,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **(environment or {})},
    )
    async with asyncio.timeout(PATIENCE_S):
        out, err = await process.communicate(stdin)
    assert process.returncode is not None
    return Ended(process.returncode, (out or b"").decode(), err.decode())


@pytest.fixture
def database(sqlite_database: str) -> str:
    """What commands say and do does not depend on the kind of database; imports are tested on
    each, and everything below the protocol is by tests of its own."""
    return sqlite_database


@pytest.fixture
def mds(replica: Replica) -> Mds:
    """`mds …` that asks the replica."""

    async def run(*arguments: str, **pipes: Any) -> Ended:
        return await run_mds(*arguments, environment={"MDS_ADDRESS": replica.address}, **pipes)

    return run
