"""Control units on the wire: what people declare, what they report, what they shall use."""

from __future__ import annotations

from mds.v1 import condition_pb2, control_unit_pb2

from metadata_server.api.messages.attribute import (
    driver_message,
    drivers_of,
    override_message,
    overrides_of,
)
from metadata_server.api.messages.enums import CONDITION_STATUSES, CONTACTS, HEALTHS, STATES
from metadata_server.api.messages.position import time_message
from metadata_server.api.messages.reading import Reading
from metadata_server.api.messages.resource import shared_content, shared_fields
from metadata_server.domain.intent.control_unit import ControlUnit, ControlUnitStatus
from metadata_server.domain.life.condition import Condition
from metadata_server.domain.life.state import Contact, Health, State
from metadata_server.domain.names import Kind


def control_unit_message(unit: ControlUnit) -> control_unit_pb2.ControlUnit:
    return control_unit_pb2.ControlUnit(
        **shared_fields(unit),
        generation=unit.meta.generation,
        template=name_or_nothing(Kind.TEMPLATE, unit.template),
        template_version=unit.template_version,
        unit_server=name_or_nothing(Kind.UNIT_SERVER, unit.unit_server),
        desired_state=STATES.number[unit.desired_state],
        recover_count=unit.recover_count,
        overrides=map(override_message, unit.overrides),
        drivers=map(driver_message, unit.drivers),
        parameters=unit.parameters,
        zone=unit.zone,
        level=unit.level,
        requires=map(Kind.CONTROL_UNIT.name_of, unit.requires),
        after=map(Kind.CONTROL_UNIT.name_of, unit.after),
    )


def control_unit_of(
    message: control_unit_pb2.ControlUnit, id: str, reading: Reading
) -> ControlUnit:
    return ControlUnit(
        **shared_content(message, id),
        template=reading.reference(Kind.TEMPLATE, message.template, "template"),
        template_version=message.template_version,
        unit_server=reading.reference(Kind.UNIT_SERVER, message.unit_server, "unit_server"),
        desired_state=reading.member(
            STATES, message.desired_state, "desired_state", State.UNSPECIFIED
        ),
        recover_count=message.recover_count,
        overrides=overrides_of(message.overrides),
        drivers=drivers_of(message.drivers),
        parameters=dict(message.parameters),
        level=message.level,
        requires=reading.dependencies(message.requires, "requires"),
        after=reading.dependencies(message.after, "after"),
    )


def control_unit_status_message(
    status: ControlUnitStatus, *, contact: Contact, health: Health
) -> control_unit_pb2.ControlUnitStatus:
    """What a unit last said, with what only the server can say of it."""
    return control_unit_pb2.ControlUnitStatus(
        name=Kind.CONTROL_UNIT_STATUS.name_of(status.id),
        control_unit=Kind.CONTROL_UNIT.name_of(status.id),
        revision=status.revision,
        state=STATES.number[status.state],
        state_time=time_message(status.state_time_us),
        message=status.message,
        contact=CONTACTS.number[contact],
        unit_server=name_or_nothing(Kind.UNIT_SERVER, status.unit_server),
        session=status.session,
        sequence=status.sequence,
        reached_generation=status.reached_generation,
        reached_recover_count=status.reached_recover_count,
        dataset=f"datasets/{status.dataset}" if status.dataset else "",
        fingerprint=status.fingerprint,
        unfenced=status.unfenced,
        health=HEALTHS.number[health],
        conditions=map(condition_message, status.conditions),
        attempts=status.recovery.attempts,
        next_attempt_time=time_message(status.recovery.next_attempt_us),
        hanging_hook=status.recovery.hanging_hook,
    )


def condition_message(condition: Condition) -> condition_pb2.Condition:
    return condition_pb2.Condition(
        type=condition.type,
        status=CONDITION_STATUSES.number[condition.status],
        reason=condition.reason,
        message=condition.message,
        since=time_message(condition.since_us),
        fields=condition.fields,
    )


def name_or_nothing(kind: Kind, id: str) -> str:
    """The name of a resource that is referred to; empty: none is."""
    return kind.name_of(id) if id else ""
