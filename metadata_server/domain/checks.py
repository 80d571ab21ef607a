"""What is wrong with a resource: all of it at once, each with its field, what was read and
what would be right. Whether what it names is there is for its caller to see."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from metadata_server.domain.deliveries.webhook import webhook_faults
from metadata_server.domain.intent.attribute import Attribute, Direction, ValueType
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.dependency import dependency_faults
from metadata_server.domain.intent.facility import (
    ExecutionUnit,
    Policy,
    SavedValue,
    Script,
    Snapshot,
    Variable,
)
from metadata_server.domain.intent.fit import unit_misfits
from metadata_server.domain.intent.requirement import requirement_faults
from metadata_server.domain.intent.template import Template
from metadata_server.domain.intent.unit_list import unit_list_faults
from metadata_server.domain.intent.unit_server import UnitServer
from metadata_server.domain.intent.values import Fault, document, parse
from metadata_server.domain.names import BEGINS_AN_ID, DECLARED, Kind
from metadata_server.domain.orchestration.campaign import campaign_faults
from metadata_server.domain.orchestration.guard_checks import guard_faults, machine_mode_faults
from metadata_server.domain.orchestration.maintenance import Maintenance
from metadata_server.domain.part_checks import (
    attribute_faults,
    command_faults,
    count_faults,
    desired_state_faults,
    driver_faults,
    id_faults,
    label_faults,
    name_faults,
    override_faults,
    parameter_faults,
    property_faults,
    reference_faults,
    size_faults,
    unique_faults,
    version_faults,
    word_faults,
)
from metadata_server.domain.refused import WrongField
from metadata_server.domain.resource import Resource

MARK = re.compile(r"[a-z][a-z0-9-]{0,31}\Z")
MOST_MARKS = 8
CONTRADICTION = "DATASET_CONTRADICTS_TEMPLATE"


def faults_of(resource: Resource) -> tuple[WrongField, ...]:
    """All that is wrong with a resource by itself."""
    check = CHECKS.get(resource.kind)
    return (
        *id_faults(resource.id),
        *label_faults(resource.labels),
        *property_faults(resource.properties),
        *(check(resource) if check else ()),
    )


def control_unit_faults(
    unit: ControlUnit, template: Template, dataset: Sequence[Attribute] | None
) -> tuple[WrongField, ...]:
    """All that is wrong with a control unit by itself and against its template and the
    dataset that its code published; None: nothing has been published yet."""
    return (*faults_of(unit), *unit_misfits(unit, template, dataset))


def dataset_faults(attributes: Sequence[Attribute]) -> tuple[WrongField, ...]:
    """All that is wrong with a published dataset by itself."""
    return tuple(attribute_faults(attributes))


def dataset_contradictions(
    dataset: Sequence[Attribute], template: Template
) -> tuple[WrongField, ...]:
    """All in which a published dataset says other than its template. What one of them leaves
    open contradicts nothing; neither does a range, which the template may narrow or widen."""
    declared = {each.name: each for each in template.attributes}
    return tuple(
        fault
        for position, published in enumerate(dataset)
        if published.name in declared
        for fault in attribute_contradictions(
            published, declared[published.name], path=f"attributes[{position}]"
        )
    )


def attribute_contradictions(
    published: Attribute, declared: Attribute, *, path: str
) -> Iterator[WrongField]:
    for field, told, wanted, left_open in (
        ("direction", published.direction, declared.direction, Direction.UNSPECIFIED),
        ("type", published.type, declared.type, ValueType.UNSPECIFIED),
    ):
        if left_open not in {told, wanted} and told != wanted:
            yield contradiction(f"{path}.{field}", told, f"{wanted}, as its template has it")
    if not same_shape(published, declared):
        yield contradiction(
            f"{path}.shape",
            "x".join(map(str, published.shape)) or "scalar",
            f"{'x'.join(map(str, declared.shape)) or 'scalar'}, as its template has it",
        )
    if published.direction is Direction.OUTPUT:
        yield from narrowed_output(published, declared, path=path)


def narrowed_output(
    published: Attribute, declared: Attribute, *, path: str
) -> Iterator[WrongField]:
    """What a template says of an output otherwise than its code. Where the template knows
    that it is an output, it may say more than the code: that narrows nothing."""
    for facet, text in declared.facets.items():
        told = published.facets.get(facet)
        if told == text or (told is None and declared.direction is Direction.OUTPUT):
            continue
        yield contradiction(
            f"{path}.{facet}", told or "", f"{text}, as its template has it for an output"
        )


def same_shape(published: Attribute, declared: Attribute) -> bool:
    """Whether two shapes can be of one attribute; 0 is any size, and a shape counts as left
    open while the type is."""
    if ValueType.UNSPECIFIED in {published.type, declared.type} and not (
        published.shape and declared.shape
    ):
        return True
    return len(published.shape) == len(declared.shape) and all(
        0 in pair or pair[0] == pair[1]
        for pair in zip(published.shape, declared.shape, strict=True)
    )


def contradiction(field: str, value: str, expected: str) -> WrongField:
    return WrongField(field, value, expected, CONTRADICTION)


def template_faults(template: Template) -> Iterator[WrongField]:
    if not template.implementation:
        yield WrongField("implementation", "", "the class as its code names it")
    yield from version_faults(template.version)
    yield from driver_faults(template.drivers)
    yield from driver_faults(template.alternative_drivers, path="alternative_drivers")
    yield from parameter_faults(template.parameters, path="parameters")
    yield from attribute_faults(template.attributes)
    yield from command_faults(template.commands)
    yield from requirement_faults(template)


def declared_unit_faults(unit: ControlUnit) -> Iterator[WrongField]:
    yield from reference_faults(unit.template, Kind.TEMPLATE, path="template", needed=True)
    yield from reference_faults(
        unit.unit_server, Kind.UNIT_SERVER, path="unit_server", needed=False
    )
    yield from version_faults(unit.template_version, path="template_version")
    yield from count_faults(unit.recover_count, path="recover_count")
    yield from desired_state_faults(unit.desired_state)
    yield from override_faults(unit.overrides)
    yield from driver_faults(unit.drivers)
    for name in unit.parameters:
        yield from word_faults(name, path=f"parameters[{name}]")
    yield from dependency_faults(unit.id, unit.requires, path="requires")
    yield from dependency_faults(unit.id, unit.after, path="after")


def unit_server_faults(server: UnitServer) -> Iterator[WrongField]:
    if server.launch is None:
        return
    yield from reference_faults(server.launch.agent, Kind.AGENT, path="launch.agent", needed=False)
    yield from count_faults(server.launch.restart_count, path="launch.restart_count")
    for name in server.launch.environment:
        path = f"launch.environment[{name}]"
        yield from name_faults(name, path=path)
        if "=" in name:
            yield WrongField(path, name, "a name without '='")


def execution_unit_faults(unit: ExecutionUnit) -> Iterator[WrongField]:
    if unit.host:
        yield from host_faults(unit.host)
    yield from desired_state_faults(unit.desired_state)
    yield from override_faults(unit.overrides)
    yield from driver_faults(unit.drivers)
    for name in unit.parameters:
        yield from name_faults(name, path=f"parameters[{name}]")


def host_faults(host: str) -> Iterator[WrongField]:
    kind = next(
        (each for each in (Kind.AGENT, Kind.UNIT_SERVER) if host.startswith(f"{each.collection}/")),
        None,
    )
    if kind is None:
        yield WrongField("host", host, "agents/{id} or unit_servers/{id}", "INVALID_ID")
    else:
        yield from reference_faults(
            host.removeprefix(f"{kind.collection}/"), kind, path="host", needed=True
        )


def variable_faults(variable: Variable) -> Iterator[WrongField]:
    yield from size_faults(variable.value, path="value")
    found = document(variable.value)
    if isinstance(found, Fault):
        yield WrongField("value", variable.value, found.expected, "INVALID_VALUE")


def script_faults(script: Script) -> Iterator[WrongField]:
    yield from size_faults(script.content, path="content")


def snapshot_faults(snapshot: Snapshot) -> Iterator[WrongField]:
    yield from mark_faults(snapshot.marks)
    names = (each.control_unit for each in snapshot.units)
    yield from unique_faults(names, path="units[{}].control_unit")
    for position, each in enumerate(snapshot.units):
        path = f"units[{position}]"
        yield from name_faults(each.control_unit, path=f"{path}.control_unit")
        yield from property_faults(each.properties, path=f"{path}.properties")
        yield from saved_value_faults(each.values, path=f"{path}.values")


def mark_faults(marks: Sequence[str]) -> Iterator[WrongField]:
    if len(marks) > MOST_MARKS:
        yield WrongField("marks", ", ".join(marks), f"at most {MOST_MARKS} words")
    yield from unique_faults(marks, path="marks[{}]")
    for position, mark in enumerate(marks):
        if not MARK.match(mark):
            expected = "1 to 32 lower-case letters, digits and hyphens, the first a letter"
            yield WrongField(f"marks[{position}]", mark, expected)


def policy_faults(policy: Policy) -> Iterator[WrongField]:
    for position, kind in enumerate(policy.kinds):
        if kind not in DECLARED:
            yield WrongField(f"kinds[{position}]", kind, f"one of {', '.join(DECLARED)}")
    if policy.template:
        yield from reference_faults(policy.template, Kind.TEMPLATE, path="template", needed=False)


def maintenance_faults(maintenance: Maintenance) -> Iterator[WrongField]:
    if not maintenance.description.strip():
        expected = "why these are in maintenance"
        yield WrongField("description", maintenance.description, expected)
    if not (maintenance.control_units or maintenance.unit_servers or maintenance.id_prefixes):
        expected = "at least one of control_units, unit_servers, id_prefixes"
        yield WrongField("control_units", "", expected)
    for position, prefix in enumerate(maintenance.id_prefixes):
        if not prefix or not BEGINS_AN_ID.match(prefix):
            expected = "the beginning of ids, like DAFNE/PL/"
            yield WrongField(f"id_prefixes[{position}]", prefix, expected)
    if 0 < maintenance.end_time_us <= maintenance.begin_time_us:
        expected = "a time after begin_time"
        yield WrongField("end_time", str(maintenance.end_time_us), expected)


def saved_value_faults(values: Sequence[SavedValue], *, path: str) -> Iterator[WrongField]:
    yield from unique_faults((each.attribute for each in values), path=f"{path}[{{}}].attribute")
    for position, each in enumerate(values):
        yield from word_faults(each.attribute, path=f"{path}[{position}].attribute")
        found = parse(each.value, each.type, shape=None)
        if isinstance(found, Fault):
            where = f"{path}[{position}].value"
            yield WrongField(where, each.value, found.expected, "INVALID_VALUE", each.attribute)


CHECKS: dict[Kind, Callable[[Any], Iterator[WrongField]]] = {
    Kind.TEMPLATE: template_faults,
    Kind.UNIT_SERVER: unit_server_faults,
    Kind.CONTROL_UNIT: declared_unit_faults,
    Kind.EXECUTION_UNIT: execution_unit_faults,
    Kind.VARIABLE: variable_faults,
    Kind.SCRIPT: script_faults,
    Kind.SNAPSHOT: snapshot_faults,
    Kind.POLICY: policy_faults,
    Kind.MAINTENANCE: maintenance_faults,
    Kind.MACHINE_MODE: machine_mode_faults,
    Kind.GUARD: guard_faults,
    Kind.UNIT_LIST: unit_list_faults,
    Kind.CAMPAIGN: campaign_faults,
    Kind.WEBHOOK: webhook_faults,
}
