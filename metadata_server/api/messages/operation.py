"""Operations and their steps on the wire."""

from __future__ import annotations

from google.protobuf.duration_pb2 import Duration
from mds.v1 import edit_pb2, operation_pb2, operation_plan_pb2, operation_step_pb2

from metadata_server.api.messages.enums import (
    ON_FAILURES,
    PHASES,
    ROLES,
    STATES,
    STEP_STATES,
    VERBS,
)
from metadata_server.api.messages.position import position_message, time_message
from metadata_server.api.messages.reading import Reading
from metadata_server.api.messages.selection import edit_of, read_selection, selection_message
from metadata_server.domain.change import Position
from metadata_server.domain.intent.edit import FieldEdit
from metadata_server.domain.names import Kind
from metadata_server.domain.orchestration.advance import OnFailure
from metadata_server.domain.orchestration.operation import (
    DEFAULT_RETRY_DELAY_US,
    DEFAULT_STEP_TIMEOUT_US,
    Operation,
    Order,
    StepCounts,
    UnitEdits,
)
from metadata_server.domain.orchestration.operation_step import Step
from metadata_server.domain.refused import WrongField
from metadata_server.services.orchestration.operation_plans import Planned

UNIT = Kind.CONTROL_UNIT


def order_of(message: operation_pb2.Operation) -> Order:
    """What people set of an operation.

    Raises:
        Refused: INVALID_ID, INVALID_FIELD, with everything that is wrong with it.
    """
    reading = Reading()
    verb = VERBS.find(message.verb)
    if verb is None:
        reading.faults.append(VERBS.fault(message.verb, field="operation.verb"))
    selection = read_selection(message.selection, reading, "operation.selection")
    unit_edits = unit_edits_of(message, reading)
    if not message.selection.ByteSize() and not unit_edits:
        # All units of a facility are ordered something by a star, never by leaving it out.
        expected = "something that selects units; an id_prefixes of '*' is all of them"
        reading.faults.append(WrongField("operation.selection", "", expected))
    on_failure = reading.member(
        ON_FAILURES, message.on_failure, "operation.on_failure", OnFailure.STOP
    )
    campaign = reading.reference(Kind.CAMPAIGN, message.campaign, "operation.campaign")
    reading.finish()
    assert verb is not None
    return Order(
        verb=verb,
        selection=selection,
        edits=tuple(map(edit_of, message.edits)),
        unit_edits=unit_edits,
        at_once=message.at_once,
        at_once_per_unit_server=message.at_once_per_unit_server,
        on_failure=on_failure,
        step_timeout_us=duration_us(message.step_timeout) or DEFAULT_STEP_TIMEOUT_US,
        timeout_us=duration_us(message.timeout),
        even_so=message.even_so,
        recover=message.recover,
        stage=message.stage,
        most_attempts=message.most_attempts or 1,
        retry_delay_us=duration_us(message.retry_delay)
        if message.HasField("retry_delay")
        else DEFAULT_RETRY_DELAY_US,
        campaign=campaign,
    )


def unit_edits_of(message: operation_pb2.Operation, reading: Reading) -> tuple[UnitEdits, ...]:
    return tuple(
        UnitEdits(
            reading.id(UNIT, each.name, f"operation.unit_edits[{place}].name"),
            tuple(map(edit_of, each.edits)),
        )
        for place, each in enumerate(message.unit_edits)
    )


def operation_message(operation: Operation, *, now_us: int = 0) -> operation_pb2.Operation:
    """An operation; `now_us`: when it is told, for its estimated end."""
    order = operation.order
    return operation_pb2.Operation(
        name=operation.name,
        revision=operation.revision,
        verb=VERBS.number[order.verb],
        selection=selection_message(order.selection),
        edits=map(edit_message, order.edits),
        unit_edits=map(unit_edits_message, order.unit_edits),
        at_once=order.at_once,
        at_once_per_unit_server=order.at_once_per_unit_server,
        on_failure=ON_FAILURES.number[order.on_failure],
        step_timeout=duration(order.step_timeout_us),
        timeout=duration(order.timeout_us) if order.timeout_us else None,
        even_so=order.even_so,
        recover=order.recover,
        stage=order.stage,
        most_attempts=order.most_attempts,
        retry_delay=duration(order.retry_delay_us),
        campaign=Kind.CAMPAIGN.name_of(order.campaign) if order.campaign else "",
        phase=PHASES.number[operation.phase],
        minor_state=operation.minor_state,
        message=operation.message,
        author=operation.author,
        reason=operation.reason,
        create_time=time_message(operation.create_time_us),
        start_time=time_message(operation.start_time_us),
        end_time=time_message(operation.end_time_us),
        update_time=time_message(operation.update_time_us),
        sign_of_life_time=time_message(operation.sign_of_life_us),
        deadline=time_message(operation.deadline_us),
        estimated_end_time=time_message(
            operation.estimated_end_us(now_us or operation.update_time_us)
        ),
        counts=counts_message(operation.counts),
        replica=operation.replica,
        role=ROLES.number[operation.role],
    )


def unit_edits_message(each: UnitEdits) -> operation_pb2.UnitEdits:
    return operation_pb2.UnitEdits(name=UNIT.name_of(each.id), edits=map(edit_message, each.edits))


def counts_message(counts: StepCounts) -> operation_step_pb2.StepCounts:
    return operation_step_pb2.StepCounts(
        steps=counts.steps,
        pending=counts.pending,
        executing=counts.executing,
        completed=counts.completed,
        failed=counts.failed,
        aborted=counts.aborted,
        skipped=counts.skipped,
    )


def step_message(step: Step) -> operation_step_pb2.OperationStep:
    return operation_step_pb2.OperationStep(
        position=step.position,
        control_unit=UNIT.name_of(step.id),
        state=STEP_STATES.number[step.state],
        minor_state=step.minor_state,
        message=step.message,
        is_way_back=step.is_way_back,
        level=step.level,
        wave=step.wave,
        unit_server=Kind.UNIT_SERVER.name_of(step.unit_server) if step.unit_server else "",
        generation=step.generation,
        attempts=step.attempts,
        start_time=time_message(step.start_time_us),
        end_time=time_message(step.end_time_us),
        deadline=time_message(step.deadline_us),
        revision=step.revision,
    )


def plan_message(planned: Planned, position: Position) -> operation_plan_pb2.OperationPlan:
    order = planned.order
    wave = {each.id: number for number, some in enumerate(planned.waves) for each in some}
    return operation_plan_pb2.OperationPlan(
        steps=[
            operation_plan_pb2.PlannedStep(
                control_unit=UNIT.name_of(member.id),
                wave=wave[member.id],
                state=STATES.number[member.state],
                waits_for=waits_for(planned, place),
            )
            for place, member in enumerate(order.ordering.members)
        ],
        there=map(UNIT.name_of, order.there),
        blocked=[
            operation_plan_pb2.BlockedUnit(
                control_unit=UNIT.name_of(id), by=blockage.by, why=blockage.why
            )
            for id, blockage in sorted(order.blocked.items())
        ],
        hit=[
            operation_plan_pb2.HitUnit(control_unit=UNIT.name_of(id), through=UNIT.name_of(through))
            for id, through in sorted(planned.hit.items())
        ],
        supersedes=planned.supersedes,
        waves=len(planned.waves),
        estimate=duration(planned.estimate_us) if planned.estimate_us else None,
        plan=planned.digest,
        position=position_message(position),
    )


def waits_for(planned: Planned, place: int) -> list[str]:
    return [
        f"level {tie.on}" if tie.link == "LEVEL" else tie.on
        for tie in planned.order.ordering.waits(place)
    ]


def edit_message(edit: FieldEdit) -> edit_pb2.FieldEdit:
    return edit_pb2.FieldEdit(path=edit.path, value=edit.value)


def duration(time_us: int) -> Duration:
    seconds, microseconds = divmod(time_us, 1_000_000)
    return Duration(seconds=seconds, nanos=microseconds * 1000)


def duration_us(message: Duration) -> int:
    return message.seconds * 1_000_000 + message.nanos // 1000
