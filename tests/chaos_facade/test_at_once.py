"""A command about many units asks for some of them at a time."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

from mds.v1 import configuration_pb2

from metadata_server.api.chaos.call import AT_ONCE, Call
from metadata_server.api.chaos.form import Form
from metadata_server.api.chaos.parm import Parm
from metadata_server.api.chaos.reading import configurations
from metadata_server.api.rest.context import RestContext


async def test_what_many_units_shall_use_is_asked_for_in_turns() -> None:
    under_way, most = 0, 0

    async def answer(request: Any, _: Any) -> Any:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0)
        under_way -= 1
        return configuration_pb2.Configuration(implementation=request.name)

    handler = SimpleNamespace(unary_unary=answer)
    call = Call(
        handler=lambda _: handler,
        check=lambda _: None,
        form=cast("Form", None),
        parm=Parm({}),
        context=cast("RestContext", None),
    )
    ids = [f"U{number}" for number in range(10 * AT_ONCE)]
    found = await configurations(call, ids)
    assert [each.implementation for each in found.values()] == [f"control_units/{id}" for id in ids]
    assert most == AT_ONCE
