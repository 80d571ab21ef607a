"""Agents, execution units, variables, scripts, snapshots and policies on the wire."""

from __future__ import annotations

from collections.abc import Iterable
from operator import attrgetter

from mds.v1 import (
    agent_pb2,
    execution_unit_pb2,
    policy_pb2,
    script_pb2,
    snapshot_pb2,
    variable_pb2,
)

from metadata_server.api.messages.attribute import (
    driver_message,
    drivers_of,
    override_message,
    overrides_of,
)
from metadata_server.api.messages.enums import KINDS, STATES, VALUE_TYPES
from metadata_server.api.messages.position import time_message, time_us_of
from metadata_server.api.messages.reading import Reading
from metadata_server.api.messages.resource import shared_content, shared_fields
from metadata_server.domain.intent.attribute import ValueType
from metadata_server.domain.intent.facility import (
    Agent,
    ExecutionUnit,
    Policy,
    SavedUnit,
    SavedValue,
    Script,
    Snapshot,
    Variable,
)
from metadata_server.domain.life.state import State
from metadata_server.domain.names import Kind


def agent_message(agent: Agent) -> agent_pb2.Agent:
    return agent_pb2.Agent(
        **shared_fields(agent), host=agent.host, working_directory=agent.working_directory
    )


def agent_of(message: agent_pb2.Agent, id: str, _: Reading) -> Agent:
    return Agent(
        **shared_content(message, id),
        host=message.host,
        working_directory=message.working_directory,
    )


def execution_unit_message(unit: ExecutionUnit) -> execution_unit_pb2.ExecutionUnit:
    return execution_unit_pb2.ExecutionUnit(
        **shared_fields(unit),
        host=unit.host,
        implementation=unit.implementation,
        desired_state=STATES.number[unit.desired_state],
        overrides=map(override_message, unit.overrides),
        drivers=map(driver_message, unit.drivers),
        parameters=unit.parameters,
    )


def execution_unit_of(
    message: execution_unit_pb2.ExecutionUnit, id: str, reading: Reading
) -> ExecutionUnit:
    return ExecutionUnit(
        **shared_content(message, id),
        host=message.host,
        implementation=message.implementation,
        desired_state=reading.member(
            STATES, message.desired_state, "desired_state", State.UNSPECIFIED
        ),
        overrides=overrides_of(message.overrides),
        drivers=drivers_of(message.drivers),
        parameters=dict(message.parameters),
    )


def variable_message(variable: Variable) -> variable_pb2.Variable:
    return variable_pb2.Variable(**shared_fields(variable), value=variable.value)


def variable_of(message: variable_pb2.Variable, id: str, _: Reading) -> Variable:
    return Variable(**shared_content(message, id), value=message.value)


def script_message(script: Script) -> script_pb2.Script:
    return script_pb2.Script(
        **shared_fields(script),
        language=script.language,
        content=script.content,
        default_argument=script.default_argument,
        group=script.group,
        target=script.target,
        keep_alive=script.keep_alive,
    )


def script_of(message: script_pb2.Script, id: str, _: Reading) -> Script:
    return Script(
        **shared_content(message, id),
        language=message.language,
        content=message.content,
        default_argument=message.default_argument,
        group=message.group,
        target=message.target,
        keep_alive=message.keep_alive,
    )


def snapshot_message(snapshot: Snapshot) -> snapshot_pb2.Snapshot:
    return snapshot_pb2.Snapshot(
        **shared_fields(snapshot),
        taken_time=time_message(snapshot.taken_time_us),
        units=map(saved_unit_message, snapshot.units),
        marks=snapshot.marks,
    )


def snapshot_of(message: snapshot_pb2.Snapshot, id: str, reading: Reading) -> Snapshot:
    found = (
        SavedUnit(
            unit.control_unit,
            saved_values_of(unit.values, reading, path=f"units[{position}].values"),
            dict(unit.properties),
        )
        for position, unit in enumerate(message.units)
    )
    return Snapshot(
        **shared_content(message, id),
        taken_time_us=time_us_of(message.taken_time),
        units=tuple(sorted(found, key=attrgetter("control_unit"))),
        marks=tuple(sorted(message.marks)),
    )


def saved_unit_message(unit: SavedUnit) -> snapshot_pb2.SavedUnit:
    return snapshot_pb2.SavedUnit(
        control_unit=unit.control_unit,
        values=(
            snapshot_pb2.SavedValue(
                attribute=each.attribute, type=VALUE_TYPES.number[each.type], value=each.value
            )
            for each in unit.values
        ),
        properties=unit.properties,
    )


def saved_values_of(
    messages: Iterable[snapshot_pb2.SavedValue], reading: Reading, *, path: str
) -> tuple[SavedValue, ...]:
    """Saved values, sorted by attribute."""
    found = (
        SavedValue(
            message.attribute,
            reading.member(
                VALUE_TYPES, message.type, f"{path}[{position}].type", ValueType.UNSPECIFIED
            ),
            message.value,
        )
        for position, message in enumerate(messages)
    )
    return tuple(sorted(found, key=attrgetter("attribute")))


def policy_message(policy: Policy) -> policy_pb2.Policy:
    return policy_pb2.Policy(
        **shared_fields(policy),
        kinds=(KINDS.number[kind] for kind in policy.kinds),
        id_prefix=policy.id_prefix,
        template=Kind.TEMPLATE.name_of(policy.template) if policy.template else "",
        requires_reason=policy.requires_reason,
    )


def policy_of(message: policy_pb2.Policy, id: str, reading: Reading) -> Policy:
    kinds = {
        reading.member(KINDS, number, f"kinds[{position}]", Kind.CONTROL_UNIT)
        for position, number in enumerate(message.kinds)
    }
    return Policy(
        **shared_content(message, id),
        kinds=tuple(sorted(kinds)),
        id_prefix=message.id_prefix,
        template=reading.reference(Kind.TEMPLATE, message.template, "template"),
        requires_reason=message.requires_reason,
    )
