"""A gRPC server of statuses whose reads can fail while its watches go on."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Self

import grpc
from mds.v1 import control_unit_pb2, watch_pb2
from mds.v1.kind_pb2 import Kind
from mds.v1.position_pb2 import Position
from mds.v1.state_pb2 import Contact

from tests.client.scripted_server import Answer, Context, refuse

NAME = "control_unit_statuses/LAB/A"
DOWN = refuse(grpc.StatusCode.UNAVAILABLE, "DATABASE_UNAVAILABLE", retry_ms=60_000)
"""For longer than a call lasts: it is not tried again by itself."""


def at(revision: int) -> Position:
    return Position(store_id="store", epoch=1, revision=revision)


class StatusServer:
    """Has one unit, whose status is of revision 5.

    Attributes:
        contact: of the unit.
        revision: as of where lists are.
        is_down: reads are refused.
        refused: how many were.
        listed: how many lists of all were read.
        lists: cleared, a list is answered late with what was there before.
        changes: what the watch of statuses tells next, or ends with.
        verdicts: the same of the watch of what decides contact and health.
        watched: from where that was watched, each time.
    """

    def __init__(self) -> None:
        self.contact = Contact.CONTACT_ALIVE
        self.revision = 5
        self.is_down = False
        self.refused = self.listed = 0
        self.lists = asyncio.Event()
        self.lists.set()
        self.changes: asyncio.Queue[watch_pb2.WatchResponse | Answer] = asyncio.Queue()
        self.verdicts: asyncio.Queue[watch_pb2.WatchResponse | Answer] = asyncio.Queue()
        self.watched: list[Position] = []

    async def __aenter__(self) -> Self:
        self._server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
        listing = grpc.unary_unary_rpc_method_handler(
            self._list,
            control_unit_pb2.ListControlUnitStatusesRequest.FromString,
            control_unit_pb2.ListControlUnitStatusesResponse.SerializeToString,
        )
        watching = grpc.unary_stream_rpc_method_handler(
            self._watch,
            watch_pb2.WatchRequest.FromString,
            watch_pb2.WatchResponse.SerializeToString,
        )
        methods = {"ListControlUnitStatuses": listing}
        self._server.add_registered_method_handlers("mds.v1.ControlUnits", methods)
        self._server.add_registered_method_handlers("mds.v1.Watch", {"Watch": watching})
        self.address = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        await self._server.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._server.stop(None)

    async def _list(self, request: Any, context: Context) -> Any:
        if self.is_down:
            self.refused += 1
            await DOWN(request, context)
        status = control_unit_pb2.ControlUnitStatus(name=NAME, revision=5, contact=self.contact)
        found = control_unit_pb2.ListControlUnitStatusesResponse(
            control_unit_statuses=[status], position=at(self.revision)
        )
        if not request.unit_server:
            self.listed += 1
            await self.lists.wait()
        return found

    async def _watch(self, request: Any, context: Context) -> AsyncIterator[Any]:
        yield watch_pb2.WatchResponse(position=request.position)
        words = self.changes
        if Kind.KIND_CONTROL_UNIT_STATUS not in request.kinds:
            words = self.verdicts
            self.watched.append(request.position)
        while True:
            told = await words.get()
            if isinstance(told, watch_pb2.WatchResponse):
                yield told
            else:
                await told(request, context)
