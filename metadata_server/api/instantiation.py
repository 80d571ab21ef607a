"""The lives of control units, on the wire."""

from __future__ import annotations

from mds.v1 import instantiation_pb2, instantiation_pb2_grpc

from metadata_server.api.calls import Context, tell_position
from metadata_server.api.messages.asked_list import asked_page_of
from metadata_server.api.messages.instantiation import instantiation_message
from metadata_server.api.messages.position import position_message, time_us_of
from metadata_server.domain.filter.vocabulary import INSTANTIATION
from metadata_server.domain.life.instantiation import life_of_name
from metadata_server.domain.names import Kind
from metadata_server.services.past.instantiations import Instantiations, LifeSelection


class InstantiationsServicer(instantiation_pb2_grpc.InstantiationsServicer):
    """Converts; never decides."""

    def __init__(self, instantiations: Instantiations) -> None:
        self._instantiations = instantiations

    async def GetInstantiation(
        self, request: instantiation_pb2.GetInstantiationRequest, context: Context
    ) -> instantiation_pb2.Instantiation:
        answer = await self._instantiations.get(life_of_name(request.name))
        tell_position(context, answer.position)
        return instantiation_message(answer.value)

    async def ListInstantiations(
        self, request: instantiation_pb2.ListInstantiationsRequest, context: Context
    ) -> instantiation_pb2.ListInstantiationsResponse:
        answer = await self._instantiations.list(
            selection_of(request), asked_page_of(request, INSTANTIATION)
        )
        tell_position(context, answer.position)
        return instantiation_pb2.ListInstantiationsResponse(
            instantiations=map(instantiation_message, answer.value.items),
            next_page_token=answer.value.next_page_token,
            position=position_message(answer.position),
        )


def selection_of(request: instantiation_pb2.ListInstantiationsRequest) -> LifeSelection:
    """Which lives a request asks for.

    Raises:
        Refused: INVALID_ID.
    """
    unit, server = request.control_unit, request.unit_server
    return LifeSelection(
        control_unit=unit and Kind.CONTROL_UNIT.id_of(unit, field="control_unit"),
        unit_server=server and Kind.UNIT_SERVER.id_of(server, field="unit_server"),
        since_us=time_us_of(request.since) if request.HasField("since") else None,
        until_us=time_us_of(request.until) if request.HasField("until") else None,
    )
