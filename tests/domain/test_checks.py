"""What is wrong with a resource by itself."""

from dataclasses import replace

import pytest

from metadata_server.domain.checks import dataset_faults, faults_of
from metadata_server.domain.intent.attribute import (
    FACETS,
    Attribute,
    AttributeOverride,
    Driver,
    Parameter,
    ValueType,
)
from metadata_server.domain.intent.facility import (
    Agent,
    ExecutionUnit,
    SavedUnit,
    SavedValue,
    Script,
    Snapshot,
    Variable,
)
from metadata_server.domain.intent.template import Command
from metadata_server.domain.intent.unit_server import Launch, UnitServer
from metadata_server.domain.life.state import State
from metadata_server.domain.part_checks import LARGEST_COUNT, LARGEST_VERSION
from metadata_server.domain.refused import WrongField
from metadata_server.domain.resource import Resource
from tests.domain.facility import POWER_SUPPLY, UNIT, override

T = ValueType


def told(faults: tuple[WrongField, ...]) -> dict[str, tuple[str, str]]:
    """Reason and what would be right, by field."""
    return {each.field: (each.reason, each.expected) for each in faults}


def attribute_faults(type: ValueType, **facets: str) -> dict[str, tuple[str, str]]:
    attribute = Attribute("a", type=type, facets=facets)
    return told(faults_of(replace(POWER_SUPPLY, attributes=(attribute,))))


@pytest.mark.parametrize(
    "resource",
    [
        POWER_SUPPLY,
        UNIT,
        UnitServer(id="SERVER", launch=Launch(agent="host-1", environment={"A": ""})),
        Agent(id="host-1", labels={"rack": "4"}, properties={"old": '{"a": null}'}),
        ExecutionUnit(id="E", host="agents/host-1", desired_state=State.RUNNING),
        Variable(id="cu_catalog", value="[]"),
        Script(id="s.js", content="x = 1"),
        Snapshot(id="morning", units=(SavedUnit("U/1", (SavedValue("current", T.INT8, "0x5"),)),)),
    ],
    ids=lambda resource: resource.kind,
)
def test_a_good_resource_has_no_faults(resource: Resource) -> None:
    assert faults_of(resource) == ()


def test_all_faults_are_told_at_once() -> None:
    wrong = replace(
        POWER_SUPPLY,
        id="a b",
        labels={"": "x"},
        properties={"p": "{"},
        implementation="",
        attributes=(Attribute("", facets={"increment": "-1"}),),
    )
    assert [each.field for each in faults_of(wrong)] == [
        "name",
        "labels[]",
        "properties[p]",
        "implementation",
        "attributes[0].name",
        "attributes[0].increment",
    ]


def test_a_fault_names_field_value_and_what_would_be_right() -> None:
    attribute = Attribute("a", type=T.UINT8, facets={"maximum": "300"})
    (fault,) = faults_of(replace(POWER_SUPPLY, attributes=(attribute,)))
    assert fault == WrongField(
        "attributes[0].maximum",
        "300",
        "a whole number from 0 to 255, decimal or 0x…",
        "INVALID_VALUE",
        subject="a",
    )
    assert fault.message == (
        "attributes[0].maximum (of 'a') is '300'; right would be "
        "a whole number from 0 to 255, decimal or 0x…."
    )


@pytest.mark.parametrize("facet", sorted(set(FACETS) - {"unit", "default_value"}))
def test_each_number_of_an_attribute_is_read_as_one(facet: str) -> None:
    assert attribute_faults(T.DOUBLE, **{facet: "much"}) == {
        f"attributes[0].{facet}": ("INVALID_VALUE", "a number such as 1.5, -2e-3 or 0x5A")
    }
    assert attribute_faults(T.DOUBLE, **{facet: "1e-3"}) == {}


def test_bounds_have_the_type_of_the_attribute_and_steps_need_not() -> None:
    assert list(attribute_faults(T.INT32, minimum="0.5")) == ["attributes[0].minimum"]
    assert attribute_faults(T.INT32, increment="0.5", conversion_factor="1.5E-3") == {}


@pytest.mark.parametrize("type", [T.STRING, T.BYTES, T.JSON])
def test_what_has_no_order_has_no_range(type: ValueType) -> None:
    assert attribute_faults(type, minimum="0") == {
        "attributes[0].minimum": (
            "INVALID_VALUE",
            f"absent, because a value of type {type} has no minimum",
        )
    }


@pytest.mark.parametrize("facet", ["increment", "warning_threshold", "error_threshold"])
@pytest.mark.parametrize("type", [T.DOUBLE, T.UNSPECIFIED])
def test_a_distance_is_not_negative(facet: str, type: ValueType) -> None:
    assert list(attribute_faults(type, **{facet: "-0.1"})) == [f"attributes[0].{facet}"]
    assert attribute_faults(type, **{facet: "0.0"}) == {}


def test_a_conversion_factor_is_not_zero() -> None:
    assert list(attribute_faults(T.DOUBLE, conversion_factor="0.0")) == [
        "attributes[0].conversion_factor"
    ]


@pytest.mark.parametrize(
    ("facets", "field", "expected", "reason"),
    [
        ({"minimum": "2", "maximum": "1"}, "minimum", "at most 1, the maximum", "INVALID_FIELD"),
        (
            {"default_value": "0.1", "minimum": "0.10000000000000000001"},
            "default_value",
            "at least 0.10000000000000000001, the minimum",
            "OVERRIDE_OUT_OF_RANGE",
        ),
        (
            {"default_value": "0x5B", "maximum": "90"},
            "default_value",
            "at most 90, the maximum",
            "OVERRIDE_OUT_OF_RANGE",
        ),
        (
            {"warning_minimum": "3", "warning_maximum": "2"},
            "warning_minimum",
            "at most 2, the warning maximum",
            "INVALID_FIELD",
        ),
        (
            {"minimum": "1", "warning_minimum": "0"},
            "warning_minimum",
            "at least 1, the minimum",
            "INVALID_FIELD",
        ),
        (
            {"maximum": "1", "warning_maximum": "2"},
            "warning_maximum",
            "at most 1, the maximum",
            "INVALID_FIELD",
        ),
    ],
)
@pytest.mark.parametrize("type", [T.DOUBLE, T.UNSPECIFIED])
def test_facets_keep_their_order_exactly(
    type: ValueType, facets: dict[str, str], field: str, expected: str, reason: str
) -> None:
    assert attribute_faults(type, **facets) == {f"attributes[0].{field}": (reason, expected)}


def test_bounds_include_themselves() -> None:
    assert attribute_faults(T.DOUBLE, minimum="1", default_value="1.0", maximum="0x1") == {}


def test_every_element_of_an_array_is_in_range() -> None:
    facets = {"default_value": "[1, 5, 11]", "minimum": "0", "maximum": "10"}
    attribute = Attribute("a", type=T.INT8, shape=(3,), facets=facets)
    faults = told(faults_of(replace(POWER_SUPPLY, attributes=(attribute,))))
    assert list(faults) == ["attributes[0].default_value"]


def test_without_a_type_only_numbers_are_compared() -> None:
    assert attribute_faults(T.UNSPECIFIED, minimum="false", maximum="true") == {}
    assert attribute_faults(T.UNSPECIFIED, minimum="low", default_value="-1", maximum="1") == {}


def test_a_wrong_text_is_not_also_out_of_order() -> None:
    faults = attribute_faults(T.INT8, minimum="9", maximum="1000")
    assert list(faults) == ["attributes[0].maximum"]


@pytest.mark.parametrize("name", ["range_slit[mm]", "µ", "a" * 255])
def test_facilities_name_attributes_as_they_like(name: str) -> None:
    assert dataset_faults((Attribute(name),)) == ()


@pytest.mark.parametrize("name", ["", "a b", "a\tb", "a\x00b", "a\u2028b", "a\u00a0b", "é" * 128])
def test_an_attribute_name_is_one_short_word(name: str) -> None:
    assert [each.field for each in dataset_faults((Attribute(name),))] == ["attributes[0].name"]


def test_names_stand_once() -> None:
    twice = (Parameter("p"), Parameter("q"), Parameter("p"))
    wrong = replace(
        POWER_SUPPLY,
        attributes=(Attribute("a"), Attribute("a")),
        parameters=twice,
        commands=(Command("c", parameters=twice), Command("c")),
    )
    assert {field: expected for field, (_, expected) in told(faults_of(wrong)).items()} == {
        "attributes[1].name": "a name that attributes[0].name does not have",
        "parameters[2].name": "a name that parameters[0].name does not have",
        "commands[0].parameters[2].name": "a name that commands[0].parameters[0].name "
        "does not have",
        "commands[1].name": "a name that commands[0].name does not have",
    }


def test_a_parameter_is_checked_by_its_type() -> None:
    facets = {"default_value": "10", "maximum": "9", "offset": "1"}
    wrong = replace(POWER_SUPPLY, parameters=(Parameter("p", T.INT8, facets=facets),))
    assert told(faults_of(wrong)) == {
        "parameters[0].offset": ("INVALID_FIELD", "absent for a parameter"),
        "parameters[0].default_value": ("OVERRIDE_OUT_OF_RANGE", "at most 9, the maximum"),
    }


def test_a_control_unit_names_what_it_refers_to_and_overrides_each_attribute_once() -> None:
    wrong = replace(
        UNIT,
        template="",
        unit_server="a//b",
        desired_state=State.FATAL_ERROR,
        recover_count=-1,
        overrides=(override("a"), AttributeOverride("a", {"mime_type": "x"})),
        drivers=(Driver(""),),
    )
    faults = told(faults_of(wrong))
    assert {field: reason for field, (reason, _) in faults.items()} == {
        "template": "INVALID_ID",
        "unit_server": "INVALID_ID",
        "desired_state": "INVALID_FIELD",
        "recover_count": "INVALID_FIELD",
        "overrides[1].attribute": "INVALID_FIELD",
        "overrides[1].mime_type": "INVALID_FIELD",
        "drivers[0].name": "INVALID_FIELD",
    }
    assert faults["template"][1].startswith("templates/{id}")


@pytest.mark.parametrize("count", [-1, LARGEST_COUNT + 1, 2**63 - 1])
def test_a_count_leaves_room_for_the_next_one(count: int) -> None:
    expected = ("INVALID_FIELD", f"a whole number from 0 to {LARGEST_COUNT}")
    server = UnitServer(id="SERVER", launch=Launch(agent="host-1", restart_count=count))
    assert told(faults_of(replace(UNIT, recover_count=count))) == {"recover_count": expected}
    assert told(faults_of(server)) == {"launch.restart_count": expected}
    assert faults_of(replace(UNIT, recover_count=LARGEST_COUNT)) == ()


@pytest.mark.parametrize("version", [-1, LARGEST_VERSION + 1, 2**31 - 1])
def test_a_version_leaves_room_for_the_next_one(version: int) -> None:
    (of_template,) = faults_of(replace(POWER_SUPPLY, version=version))
    (of_unit,) = faults_of(replace(UNIT, template_version=version))
    assert (of_template.field, of_unit.field) == ("version", "template_version")
    for fault in (of_template, of_unit):
        assert fault.value == str(version)
        assert str(LARGEST_VERSION) in fault.expected
    assert faults_of(replace(POWER_SUPPLY, version=LARGEST_VERSION)) == ()


def test_a_control_unit_depends_on_other_units_and_on_groups_that_it_is_not_of() -> None:
    unit = replace(UNIT, id="A/B/1", requires=("A/B/2", "A/C/", "A/B"), after=("A/B/10/", "S"))
    assert faults_of(unit) == ()
    wrong = replace(unit, requires=("A/B/1", "A/", "A//C", "/", "C", "C"), after=("A/B/", ""))
    faults = told(faults_of(wrong))
    assert {field: reason for field, (reason, _) in faults.items()} == {
        "requires[0]": "INVALID_FIELD",
        "requires[1]": "INVALID_FIELD",
        "requires[2]": "INVALID_ID",
        "requires[3]": "INVALID_ID",
        "requires[5]": "INVALID_FIELD",
        "after[0]": "INVALID_FIELD",
        "after[1]": "INVALID_ID",
    }
    assert faults["requires[0]"][1] == "another unit"
    assert faults["requires[1]"][1] == "a group that it is not of itself"
    assert faults["requires[2]"][1].startswith("control_units/{id}, or control_units/{group}/")
    assert faults["requires[5]"][1] == "a name that requires[4] does not have"


def test_a_unit_server_has_an_environment_that_a_process_can_have() -> None:
    launch = Launch(agent="a b", environment={"": "x", "A=B": "y"})
    assert list(told(faults_of(UnitServer(id="S", launch=launch)))) == [
        "launch.agent",
        "launch.environment[]",
        "launch.environment[A=B]",
    ]


@pytest.mark.parametrize("host", ["host-1", "agents/", "control_units/U", "agents/a b"])
def test_an_execution_unit_runs_on_an_agent_or_a_unit_server(host: str) -> None:
    assert list(told(faults_of(ExecutionUnit(id="E", host=host)))) == ["host"]


def test_a_variable_is_a_json_document() -> None:
    (fault,) = faults_of(Variable(id="V", value='{"a": 1,\n "b" 2}'))
    assert fault.reason == "INVALID_VALUE"
    assert fault.expected == "JSON; Expecting ':' delimiter at line 2, column 6"
    assert list(told(faults_of(Variable(id="V")))) == ["value"]


@pytest.mark.parametrize("field", ["value", "content"])
def test_a_document_has_a_largest_size(field: str) -> None:
    def sized(size: int) -> Resource:
        text = f'"{"x" * (size - 2)}"'
        return Variable(id="V", value=text) if field == "value" else Script(id="S", content=text)

    assert faults_of(sized(4_000_000)) == ()
    (fault,) = faults_of(sized(4_000_001))
    assert (fault.field, fault.expected) == (field, "at most 4000000 bytes, not 4000001")
    assert len(fault.value) < 1000


def test_a_snapshot_is_marked_with_a_few_short_words() -> None:
    good = Snapshot(id="S", marks=("a", "golden", "run-3"))
    assert faults_of(good) == ()
    wrong = replace(good, marks=("Golden", "3", "a b", "a" * 33, "", "a", "a"))
    assert list(told(faults_of(wrong))) == [
        "marks[6]",
        *(f"marks[{position}]" for position in range(5)),
    ]
    many = replace(good, marks=tuple("abcdefghi"))
    assert told(faults_of(many)) == {"marks": ("INVALID_FIELD", "at most 8 words")}


def test_a_snapshot_names_each_unit_once_and_its_values_are_of_their_type() -> None:
    values = (SavedValue("a", T.UINT8, "-1"), SavedValue("a", T.DOUBLE, "[[1.5]]"))
    wrong = Snapshot(
        id="S",
        units=(SavedUnit("U/1", values, {"p": "not JSON"}), SavedUnit("U/1"), SavedUnit("")),
    )
    assert {field: reason for field, (reason, _) in told(faults_of(wrong)).items()} == {
        "units[1].control_unit": "INVALID_FIELD",
        "units[0].properties[p]": "INVALID_VALUE",
        "units[0].values[1].attribute": "INVALID_FIELD",
        "units[0].values[0].value": "INVALID_VALUE",
        "units[2].control_unit": "INVALID_FIELD",
    }


def test_labels_and_properties_have_short_names() -> None:
    wrong = Agent(id="A", labels={"n" * 256: "", "l": "é" * 128}, properties={"p" * 256: "1"})
    assert list(told(faults_of(wrong))) == [
        f"labels[{'n' * 256}]",
        "labels[l]",
        f"properties[{'p' * 256}]",
    ]
