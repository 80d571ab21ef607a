"""Things of a kind, read from a server page by page."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

from control_units.cli.kinds import camel, pages, parts
from control_units.cli.looking.shapes import STATUS_OF

if TYPE_CHECKING:
    from control_units.client import Client

_MODULES = {
    "change_sets": "history",
    "control_unit_statuses": "control_unit",
    "unit_server_statuses": "unit_server",
    "policies": "policy",
}
_SERVICES = {
    "change_sets": "history",
    "control_unit_statuses": "control_units",
    "unit_server_statuses": "unit_servers",
}
_FEW = 20
"""Of so few each status is read by itself."""
_OPTIONS = {"id_prefix": "--prefix", "as_of": "--as-of", "order_by": "--sort"}


def things(
    client: "Client", kind: str, asked: Mapping[str, str], *, limit: int | None = None
) -> AsyncIterator[Any]:
    """Things of a kind as its shape writes them: control units and unit servers with what they
    last said of themselves.

    Args:
        asked: fields of the request, those that are empty included.
        limit: how many anybody will read; None: all.

    Raises:
        click.UsageError: things of this kind cannot be asked for so.
    """
    if kind in STATUS_OF:
        return _with_statuses(client, kind, asked, limit)
    return _listed(client, kind, asked, limit)


def _listed(
    client: "Client", kind: str, asked: Mapping[str, str], limit: int | None
) -> AsyncIterator[Any]:
    module = import_module(f"mds.v1.{_MODULES.get(kind, kind.removesuffix('s'))}_pb2")
    request = getattr(module, f"List{camel(kind)}Request")()
    for field, value in asked.items():
        if not value:
            continue
        if field not in request.DESCRIPTOR.fields_by_name:
            option = _OPTIONS.get(field, "--" + field.replace("_", "-"))
            raise click.UsageError(f"{option} is not for {kind}.")
        setattr(request, field, value)
    service = getattr(client, _SERVICES.get(kind, kind))
    return pages(getattr(service, f"List{camel(kind)}"), request, kind, limit=limit)


async def _with_statuses(
    client: "Client", kind: str, asked: Mapping[str, str], limit: int | None
) -> AsyncIterator[Any]:
    collection, field = STATUS_OF[kind]
    declared = _listed(client, kind, asked, limit)
    first = [each async for each in _up_to(_FEW, declared)]
    if len(first) < _FEW:  # a filter may leave few of very many
        as_of = asked.get("as_of", "")
        ids = [parts(each.name)[1] for each in first]
        found = await asyncio.gather(*(status_of(client, kind, id, as_of=as_of) for id in ids))
        for pair in zip(first, found, strict=True):
            yield pair
        return
    kept = {key: asked.get(key, "") for key in ("id_prefix", "as_of", "unit_server")}
    statuses = _listed(client, collection, kept, None)
    if asked.get("order_by"):
        known = {getattr(each, field): each async for each in statuses}
        async for each in _chained(first, declared):
            yield each, known.get(each.name) or _nothing(collection)
        return
    async for pair in merged(_chained(first, declared), statuses, field, collection):
        yield pair


async def status_of(client: "Client", kind: str, resource_id: str, *, as_of: str = "") -> Any:
    """What one thing last said of itself."""
    collection = STATUS_OF[kind][0]
    name = camel(collection).removesuffix("es")
    module = import_module(f"mds.v1.{_MODULES[collection]}_pb2")
    request = getattr(module, f"Get{name}Request")(name=f"{collection}/{resource_id}", as_of=as_of)
    return await getattr(getattr(client, kind), f"Get{name}")(request)


async def _up_to(count: int, things: AsyncIterator[Any]) -> AsyncIterator[Any]:
    for _ in range(count):
        try:
            yield await anext(things)
        except StopAsyncIteration:
            return


async def _chained(first: Sequence[Any], rest: AsyncIterator[Any]) -> AsyncIterator[Any]:
    for each in first:
        yield each
    async for each in rest:
        yield each


async def merged(
    declared: AsyncIterator[Any], statuses: AsyncIterator[Any], field: str, collection: str
) -> AsyncIterator[Any]:
    """Both come by id, byte by byte, so that neither must be kept."""
    status = await anext(statuses, None)
    async for each in declared:
        key = each.name.encode()
        while status is not None and getattr(status, field).encode() < key:
            status = await anext(statuses, None)
        is_its = status is not None and getattr(status, field) == each.name
        yield each, status if is_its else _nothing(collection)


def _nothing(collection: str) -> Any:
    """The status of what has never said anything."""
    module = import_module(f"mds.v1.{_MODULES[collection]}_pb2")
    return getattr(module, camel(collection).removesuffix("es"))()
