"""A command about many units asks for some of them at a time."""

import asyncio
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any, cast

from mds.v1 import configuration_pb2, control_unit_pb2

from metadata_server.api.chaos.call import AT_ONCE, Call
from metadata_server.api.chaos.form import Form
from metadata_server.api.chaos.parm import Parm
from metadata_server.api.chaos.reading import configurations, reported
from metadata_server.api.rest.context import RestContext
from metadata_server.domain.page import MAXIMUM_PAGE_SIZE


def calling(answer: Callable[..., Awaitable[Any]]) -> Call:
    """A command whose calls some function answers."""
    handler = SimpleNamespace(unary_unary=answer)
    return Call(
        handler=lambda _: handler,
        check=lambda _: None,
        form=cast("Form", None),
        parm=Parm({}),
        context=cast("RestContext", None),
    )


async def test_what_many_units_shall_use_is_asked_for_in_turns() -> None:
    under_way, most = 0, 0

    async def answer(request: Any, _: Any) -> Any:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0)
        under_way -= 1
        return configuration_pb2.Configuration(implementation=request.name)

    call = calling(answer)
    ids = [f"U{number}" for number in range(10 * AT_ONCE)]
    found = await configurations(call, ids)
    assert [each.implementation for each in found.values()] == [f"control_units/{id}" for id in ids]
    assert most == AT_ONCE


async def test_statuses_of_many_units_are_asked_for_by_as_many_names_as_a_call_takes() -> None:
    asked: list[int] = []

    async def answer(request: Any, _: Any) -> Any:
        asked.append(len(request.control_units))
        told = control_unit_pb2.ListControlUnitStatusesResponse()
        for name in request.control_units:
            told.control_unit_statuses.add(control_unit=name)
        return told

    ids = [f"U{number}" for number in range(MAXIMUM_PAGE_SIZE + 1)]
    assert list(await reported(calling(answer), ids)) == ids
    assert asked == [MAXIMUM_PAGE_SIZE, 1]
