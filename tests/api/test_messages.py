"""Resources as messages and back."""

from dataclasses import fields, replace
from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from mds.v1 import (
    agent_pb2,
    control_unit_pb2,
    dataset_pb2,
    snapshot_pb2,
    state_pb2,
    template_pb2,
    unit_server_pb2,
)

from metadata_server.api.messages import (
    ConfigurationMessages,
    configuration_message,
    control_unit_status_message,
    dataset_message,
    from_message,
    published_attributes_of,
    to_message,
    unit_server_status_message,
)
from metadata_server.api.messages.attribute import attributes_of
from metadata_server.api.messages.configuration import MOST_SHARED
from metadata_server.api.messages.enums import state_of
from metadata_server.api.messages.position import (
    position_message,
    position_of,
    time_message,
    time_us_of,
)
from metadata_server.api.messages.reading import Reading
from metadata_server.domain.change import Position
from metadata_server.domain.intent.attribute import Attribute, Direction, Driver, ValueType
from metadata_server.domain.intent.configuration import effective, narrow
from metadata_server.domain.intent.control_unit import ControlUnit, ControlUnitStatus
from metadata_server.domain.intent.facility import Agent, Snapshot
from metadata_server.domain.intent.template import Template, VersionState
from metadata_server.domain.intent.unit_server import UnitServer
from metadata_server.domain.life.recovery import Recovery
from metadata_server.domain.life.session import EndReason, Session
from metadata_server.domain.life.state import Contact, Health, State
from metadata_server.domain.names import Kind
from metadata_server.domain.refused import Refused
from metadata_server.domain.resource import Meta, Resource
from tests.api.resources import RESOURCES
from tests.domain.facility import POWER_SUPPLY, UNIT, override


@given(RESOURCES)
def test_a_resource_comes_back_from_its_message(resource: Resource) -> None:
    message = to_message(resource)
    read = from_message(resource.kind, type(message).FromString(message.SerializeToString()))
    assert read == resource
    assert to_message(read).ListFields() == without_meta(message).ListFields()


def without_meta(message: Any) -> Any:
    """A message without what only the server sets."""
    for field in ("etag", "revision", "create_time", "update_time", "generation"):
        if field in message.DESCRIPTOR.fields_by_name:
            message.ClearField(field)
    return message


@pytest.mark.parametrize("kind", [Template, ControlUnit, UnitServer, Agent])
def test_every_content_field_has_a_place_in_the_message(kind: type[Resource]) -> None:
    known = set(to_message(kind(id="A")).DESCRIPTOR.fields_by_name)
    assert {each.name for each in fields(kind)} - {"id", "meta"} <= known


def test_the_store_tells_what_it_knows() -> None:
    meta = Meta(7, generation=3, revision=12, create_time_us=1_000_001, update_time_us=2_500_000)
    message: Any = to_message(ControlUnit(id="Z/U", meta=meta))
    assert (message.name, message.etag, message.zone) == ("control_units/Z/U", "12", "Z")
    assert (message.revision, message.generation) == (12, 3)
    assert message.create_time == Timestamp(seconds=1, nanos=1000)
    assert message.update_time == Timestamp(seconds=2, nanos=500_000_000)


def test_what_was_never_stored_has_no_etag_and_no_times() -> None:
    message: Any = to_message(Agent(id="A"))
    assert [field.name for field, _ in message.ListFields()] == ["name"]


def test_an_empty_text_that_was_given_is_not_an_absent_one() -> None:
    message = dataset_pb2.Attribute(name="a", default_value="", minimum="0")
    (found,) = attributes_of([message], Reading())
    assert found.facets == {"default_value": "", "minimum": "0"}
    told: Any = to_message(Template(id="T", attributes=(found,)))
    assert told.attributes[0].HasField("default_value")
    assert not told.attributes[0].HasField("maximum")


def test_lists_are_kept_sorted_and_drivers_as_they_come() -> None:
    message = control_unit_pb2.ControlUnit(name="control_units/U")
    for name in ("b", "a"):
        message.overrides.add(attribute=name)
        message.drivers.add(name=name)
    found = from_message(Kind.CONTROL_UNIT, message)
    assert isinstance(found, ControlUnit)
    assert [each.attribute for each in found.overrides] == ["a", "b"]
    assert [each.name for each in found.drivers] == ["b", "a"]


def test_a_snapshot_is_kept_sorted_by_unit_and_attribute() -> None:
    message = snapshot_pb2.Snapshot(name="snapshots/S")
    for unit in ("U/2", "U/1"):
        saved = message.units.add(control_unit=unit)
        saved.values.add(attribute="b")
        saved.values.add(attribute="a")
    found = from_message(Kind.SNAPSHOT, message)
    assert isinstance(found, Snapshot)
    assert [each.control_unit for each in found.units] == ["U/1", "U/2"]
    assert [value.attribute for value in found.units[0].values] == ["a", "b"]


def test_an_unset_version_state_is_published() -> None:
    found = from_message(Kind.TEMPLATE, template_pb2.Template(name="templates/T"))
    assert isinstance(found, Template)
    assert found.version_state is VersionState.PUBLISHED


def test_all_that_cannot_be_read_is_told_at_once() -> None:
    message = control_unit_pb2.ControlUnit(
        name="control_units/a b",
        template="template/T",
        unit_server="unit_servers/a//b",
        desired_state=99,  # type: ignore[arg-type]
        requires=["control_units/RING/MAG/", "RING/MAG/"],
    )
    with pytest.raises(Refused, match="INVALID_ID") as caught:
        from_message(Kind.CONTROL_UNIT, message)
    assert [(each.field, each.value, each.reason) for each in caught.value.fields] == [
        ("name", "control_units/a b", "INVALID_ID"),
        ("template", "template/T", "INVALID_ID"),
        ("unit_server", "unit_servers/a//b", "INVALID_ID"),
        ("desired_state", "99", "INVALID_FIELD"),
        ("requires[1]", "RING/MAG/", "INVALID_ID"),
    ]
    assert "segments of letters" in caught.value.fields[0].expected
    assert "templates/{id}" in caught.value.fields[1].expected
    assert "RUNNING" in caught.value.fields[3].expected


@pytest.mark.parametrize(
    ("kind", "message", "fields_named"),
    [
        (
            Kind.UNIT_SERVER,
            unit_server_pb2.UnitServer(
                name="unit_servers/S", launch=unit_server_pb2.Launch(agent="S")
            ),
            ["launch.agent"],
        ),
        (Kind.AGENT, agent_pb2.Agent(name="agent/A"), ["name"]),
        (
            Kind.TEMPLATE,
            template_pb2.Template(
                name="templates/T",
                version_state=9,  # type: ignore[arg-type]
                attributes=[dataset_pb2.Attribute(direction=7, type=70)],  # type: ignore[arg-type]
                commands=[{"parameters": [{}, {"type": 70}]}],  # type: ignore[list-item]
            ),
            [
                "version_state",
                "attributes[0].direction",
                "attributes[0].type",
                "commands[0].parameters[1].type",
            ],
        ),
        (
            Kind.SNAPSHOT,
            snapshot_pb2.Snapshot(
                name="snapshots/S",
                units=[{"values": [{"type": 70}]}],  # type: ignore[list-item]
            ),
            ["units[0].values[0].type"],
        ),
    ],
)
def test_a_fault_names_its_field(kind: Kind, message: Any, fields_named: list[str]) -> None:
    with pytest.raises(Refused) as caught:
        from_message(kind, message)
    assert sorted(each.field for each in caught.value.fields) == sorted(fields_named)


def test_a_configuration_is_told_whole() -> None:
    unit = ControlUnit(
        id="U", overrides=(override("current", unit="kA"),), parameters={"slot": "2"}
    )
    found = effective(None, POWER_SUPPLY, unit)
    message = configuration_message(found)
    assert message.template == "templates/power::Supply"
    assert (message.template_version, message.implementation) == (3, "::power::Supply")
    assert attributes_of(message.attributes, Reading()) == found.attributes
    assert message.drivers[0].properties == {"parity": "none"}
    assert message.parameters == {"period": "1000000", "slot": "2"}
    assert message.fingerprint == found.fingerprint


CHANGES = (
    ControlUnit(id="U"),
    ControlUnit(id="U", overrides=(override("stby", unit=""), override("channels", unit="x"))),
    ControlUnit(id="U", drivers=(Driver("Ethernet"), Driver("Serial", "1"))),
    ControlUnit(id="U", parameters={"slot": "2", "period": "3"}),
)


def test_shared_parts_are_copied_and_units_stay_apart() -> None:
    narrowing, messages = narrow(None, POWER_SUPPLY), ConfigurationMessages()
    for unit in (*CHANGES, *reversed(CHANGES)):
        found = narrowing.configuration(unit)
        assert messages.message(found) == configuration_message(found)


def test_a_message_of_a_configuration_is_its_callers_to_change() -> None:
    messages, found = ConfigurationMessages(), effective(None, POWER_SUPPLY, UNIT)
    messages.message(found).attributes[0].name = "changed"
    assert messages.message(found) == configuration_message(found)


def test_shared_configurations_that_nobody_asks_for_are_forgotten() -> None:
    messages, unit = ConfigurationMessages(), CHANGES[1]
    for number in range(MOST_SHARED + 50):
        template = replace(POWER_SUPPLY, version=number)
        found = narrow(None, template).configuration(unit)
        assert messages.message(found).template_version == number
    assert len(messages._built) == MOST_SHARED


def test_a_status_carries_contact_and_verdict() -> None:
    status = ControlUnitStatus(
        id="Z/U",
        key=1,
        unit_server="S",
        session="s-1",
        sequence=5,
        state=State.RECOVERABLE_ERROR,
        state_time_us=3_000_000,
        message="too hot",
        reached_generation=2,
        reached_recover_count=1,
        dataset="ab12",
        fingerprint="v1:cd",
        unfenced=True,
        recovery=Recovery(2, 4_000_000, "on_start"),
        revision=9,
    )
    message = control_unit_status_message(status, contact=Contact.SUSPECT, health=Health.BAD)
    assert message == control_unit_pb2.ControlUnitStatus(
        name="control_unit_statuses/Z/U",
        control_unit="control_units/Z/U",
        revision=9,
        state=state_pb2.STATE_RECOVERABLE_ERROR,
        state_time=Timestamp(seconds=3),
        message="too hot",
        contact=state_pb2.CONTACT_SUSPECT,
        unit_server="unit_servers/S",
        session="s-1",
        sequence=5,
        reached_generation=2,
        reached_recover_count=1,
        dataset="datasets/ab12",
        fingerprint="v1:cd",
        unfenced=True,
        health=state_pb2.HEALTH_BAD,
        attempts=2,
        next_attempt_time=Timestamp(seconds=4),
        hanging_hook="on_start",
    )
    silent = control_unit_status_message(
        ControlUnitStatus(id="U", key=1), contact=Contact.NONE, health=Health.GOOD
    )
    assert (silent.unit_server, silent.dataset) == ("", "")
    assert not silent.HasField("state_time")


def test_a_session_is_told_with_its_end_only_when_it_has_one() -> None:
    session = Session(
        id="s-1",
        unit_server="S",
        unit_server_key=1,
        incarnation="i",
        pid=42,
        classes=("A", "B"),
        start_time_us=1_000_000,
        contact=Contact.ALIVE,
    )
    message = unit_server_status_message(session)
    assert (message.name, message.contact) == ("unit_server_statuses/S", 1)
    assert (list(message.classes), message.pid) == (["A", "B"], 42)
    assert (message.HasField("end_time"), message.end_reason) == (False, 0)
    ended = unit_server_status_message(
        Session(
            id="s-1",
            unit_server="S",
            unit_server_key=1,
            end_time_us=2_000_000,
            end_reason=EndReason.TAKEN_OVER,
        )
    )
    assert (ended.end_time.seconds, ended.end_reason) == (2, 4)


def test_a_published_dataset_is_read_sorted_and_told_by_its_hash() -> None:
    attributes = published_attributes_of(
        [
            dataset_pb2.Attribute(name="b", direction=dataset_pb2.DIRECTION_OUTPUT),
            dataset_pb2.Attribute(name="a", type=dataset_pb2.VALUE_TYPE_DOUBLE),
        ]
    )
    assert attributes == (
        Attribute("a", type=ValueType.DOUBLE),
        Attribute("b", Direction.OUTPUT),
    )
    message = dataset_message("ab12", attributes, create_time_us=1)
    assert message.name == "datasets/ab12"
    assert published_attributes_of(message.attributes) == attributes
    with pytest.raises(Refused, match=r"attributes\[0\]\.type is '70'"):
        published_attributes_of([dataset_pb2.Attribute(type=70)])  # type: ignore[arg-type]


def test_a_state_that_nobody_knows_is_refused_by_name() -> None:
    assert state_of(0, field="state") is State.UNSPECIFIED
    assert state_of(4, field="state") is State.RUNNING
    with pytest.raises(Refused, match="INVALID_FIELD: state is '8'; right would be one of"):
        state_of(8, field="state")


def test_positions_and_times_come_back() -> None:
    position = Position("store", 2, 2**60)
    assert position_of(position_message(position)) == position
    time = time_message(1_700_000_000_123_456)
    assert time is not None
    assert time_us_of(time) == 1_700_000_000_123_456
    assert time_message(0) is None


def test_the_sample_unit_comes_back() -> None:
    assert from_message(Kind.CONTROL_UNIT, to_message(UNIT)) == UNIT
