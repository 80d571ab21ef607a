"""Ids of resources, asked from a server while somebody waits for them."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

import click

PATIENCE_S = 1.0
"""How long somebody waits who has pressed Tab; without an answer by then nothing is offered."""
_MOST = 1000
_MANY = 30
"""So many are offered at once; of more the next part of the id."""


def ids_of(ctx: click.Context, kind: str, incomplete: str) -> list[str]:
    """Ids that begin so; of many what is common to some, up to the next slash; nothing where no
    server answers."""
    try:
        return grouped(asyncio.run(_asked(ctx, kind, incomplete)), incomplete)
    except Exception:  # noqa: BLE001 - whatever it is, a word in the middle of a line is worse
        return []


def grouped(ids: Sequence[str], incomplete: str) -> list[str]:
    """The ids, or what they have in common up to the next slash where they are many."""
    if len(ids) <= _MANY:
        return list(ids)
    begin = len(incomplete)
    groups = dict.fromkeys(
        each[: each.index("/", begin) + 1] if "/" in each[begin:] else each for each in ids
    )
    return list(groups)


async def _asked(ctx: click.Context, kind: str, incomplete: str) -> list[str]:
    from control_units.client import Client

    end = time.monotonic() + PATIENCE_S
    address = ctx.find_root().params.get("address")
    async with (
        Client(address, program="mds completion", timeout=PATIENCE_S) as client,
        asyncio.timeout_at(asyncio.get_running_loop().time() + end - time.monotonic()),
    ):
        return await _listed(client, kind, incomplete)


async def _listed(client: Any, kind: str, incomplete: str) -> list[str]:
    from control_units.cli.kinds import Reads, parts

    if kind == "operations":
        return await _operations(client, incomplete)
    found: list[str] = []
    async for each in Reads(kind).all(client, id_prefix=incomplete):
        found.append(parts(each.name)[1])
        if len(found) == _MOST:
            break
    return found


async def _operations(client: Any, incomplete: str) -> list[str]:
    """The newest ones: nobody remembers the ids of old ones."""
    from mds.v1.operation_pb2 import ListOperationsRequest

    request = ListOperationsRequest(page_size=_MANY, order_by="create_time desc")
    page = await client.operations.ListOperations(request)
    names = ["last", *(each.name.partition("/")[2] for each in page.operations)]
    return [name for name in names if name.startswith(incomplete)]
