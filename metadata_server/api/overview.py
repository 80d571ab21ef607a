"""The overview and the pulse on the wire; a message is made once for all who ask."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from weakref import WeakKeyDictionary

from mds.v1 import overview_pb2, overview_pb2_grpc

from metadata_server.api.calls import Context, tell_position
from metadata_server.api.messages import unit_server_status_message
from metadata_server.api.messages.control_unit import name_or_nothing
from metadata_server.api.messages.enums import CONTACTS, HEALTHS, STATES
from metadata_server.api.messages.position import position_message, time_message
from metadata_server.api.messages.registration import duration_message
from metadata_server.domain.life.overview import (
    AbnormalUnit,
    Cause,
    Overview,
    UnitServerSummary,
    ZoneSummary,
)
from metadata_server.domain.life.state import Contact, Health, State
from metadata_server.domain.names import Kind
from metadata_server.domain.sample import Sample
from metadata_server.services.watching.overview import Overviews, Pulse, abnormal_limit
from metadata_server.services.watching.samples import Samples
from metadata_server.version import version


class OverviewServicer(overview_pb2_grpc.OverviewServicer):
    """Tells how the infrastructure is.

    Args:
        replica: name of this replica.
    """

    def __init__(self, overviews: Overviews, samples: Samples, *, replica: str) -> None:
        self._overviews = overviews
        self._samples = samples
        self._replica, self._version = replica, version()
        self._messages: WeakKeyDictionary[Overview, dict[int, overview_pb2.GetOverviewResponse]] = (
            WeakKeyDictionary()
        )
        self._pulses: WeakKeyDictionary[Pulse, overview_pb2.PulseResponse] = WeakKeyDictionary()

    async def GetOverview(
        self, request: overview_pb2.GetOverviewRequest, context: Context
    ) -> overview_pb2.GetOverviewResponse:
        limit = abnormal_limit(request.abnormal_limit)
        if request.as_of:
            overview = await self._overviews.at(request.as_of)
        else:
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

    async def ListGroups(
        self, request: overview_pb2.ListGroupsRequest, context: Context
    ) -> overview_pb2.ListGroupsResponse:
        groups = await self._overviews.groups(request.by)
        tell_position(context, groups.position)
        return overview_pb2.ListGroupsResponse(
            groups=map(group_message, groups.groups),
            position=position_message(groups.position),
            time=time_message(groups.time_us),
        )

    async def ListSamples(
        self, request: overview_pb2.ListSamplesRequest, context: Context
    ) -> overview_pb2.ListSamplesResponse:
        answer = await self._samples.list(
            range_us=request.range.ToMicroseconds(), step_us=request.step.ToMicroseconds()
        )
        tell_position(context, answer.position)
        told = answer.value
        return overview_pb2.ListSamplesResponse(
            samples=map(sample_message, told.samples),
            step=duration_message(told.step_us),
            time=time_message(told.now_us),
            position=position_message(answer.position),
        )


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
        causes=map(cause_message, tally.causes),
    )


def group_message(group: ZoneSummary) -> overview_pb2.GroupSummary:
    tally = group.tally
    return overview_pb2.GroupSummary(
        group=group.name,
        health=HEALTHS.number[tally.health],
        control_units=tally.units,
        health_counts=health_counts(tally.healths),
        causes=map(cause_message, tally.causes),
        in_maintenance=tally.in_maintenance,
    )


def cause_message(cause: Cause) -> overview_pb2.Cause:
    return overview_pb2.Cause(
        why=cause.why,
        count=cause.count,
        health=HEALTHS.number[cause.health],
        since_time=time_message(cause.since_us),
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
        agent=name_or_nothing(Kind.AGENT, summary.agent),
        causes=map(cause_message, tally.causes),
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
    return overview_pb2.PulseResponse(
        time=time_message(pulse.time_us),
        beats=[
            overview_pb2.Beat(
                unit_server=Kind.UNIT_SERVER.name_of(id), age=duration_message(age_us)
            )
            for id, age_us in pulse.ages_us
        ],
    )


def sample_message(sample: Sample) -> overview_pb2.Sample:
    beats = sample.beat_worst_us > 0
    return overview_pb2.Sample(
        time=time_message(sample.time_us),
        span=duration_message(sample.span_us),
        registrations=sample.registrations,
        changes=sample.changes,
        reports=sample.reports,
        sessions=sample.sessions,
        heartbeat_age_median=duration_message(sample.beat_median_us) if beats else None,
        heartbeat_age_worst=duration_message(sample.beat_worst_us) if beats else None,
        health_counts=health_counts({health: n for health, n in sample.healths.items() if n}),
        in_maintenance=sample.in_maintenance,
    )
