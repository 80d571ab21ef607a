"""What is known of units, asked for together."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any

from mds.v1 import control_unit_pb2, edit_pb2, live_values_pb2

from metadata_server.api.chaos.call import Call
from metadata_server.api.rest.encoding import Json
from metadata_server.domain.names import Kind
from metadata_server.domain.page import MAXIMUM_PAGE_SIZE
from metadata_server.domain.refused import RefusalKind, Refused, WrongField


def unit_name(id: str) -> str:
    return Kind.CONTROL_UNIT.name_of(id)


def id_of(name: str) -> str:
    """The id in the name of any resource; empty for an empty one."""
    return name.partition("/")[2]


def devices_of(call: Call) -> tuple[str, ...]:
    """
    Raises:
        Refused: INVALID_FIELD: there are none.
    """
    if not call.form.devices:
        expected = "ids of units, with commas between them"
        raise Refused.wrong_fields([WrongField("dev", "", expected)])
    return call.form.devices


def names_of(call: Call) -> list[str]:
    """`names`, or the one `name`.

    Raises:
        Refused: INVALID_FIELD: there are none.
    """
    return call.parm.texts("names") or [call.parm.needed("name")]


def as_asked(call: Call, answers: list[Json]) -> Json:
    """A list for `names`, else the one answer."""
    return answers if call.parm.texts("names") else answers[0]


async def gathered(ids: Iterable[str], one: Callable[[str], Awaitable[Any]]) -> list[Any]:
    """What `one` gives of each id, asked for at once."""
    async with asyncio.TaskGroup() as tasks:
        found = [tasks.create_task(kept(one(id))) for id in ids]
    results = [task.result() for task in found]
    for each in results:
        if isinstance(each, Refused):
            raise each
    return results


async def kept(work: Awaitable[Any]) -> Any:
    """The result of some work, or its refusal."""
    try:
        return await work
    except Refused as refused:
        return refused


async def declared(call: Call, ids: Sequence[str]) -> dict[str, Any]:
    """The unit of each id, or why there is none.

    Raises:
        Refused: CONTROL_UNIT_NOT_FOUND, when there is none of them; what is no matter of one
            unit.
    """

    async def one(id: str) -> Any:
        request = control_unit_pb2.GetControlUnitRequest(name=unit_name(id))
        try:
            return await call.ask("ControlUnits.GetControlUnit", request)
        except Refused as refused:
            if refused.kind is not RefusalKind.NOT_FOUND:
                raise
            return refused

    async with asyncio.TaskGroup() as tasks:
        asked = [tasks.create_task(kept(one(id))) for id in ids]
    found = {id: task.result() for id, task in zip(ids, asked, strict=True)}
    refusals = [each for each in found.values() if isinstance(each, Refused)]
    other = next((each for each in refusals if each.kind is not RefusalKind.NOT_FOUND), None)
    if other is not None or len(refusals) == len(ids):
        raise other or refusals[0]
    return found


def present(found: dict[str, Any]) -> list[str]:
    return [id for id, unit in found.items() if not isinstance(unit, Refused)]


async def configurations(call: Call, ids: Sequence[str]) -> dict[str, Any]:
    """What units shall use, by id."""

    async def one(id: str) -> Any:
        request = control_unit_pb2.GetConfigurationRequest(name=unit_name(id))
        return await call.ask("ControlUnits.GetConfiguration", request)

    return dict(zip(ids, await gathered(ids, one), strict=True))


async def reported(call: Call, ids: Sequence[str]) -> dict[str, Any]:
    """What units reported, by id; those that are no longer there are not among them."""
    found: dict[str, Any] = {}
    for start in range(0, len(ids), MAXIMUM_PAGE_SIZE):
        names = map(unit_name, ids[start : start + MAXIMUM_PAGE_SIZE])
        request = control_unit_pb2.ListControlUnitStatusesRequest(control_units=names)
        method, field = "ControlUnits.ListControlUnitStatuses", "control_unit_statuses"
        async for status in call.listed(method, request, field):
            found[id_of(status.control_unit)] = status
    return found


async def live(call: Call, ids: Sequence[str]) -> dict[str, Any]:
    """What the inputs of units are set to, by id."""
    request = live_values_pb2.ListLiveValuesRequest(selection=selection_of(ids))
    found: dict[str, Any] = {}
    async for message in call.stream("LiveValues.ListLiveValues", request):
        found |= {id_of(unit.name): unit for unit in message.units}
    return found


def selection_of(ids: Iterable[str]) -> edit_pb2.UnitSelection:
    return edit_pb2.UnitSelection(names=map(unit_name, ids))
