"""What it costs to ask each call who makes it."""

from __future__ import annotations

import os
import statistics
from urllib.parse import quote

from mds.v1 import control_unit_pb2
from pydantic import SecretStr

from benchmarks.facility import declare, unit_id
from benchmarks.reads import READ, Face
from benchmarks.stage import Stage, client_of
from benchmarks.table import print_table
from metadata_server.admin_token import create
from metadata_server.settings import Settings
from tests.stages.replica import Replica

UNITS, ROUNDS = 20, 5


async def tokens(stage: Stage) -> None:
    """Prints what cheap reads take of the server's processor, with tokens and without, in turns."""
    async with (
        stage.replica() as trusting,
        stage.replica(MDS_AUTHENTICATION="token") as asking,
    ):
        settings = Settings(database_url=SecretStr(asking.database))
        token = create(settings, "reader", "a" * 12, os.urandom(32).hex(), 1)
        for replica, shown in ((trusting, ""), (asking, token)):
            os.environ["MDS_TOKEN"] = shown
            async with client_of(replica) as client:
                await declare(client, 1, UNITS)
        pairs = [
            (name, face(trusting, name, ""), face(asking, name, token)) for name in ("gRPC", "REST")
        ]
        rows = [await compared(*pair) for pair in pairs]
    print_table(
        f"Reads of configurations with and without tokens, 64 clients, {ROUNDS} turns",
        ["", "µs CPU a call, off", "token", "ratio, median", "least", "most"],
        rows,
    )


def face(replica: Replica, name: str, token: str) -> Face:
    units = [f"control_units/{unit_id(0, unit)}" for unit in range(UNITS)]
    if name == "REST":
        paths = tuple(f"/v1/{quote(each, safe='/')}:configuration" for each in units)
        return Face(name, replica.program.pid, replica.http_port, paths, token=token)
    requests = (control_unit_pb2.GetConfigurationRequest(name=each) for each in units)
    asked = tuple(each.SerializeToString().hex() for each in requests)
    return Face(name, replica.program.pid, replica.port, asked, READ, token)


async def compared(name: str, off: Face, on: Face) -> list[object]:
    costs: list[tuple[float, float]] = []
    for turn in range(ROUNDS + 1):
        taken = [(await each.measure())[1] for each in (off, on)]
        if turn:  # what is measured is what they do for hours
            costs.append((taken[0], taken[1]))
    ratios = sorted(mine / theirs for theirs, mine in costs)
    medians = [statistics.median(each) for each in zip(*costs, strict=True)]
    return [name, *medians, statistics.median(ratios), ratios[0], ratios[-1]]
