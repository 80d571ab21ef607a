"""One thing by its name, or by an id alone."""

import asyncio
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import click

from control_units.cli.kinds import KINDS, Reads, parts
from control_units.cli.looking.reading import status_of
from control_units.cli.looking.shapes import STATUS_OF

if TYPE_CHECKING:
    from control_units.client import Client

_NEAR = 200
"""Ids beside the wrong one that are looked at for what was meant."""


async def found_thing(client: "Client", name: str, *, as_of: str) -> tuple[str, Any]:
    """Its kind, and the thing as `things` reads it. What was said to be a control unit may be
    of any kind, if just one has the id.

    Raises:
        Refused: there is none.
        click.ClickException: there is none, but something near it; or several.
    """
    from control_units.client import Refused

    kind, resource_id = parts(name)
    try:
        return kind, await _thing(client, kind, resource_id, as_of)
    except Refused as refused:
        if not refused.reason.endswith("_NOT_FOUND"):
            raise
        others = await _kinds_that_have(client, resource_id, as_of) if _is_unit(kind) else []
        if len(others) == 1:
            click.echo(f"Shown: {others[0]}/{resource_id}", err=True)
            return others[0], await _thing(client, others[0], resource_id, as_of)
        if others:
            names = ", ".join(f"{each}/{resource_id}" for each in others)
            raise click.ClickException(
                f"{resource_id} is of several kinds; say which: {names}"
            ) from None
        near = await _near(client, kind, resource_id)
        if near:
            raise click.ClickException(
                f"{refused.message} ({refused.reason})\nDid you mean {' or '.join(near)}?"
            ) from None
        raise


def _is_unit(kind: str) -> bool:
    return kind == "control_units"


async def _thing(client: "Client", kind: str, resource_id: str, as_of: str) -> Any:
    declared = await Reads(kind).get(client, resource_id, as_of=as_of)
    if kind not in STATUS_OF:
        return declared
    return declared, await status_of(client, kind, resource_id, as_of=as_of)


async def _kinds_that_have(client: "Client", resource_id: str, as_of: str) -> list[str]:
    from control_units.client import Refused

    async def has(kind: str) -> bool:
        try:
            await Reads(kind).get(client, resource_id, as_of=as_of)
        except Refused:
            return False
        return True

    others = [kind for kind in KINDS if not _is_unit(kind)]
    answers = await asyncio.gather(*map(has, others))
    return [kind for kind, answer in zip(others, answers, strict=True) if answer]


async def _near(client: "Client", kind: str, resource_id: str) -> list[str]:
    """Ids that are like this one, among those that begin as it does."""
    from control_units.client import ClientError

    before = resource_id.rpartition("/")[0]
    prefixes = [f"{before}/"] if before else [resource_id[:2]]
    found: list[str] = []
    try:
        for prefix in (*prefixes, ""):
            async for each in Reads(kind).all(client, id_prefix=prefix):
                found.append(parts(each.name)[1])
                if len(found) >= _NEAR:
                    break
            if near := get_close_matches(resource_id, found, n=3, cutoff=0.75):
                return near
    except ClientError:
        pass
    return []
