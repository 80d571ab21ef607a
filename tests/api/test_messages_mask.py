"""Update masks change what they name, and nothing else."""

from dataclasses import replace

import pytest
from hypothesis import given
from mds.v1 import agent_pb2, control_unit_pb2, snapshot_pb2, state_pb2, template_pb2

from metadata_server.api.messages import apply_mask, from_message, to_message
from metadata_server.api.messages.resource import SET_BY_SERVER
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.facility import Agent, Snapshot
from metadata_server.domain.intent.template import Template
from metadata_server.domain.life.state import State
from metadata_server.domain.refused import Refused
from metadata_server.domain.resource import Meta, Resource
from tests.api.resources import PAIRS
from tests.domain.facility import UNIT

BEFORE = replace(UNIT, description="old", recover_count=3, meta=Meta(key=5, revision=9))


def test_only_what_the_mask_names_changes() -> None:
    message = control_unit_pb2.ControlUnit(
        name=BEFORE.name, description="new", desired_state=state_pb2.STATE_RUNNING, recover_count=99
    )
    after = apply_mask(BEFORE, message, ["description", "desired_state"])
    assert after == replace(BEFORE, description="new", desired_state=State.RUNNING)
    assert after.meta == BEFORE.meta


def test_a_field_that_is_named_and_not_set_is_cleared() -> None:
    empty = control_unit_pb2.ControlUnit(name=BEFORE.name)
    after = apply_mask(BEFORE, empty, ["parameters", "unit_server"])
    assert (after.parameters, after.unit_server) == ({}, "")
    assert after.template == BEFORE.template


def test_a_star_is_all_content() -> None:
    message = control_unit_pb2.ControlUnit(
        name=BEFORE.name, template="templates/T", etag="1", generation=77, zone="X"
    )
    after = apply_mask(BEFORE, message, ["*"])
    assert after == ControlUnit(id=BEFORE.id, template="T")
    assert after.meta == BEFORE.meta


def test_a_template_keeps_its_version_for_the_server_to_count() -> None:
    before = Template(id="T", version=3, implementation="T")
    message = template_pb2.Template(name="templates/T", version=8, implementation="::T")
    assert apply_mask(before, message, ["*"]) == replace(before, implementation="::T")


def test_a_time_is_changed_by_its_name_in_the_protocol() -> None:
    message = snapshot_pb2.Snapshot(name="snapshots/S")
    message.taken_time.FromSeconds(7)
    after = apply_mask(Snapshot(id="S"), message, ["taken_time"])
    assert after.taken_time_us == 7_000_000


@pytest.mark.parametrize(
    "path", ["", "name", "etag", "generation", "zone", "nonsense", "overrides.minimum", "labels[a]"]
)
def test_a_path_that_cannot_be_changed_is_named_with_those_that_can(path: str) -> None:
    message = control_unit_pb2.ControlUnit(name=BEFORE.name)
    with pytest.raises(Refused, match="INVALID_FIELD") as caught:
        apply_mask(BEFORE, message, ["description", path])
    (fault,) = caught.value.fields
    assert (fault.field, fault.value) == ("update_mask", path)
    assert fault.expected == (
        "fields that can be changed, or *: after, description, desired_state, drivers, labels, "
        "level, overrides, parameters, properties, recover_count, requires, template, "
        "template_version, unit_server"
    )


def test_a_mask_without_paths_is_refused() -> None:
    with pytest.raises(Refused, match="update_mask is ''"):
        apply_mask(Agent(id="A"), agent_pb2.Agent(name="agents/A"), [])


def test_only_what_is_named_must_be_readable() -> None:
    message = control_unit_pb2.ControlUnit(
        name=BEFORE.name,
        description="new",
        template="nonsense",
        desired_state=99,  # type: ignore[arg-type]
    )
    assert apply_mask(BEFORE, message, ["description"]).description == "new"
    with pytest.raises(Refused) as caught:
        apply_mask(BEFORE, message, ["description", "desired_state"])
    assert [each.field for each in caught.value.fields] == ["desired_state"]


@given(PAIRS)
def test_a_mask_of_every_field_is_a_star(pair: tuple[Resource, Resource]) -> None:
    before, wanted = pair
    message = to_message(replace(wanted, id=before.id))
    paths = sorted(set(message.DESCRIPTOR.fields_by_name) - SET_BY_SERVER)
    after = apply_mask(before, message, paths)
    assert after == apply_mask(before, message, ["*"])
    expected = from_message(before.kind, message)
    if isinstance(before, Template):
        expected = replace(expected, version=before.version)  # type: ignore[call-arg]
    assert after == expected
    assert after.meta == before.meta
