"""What unit servers say and are told, on the wire."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from google.protobuf.duration_pb2 import Duration
from mds.v1 import registration_pb2

from metadata_server.api.errors import status_of
from metadata_server.api.messages.configuration import ConfigurationMessages
from metadata_server.api.messages.dataset import published_attributes_of
from metadata_server.api.messages.enums import STATES, VALUE_TYPES
from metadata_server.api.messages.position import position_message
from metadata_server.domain.intent.attribute import ValueType
from metadata_server.domain.intent.template import class_of
from metadata_server.domain.life.recovery import NO_RECOVERY, Recovery
from metadata_server.domain.life.registration import Assignment, Registered, Registering
from metadata_server.domain.life.report import Passed, Report
from metadata_server.domain.life.state import State
from metadata_server.domain.life.timing import Timing
from metadata_server.domain.names import Kind
from metadata_server.domain.values.live_values import ReportedValue, UnitValues
from metadata_server.services.life.outbox import NotTaken, Word
from metadata_server.services.life.publication import Published

UNITS = f"{Kind.CONTROL_UNIT.collection}/"
LONGEST_AGE_US = 10 * 365 * 86_400_000_000
"""An age beyond this is none: ten years."""


def registering_of(message: registration_pb2.RegisterRequest) -> Registering:
    """What a unit server says of itself.

    Raises:
        Refused: INVALID_ID.
    """
    return Registering(
        unit_server=Kind.UNIT_SERVER.id_of(message.unit_server, field="unit_server"),
        incarnation=message.incarnation,
        classes={class_of(each.implementation): each.dataset_hash for each in message.classes},
        host=message.host,
        address=message.address,
        pid=message.pid,
        version=message.version,
        held_fingerprints=dict(message.held_fingerprints),
        take_over=message.take_over,
    )


def registered_message(
    registered: Registered, timing: Timing, configurations: ConfigurationMessages
) -> registration_pb2.RegisterResponse:
    message = registration_pb2.RegisterResponse(
        position=position_message(registered.position),
        session=registered.session.id,
        lease=duration_message(timing.lease_us),
        heartbeat_period=duration_message(timing.heartbeat_us),
        missing_datasets=registered.missing_datasets,
    )
    for each in registered.assignments:
        fill_assignment(message.assignments.add(), each, configurations)
    return message


def fill_assignment(
    message: registration_pb2.Assignment,
    assignment: Assignment,
    configurations: ConfigurationMessages,
) -> None:
    """Makes a message, where it lies, that of an assignment: a boot storm makes ten thousand, and
    each copy of one costs as much as its making."""
    unit = assignment.unit
    message.control_unit = UNITS + unit.id
    message.fingerprint = assignment.fingerprint
    message.generation = unit.meta.generation
    message.desired_state = STATES.number[unit.desired_state]
    message.recover_count = unit.recover_count
    message.implementation = assignment.implementation
    message.in_maintenance = assignment.in_maintenance
    if assignment.former_id:
        message.former_name = UNITS + assignment.former_id
    if assignment.configuration is not None:
        configurations.fill(message.configuration, assignment.configuration)
    if assignment.problem is not None:
        message.problem.CopyFrom(status_of(assignment.problem))


def word_message(
    word: Word, configurations: ConfigurationMessages
) -> registration_pb2.AttachResponse:
    message = registration_pb2.AttachResponse(
        position=position_message(word.position),
        lease=None if word.lease_us is None else duration_message(word.lease_us),
        lease_from_us=word.lease_from_us,
        acknowledged_sequence=word.acknowledged,
        removed=[UNITS + unit_id for unit_id in word.removed],
        removal=word.removal,
        refusals=map(refusal_message, word.not_taken),
        missing_datasets=word.missing_datasets,
        report_all=word.report_all,
    )
    for each in word.assignments:
        fill_assignment(message.assignments.add(), each, configurations)
    return message


def refusal_message(not_taken: NotTaken) -> registration_pb2.Refusal:
    return registration_pb2.Refusal(
        control_unit=not_taken.control_unit and UNITS + not_taken.control_unit,
        dataset_hash=not_taken.dataset,
        status=status_of(not_taken.refused),
        of_values=not_taken.of_values,
    )


def reports_of(messages: Iterable[registration_pb2.UnitReport], arrived_us: int) -> list[Report]:
    """Reports as they came; a state that the protocol has no word for is none.

    Args:
        arrived_us: when they came, by the server's steady clock.
    """
    return [
        Report(
            message.control_unit.removeprefix(UNITS),
            message.sequence,
            STATES.find(message.state) or State.UNSPECIFIED,
            arrived_us - age_us_of(message.age),
            message.message,
            passed_of(message.passed, arrived_us),
            message.reached_generation,
            message.reached_recover_count,
            message.fingerprint,
            message.dataset_hash,
            message.unfenced,
            recovery_of(message, arrived_us),
        )
        for message in messages
    ]


def recovery_of(message: registration_pb2.UnitReport, arrived_us: int) -> Recovery:
    is_next = message.HasField("next_attempt")
    if not (is_next or message.attempts or message.hanging_hook):
        return NO_RECOVERY
    next_us = arrived_us + age_us_of(message.next_attempt) if is_next else 0
    return Recovery(message.attempts, next_us, message.hanging_hook)


def passed_of(
    messages: Sequence[registration_pb2.PassedState], arrived_us: int
) -> tuple[Passed, ...]:
    if not messages:
        return ()
    return tuple(
        Passed(
            STATES.find(each.state) or State.UNSPECIFIED,
            arrived_us - age_us_of(each.age),
            each.message,
        )
        for each in messages
    )


def values_of(messages: Iterable[registration_pb2.UnitValues], arrived_us: int) -> list[UnitValues]:
    """What inputs are set to, as it came; a type that the protocol has no word for is none.

    Args:
        arrived_us: when it came, by the server's steady clock.
    """
    return [
        UnitValues(
            message.control_unit.removeprefix(UNITS),
            message.sequence,
            tuple(
                ReportedValue(
                    each.attribute,
                    VALUE_TYPES.find(each.type) or ValueType.UNSPECIFIED,
                    each.value,
                    arrived_us - age_us_of(each.age),
                )
                for each in message.values
            ),
        )
        for message in messages
    ]


def published_of(messages: Iterable[registration_pb2.PublishedDataset]) -> list[Published]:
    """Datasets as they came.

    Raises:
        Refused: INVALID_FIELD, for numbers that the protocol has no word for.
    """
    return [
        Published(
            message.hash,
            published_attributes_of(message.attributes),
            class_of(message.implementation),
        )
        for message in messages
    ]


def units_of(message: registration_pb2.LetGo) -> list[str]:
    """Ids of units that were let go of."""
    return [name.removeprefix(UNITS) for name in message.control_units]


def age_us_of(age: Duration) -> int:
    """An age in microseconds, from 0 on."""
    found = age.seconds * 1_000_000 + age.nanos // 1000
    return min(max(found, 0), LONGEST_AGE_US)


def duration_message(time_us: int) -> Duration:
    seconds, microseconds = divmod(time_us, 1_000_000)
    return Duration(seconds=seconds, nanos=microseconds * 1000)
