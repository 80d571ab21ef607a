"""What was seen and not declared, on the wire."""

from __future__ import annotations

from dataclasses import replace

from mds.v1 import sighting_pb2, sighting_pb2_grpc

from metadata_server.api.calls import Context, tell_position
from metadata_server.api.messages.asked_list import asked_list_of
from metadata_server.api.messages.position import position_message, time_message
from metadata_server.domain.filter.vocabulary import SIGHTING
from metadata_server.domain.life.sighting import Sighting
from metadata_server.domain.names import Kind
from metadata_server.services.life.sightings import Sightings


class SightingsServicer(sighting_pb2_grpc.SightingsServicer):
    """Converts; never decides."""

    def __init__(self, sightings: Sightings) -> None:
        self._sightings = sightings

    async def ListSightings(
        self, request: sighting_pb2.ListSightingsRequest, context: Context
    ) -> sighting_pb2.ListSightingsResponse:
        answer = await self._sightings.list(
            replace(asked_list_of(request, SIGHTING), size=request.page_size)
        )
        tell_position(context, answer.position)
        return sighting_pb2.ListSightingsResponse(
            sightings=map(sighting_message, answer.value),
            position=position_message(answer.position),
        )


def sighting_message(seen: Sighting) -> sighting_pb2.Sighting:
    return sighting_pb2.Sighting(
        unit_server=Kind.UNIT_SERVER.name_of(seen.unit_server),
        host=seen.host,
        address=seen.address,
        pid=seen.pid,
        classes=seen.classes,
        first_time=time_message(seen.first_time_us),
        last_time=time_message(seen.last_time_us),
        count=seen.count,
    )
