"""The command line as people use it: a program of its own against a real server."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from tests.stages.nursery import MDS, Newborn
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
    stdout: str | None = None,
) -> Ended:
    """Runs `mds` to its end, without a terminal.

    Args:
        stdout: file that it writes to instead.
    """
    with TemporaryDirectory() as folder:
        given, out, err = (Path(folder) / name for name in ("in", "out", "err"))
        given.write_bytes(stdin)
        everything = {**os.environ, **(environment or {})}
        program = Newborn(
            arguments, everything, stdin=str(given), stdout=stdout or str(out), stderr=str(err)
        )
        try:
            code = await asyncio.to_thread(program.wait, PATIENCE_S)
        finally:
            program.clear()
        return Ended(code, out.read_text() if stdout is None else "", err.read_text())


async def run_mds_anew(*arguments: str, environment: Mapping[str, str] | None = None) -> Ended:
    """Runs `mds` to its end, and has it load all that it needs."""
    process = await asyncio.create_subprocess_exec(
        MDS,
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **(environment or {})},
    )
    async with asyncio.timeout(PATIENCE_S):
        out, err = await process.communicate()
    assert process.returncode is not None
    return Ended(process.returncode, out.decode(), err.decode())


@pytest.fixture
def database(sqlite_database: str) -> str:
    """What commands say and do does not depend on the kind of database; imports are tested on
    each, and everything below the protocol is by tests of its own."""
    return sqlite_database


@pytest.fixture
def mds(replica: Replica) -> Mds:
    """`mds …` that asks the replica."""
    return mds_of(replica)


def mds_of(replica: Replica) -> Mds:
    async def run(*arguments: str, **pipes: Any) -> Ended:
        return await run_mds(*arguments, environment={"MDS_ADDRESS": replica.address}, **pipes)

    return run


@pytest.fixture(scope="module")
def lasting_mds(lasting_replica: Replica) -> Mds:
    """`mds …` that asks one replica for all tests of a module that only read."""
    return mds_of(lasting_replica)
