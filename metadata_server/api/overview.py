"""The overview and the pulse on the wire; a message is made once for all who ask."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from typing import Any
from weakref import WeakKeyDictionary

from google.protobuf.duration_pb2 import Duration
from mds.v1 import overview_pb2, overview_pb2_grpc

from metadata_server.api.calls import Context, tell_position
from metadata_server.api.messages import unit_server_status_message
from metadata_server.api.messages.control_unit import name_or_nothing
from metadata_server.api.messages.enums import CONTACTS, HEALTHS, STATES
from metadata_server.api.messages.position import position_message, time_message
from metadata_server.domain.life.overview import (
    AbnormalUnit,
    Overview,
    UnitServerSummary,
    ZoneSummary,
)
from metadata_server.domain.life.state import Contact, Health, State
from metadata_server.domain.names import Kind
from metadata_server.services.watching.overview import Overviews, Pulse, abnormal_limit
from metadata_server.version import version


class OverviewServicer(overview_pb2_grpc.OverviewServicer):
    """Tells how the infrastructure is.

    Args:
        replica: name of this replica.
    """

    def __init__(self, overviews: Overviews, *, replica: str) -> None:
        self._overviews = overviews
        self._replica, self._version = replica, version()
        self._messages: WeakKeyDictionary[Overview, dict[int, overview_pb2.GetOverviewResponse]] = (
            WeakKeyDictionary()
        )
        self._pulses: WeakKeyDictionary[Pulse, overview_pb2.PulseResponse] = WeakKeyDictionary()

    async def GetOverview(
        self, request: overview_pb2.GetOverviewRequest, context: Context
    ) -> overview_pb2.GetOverviewResponse:
        limit = abnormal_limit(request.abnormal_limit)
        overview = await self._overviews.get(limit)
        tell_position(context, overview.position)
        known = self._messages.setdefault(overview, {})
        if limit not in known:
            message = overview_message(overview, limit=limit)
            message.replica, message.version = self._replica, self._version
            known[limit] = message
        return known[limit]

    async def Pulse(
        self, request: overview_pb2.PulseRequest, context: Context
    ) -> AsyncIterator[overview_pb2.PulseResponse]:
        async with aclosing(self._overviews.pulses()) as pulses:
            async for pulse in pulses:
                if pulse not in self._pulses:
                    self._pulses[pulse] = pulse_message(pulse)
                yield self._pulses[pulse]


def overview_message(overview: Overview, *, limit: int) -> overview_pb2.GetOverviewResponse:
    tally = overview.tally
    return overview_pb2.GetOverviewResponse(
        position=position_message(overview.position),
        time=time_message(overview.time_us),
        control_units=tally.units,
        unit_servers=len(overview.unit_servers),
        state_counts=state_counts(tally.states),
        contact_counts=contact_counts(tally.contacts, overview.unit_server_contacts),
        health_counts=health_counts(tally.healths),
        zones=map(zone_message, overview.zones),
        unit_server_summaries=map(unit_server_summary_message, overview.unit_servers),
        abnormal_units=map(abnormal_unit_message, overview.abnormal[:limit]),
        abnormal_total=overview.abnormal_total,
        blind_until=time_message(overview.blind_until_us),
        in_maintenance=tally.in_maintenance,
    )


def state_counts(counts: Mapping[State, int]) -> list[overview_pb2.StateCount]:
    return [
        overview_pb2.StateCount(state=STATES.number[state], count=count)
        for state, count in counts.items()
    ]


def health_counts(counts: Mapping[Health, int]) -> list[overview_pb2.HealthCount]:
    return [
        overview_pb2.HealthCount(health=HEALTHS.number[health], count=count)
        for health, count in counts.items()
    ]


def contact_counts(
    units: Mapping[Contact, int], servers: Mapping[Contact, int]
) -> list[overview_pb2.ContactCount]:
    return [
        overview_pb2.ContactCount(
            contact=CONTACTS.number[contact],
            control_units=units.get(contact, 0),
            unit_servers=servers.get(contact, 0),
        )
        for contact in Contact
        if contact in units or contact in servers
    ]


def zone_message(zone: ZoneSummary) -> overview_pb2.ZoneSummary:
    tally = zone.tally
    return overview_pb2.ZoneSummary(
        zone=zone.name,
        health=HEALTHS.number[tally.health],
        control_units=tally.units,
        health_counts=health_counts(tally.healths),
        state_counts=state_counts(tally.states),
        why=tally.why,
        in_maintenance=tally.in_maintenance,
    )


def unit_server_summary_message(summary: UnitServerSummary) -> overview_pb2.UnitServerSummary:
    tally = summary.tally
    return overview_pb2.UnitServerSummary(
        status=unit_server_status_message(summary.session),
        health=HEALTHS.number[summary.health],
        control_units=tally.units,
        state_counts=state_counts(tally.states),
        health_counts=health_counts(tally.healths),
        in_maintenance=tally.in_maintenance,
    )


def abnormal_unit_message(unit: AbnormalUnit) -> overview_pb2.AbnormalUnit:
    standing = unit.standing
    return overview_pb2.AbnormalUnit(
        control_unit=Kind.CONTROL_UNIT.name_of(unit.id),
        unit_server=name_or_nothing(Kind.UNIT_SERVER, unit.unit_server),
        state=STATES.number[standing.state],
        desired_state=STATES.number[standing.desired],
        contact=CONTACTS.number[standing.contact],
        health=HEALTHS.number[standing.health],
        state_time=time_message(unit.state_time_us),
        message=unit.message,
    )


def pulse_message(pulse: Pulse) -> overview_pb2.PulseResponse:
    beats: list[Any] = []
    for id, age_us in pulse.ages_us:
        seconds, microseconds = divmod(age_us, 1_000_000)
        age = Duration(seconds=seconds, nanos=microseconds * 1000)
        beats.append(overview_pb2.Beat(unit_server=Kind.UNIT_SERVER.name_of(id), age=age))
    return overview_pb2.PulseResponse(time=time_message(pulse.time_us), beats=beats)
