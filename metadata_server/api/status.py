"""What is reported and what is in effect, on the wire: the methods of ControlUnits and
UnitServers beyond the standard ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from google.protobuf.message import Message
from mds.v1 import configuration_pb2, control_unit_pb2, unit_server_pb2

from metadata_server.api.calls import Context, tell_position
from metadata_server.api.messages import (
    configuration_message,
    control_unit_status_message,
    unit_server_status_message,
)
from metadata_server.api.messages.enums import state_of
from metadata_server.api.messages.named import ids_of
from metadata_server.api.messages.position import position_message
from metadata_server.api.prepared import Prepared
from metadata_server.domain.life.condition import TYPES
from metadata_server.domain.names import Kind
from metadata_server.domain.page import Selection
from metadata_server.domain.refused import Refused, WrongField
from metadata_server.services.life.statuses import InEffect, Reported, Statuses
from metadata_server.services.watching.remembered import Origin, Remembered


class StatusMethods:
    """Handlers for readings of statuses and configurations."""

    def __init__(self, statuses: Statuses, remembered: Remembered) -> None:
        self._statuses = statuses
        self._remembered = remembered

    def handlers(self) -> dict[str, Callable[[Any, Context], Any]]:
        """Handlers by method name."""
        return {
            "GetConfiguration": self.get_configuration,
            "GetControlUnitStatus": self.get_control_unit_status,
            "ListControlUnitStatuses": self.list_control_unit_statuses,
            "GetUnitServerStatus": self.get_unit_server_status,
            "ListUnitServerStatuses": self.list_unit_server_statuses,
        }

    async def get_configuration(self, request: Any, context: Context) -> Message | Prepared:
        id = Kind.CONTROL_UNIT.id_of(request.name)
        if request.as_of:
            answer = await self._statuses.configuration(id, as_of=request.as_of)
            tell_position(context, answer.position)
            return in_effect_message(answer.value)
        held, position = await self._remembered.get(
            ("configuration", id), lambda: self._statuses.configuration(id), origins_of
        )
        tell_position(context, position)
        return Prepared(held, in_effect_message)

    async def get_control_unit_status(self, request: Any, context: Context) -> Message:
        answer = await self._statuses.get(
            Kind.CONTROL_UNIT_STATUS.id_of(request.name), as_of=request.as_of
        )
        tell_position(context, answer.position)
        return reported_message(answer.value)

    async def list_control_unit_statuses(self, request: Any, context: Context) -> Message:
        selection = Selection(
            kind=Kind.CONTROL_UNIT_STATUS,
            id_prefix=request.id_prefix,
            ids=ids_of(request.control_units, Kind.CONTROL_UNIT, field="control_units"),
            unit_server=server_of(request),
            state=state_of(request.state, field="state"),
            condition=condition_of(request.condition),
            as_of=request.as_of,
            filter=request.filter,
            order_by=request.order_by,
        )
        answer = await self._statuses.list(
            selection, size=request.page_size, token=request.page_token
        )
        tell_position(context, answer.position)
        return control_unit_pb2.ListControlUnitStatusesResponse(
            control_unit_statuses=map(reported_message, answer.value.items),
            next_page_token=answer.value.next_page_token,
            position=position_message(answer.value.position),
        )

    async def get_unit_server_status(self, request: Any, context: Context) -> Message:
        answer = await self._statuses.get_session(
            Kind.UNIT_SERVER_STATUS.id_of(request.name), as_of=request.as_of
        )
        tell_position(context, answer.position)
        return unit_server_status_message(answer.value)

    async def list_unit_server_statuses(self, request: Any, context: Context) -> Message:
        selection = Selection(
            kind=Kind.UNIT_SERVER_STATUS,
            id_prefix=request.id_prefix,
            ids=ids_of(request.unit_servers, Kind.UNIT_SERVER, field="unit_servers"),
            as_of=request.as_of,
            filter=request.filter,
            order_by=request.order_by,
        )
        answer = await self._statuses.list_sessions(
            selection, size=request.page_size, token=request.page_token
        )
        tell_position(context, answer.position)
        return unit_server_pb2.ListUnitServerStatusesResponse(
            unit_server_statuses=map(unit_server_status_message, answer.value.items),
            next_page_token=answer.value.next_page_token,
            position=position_message(answer.value.position),
        )


def origins_of(found: InEffect) -> list[Origin]:
    """What a configuration changes with; one that waits for its dataset is not final."""
    if found.is_awaited:
        return []
    unit = found.control_unit
    return [
        (Kind.CONTROL_UNIT, unit),
        (Kind.CONTROL_UNIT_STATUS, unit),
        (Kind.TEMPLATE, found.template),
    ]


def in_effect_message(found: InEffect) -> configuration_pb2.Configuration:
    return configuration_message(found.configuration)


def server_of(request: Any) -> str:
    """Id of the unit server that a request asks for; empty: any."""
    name = request.unit_server
    return Kind.UNIT_SERVER.id_of(name, field="unit_server") if name else ""


def condition_of(type_: str) -> str:
    """The type of condition that a request asks for; empty: any.

    Raises:
        Refused: INVALID_FIELD.
    """
    if type_ and type_ not in TYPES:
        expected = f"one of {', '.join(TYPES)}, or empty"
        raise Refused.wrong_fields([WrongField("condition", type_, expected)])
    return type_


def reported_message(reported: Reported) -> control_unit_pb2.ControlUnitStatus:
    return control_unit_status_message(
        reported.status, contact=reported.contact, health=reported.health
    )
