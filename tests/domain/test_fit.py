"""Whether units and datasets fit their template."""

from dataclasses import replace

import pytest

from metadata_server.domain.checks import control_unit_faults, dataset_contradictions
from metadata_server.domain.intent.attribute import (
    Attribute,
    AttributeOverride,
    Direction,
    Driver,
    ValueType,
)
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.template import Template
from metadata_server.domain.refused import WrongField
from tests.domain.facility import CURRENT, POWER_SUPPLY, READ_BACK, UNIT, override

Faults = dict[str, tuple[str, str]]


def told(faults: tuple[WrongField, ...]) -> Faults:
    return {each.field: (each.reason, each.expected) for each in faults}


def misfits(
    *overrides: AttributeOverride,
    unit: ControlUnit = UNIT,
    template: Template = POWER_SUPPLY,
    dataset: tuple[Attribute, ...] | None = None,
) -> Faults:
    changed = replace(unit, overrides=overrides)
    return told(control_unit_faults(changed, template, dataset))


def contradictions(published: Attribute, declared: Attribute) -> Faults:
    template = replace(POWER_SUPPLY, attributes=(declared,))
    return told(dataset_contradictions((Attribute("first"), published), template))


def test_a_unit_that_fits_has_no_faults() -> None:
    assert misfits(override("current", maximum="5", default_value="-3.5")) == {}


def test_a_unit_is_also_checked_by_itself() -> None:
    assert list(misfits(unit=replace(UNIT, id="a b"))) == ["name"]


def test_an_override_names_an_attribute_that_somebody_knows() -> None:
    assert misfits(override("volt", unit="V")) == {
        "overrides[0].attribute": (
            "NOT_IN_TEMPLATE",
            "an attribute of templates/power::Supply or of its published dataset",
        )
    }
    assert misfits(override("volt", unit="V"), dataset=(Attribute("volt"),)) == {}
    assert misfits(override("current", unit="mA"), dataset=(Attribute("volt"),)) == {}


def test_a_template_that_knows_no_attribute_forbids_none() -> None:
    ignorant = replace(POWER_SUPPLY, attributes=())
    assert misfits(override("volt", default_value="x"), template=ignorant) == {}
    known = (Attribute("current"),)
    assert list(misfits(override("volt"), template=ignorant, dataset=known)) == [
        "overrides[0].attribute"
    ]


def test_an_output_is_not_overridden() -> None:
    assert misfits(override("current_readback", unit="A"))["overrides[0].attribute"] == (
        "OVERRIDE_OF_OUTPUT",
        "an input or bidirectional attribute; this one is an output",
    )
    published = (replace(CURRENT, direction=Direction.OUTPUT),)
    faults = misfits(override("current", default_value="1"), dataset=published)
    assert faults["overrides[0].attribute"][0] == "OVERRIDE_OF_OUTPUT"


@pytest.mark.parametrize(
    ("facets", "field", "expected"),
    [
        ({"default_value": "10.01"}, "default_value", "at most 10.0, the maximum"),
        ({"maximum": "-1"}, "maximum", "at least 0, the default value"),
        ({"minimum": "2", "default_value": "1"}, "default_value", "at least 2, the minimum"),
    ],
)
def test_an_override_is_out_of_range_against_what_it_leaves_alone(
    facets: dict[str, str], field: str, expected: str
) -> None:
    assert misfits(override("current", **facets)) == {
        f"overrides[0].{field}": ("OVERRIDE_OUT_OF_RANGE", expected)
    }


def test_an_override_may_leave_the_range_of_its_template_when_it_says_so() -> None:
    assert misfits(override("current", maximum="585.0", default_value="500")) == {}


def test_an_override_is_not_blamed_for_what_its_template_says() -> None:
    broken = replace(
        POWER_SUPPLY, attributes=(Attribute("a", facets={"default_value": "1", "minimum": "5"}),)
    )
    assert misfits(override("a", unit="A"), template=broken) == {}


def test_a_published_dataset_says_the_type() -> None:
    published = (Attribute("stby", Direction.INPUT, ValueType.BOOL),)
    assert misfits(override("stby", default_value="2"), dataset=published)[
        "overrides[0].default_value"
    ] == ("INVALID_VALUE", "true or false")


def test_drivers_are_the_templates_or_their_alternatives() -> None:
    unit = replace(UNIT, drivers=(Driver("Ethernet"), Driver("Serial"), Driver("Pigeon")))
    assert misfits(unit=unit) == {
        "drivers[2].name": (
            "NOT_IN_TEMPLATE",
            "a driver of templates/power::Supply: Ethernet, Serial",
        )
    }


def test_parameters_are_known_typed_in_range_and_given_where_required() -> None:
    unit = replace(UNIT, parameters={"period": "0", "speed": "1", "note": "anything"})
    assert misfits(unit=unit) == {
        "parameters[period]": ("OVERRIDE_OUT_OF_RANGE", "at least 1, the minimum"),
        "parameters[speed]": (
            "NOT_IN_TEMPLATE",
            "absent; templates/power::Supply has note, period, slot",
        ),
        "parameters[slot]": ("INVALID_FIELD", "a value; templates/power::Supply requires one"),
    }
    typed = replace(UNIT, parameters={"slot": "128"})
    assert misfits(unit=typed)["parameters[slot]"][0] == "INVALID_VALUE"


def test_a_dataset_contradicts_its_template_where_both_say_something_else() -> None:
    published = Attribute("current", Direction.BIDIRECTIONAL, ValueType.FLOAT, (2,))
    assert contradictions(published, CURRENT) == {
        "attributes[1].direction": (
            "DATASET_CONTRADICTS_TEMPLATE",
            "INPUT, as its template has it",
        ),
        "attributes[1].type": ("DATASET_CONTRADICTS_TEMPLATE", "DOUBLE, as its template has it"),
        "attributes[1].shape": ("DATASET_CONTRADICTS_TEMPLATE", "scalar, as its template has it"),
    }


@pytest.mark.parametrize(
    ("published", "declared"),
    [
        (CURRENT, Attribute("current")),
        (Attribute("current"), CURRENT),
        (replace(CURRENT, facets={"maximum": "1"}), CURRENT),
        (replace(CURRENT, shape=(4,)), replace(CURRENT, shape=(0,))),
        (replace(CURRENT, shape=(0, 2)), replace(CURRENT, shape=(3, 2))),
        (READ_BACK, READ_BACK),
        (replace(READ_BACK, facets={}), READ_BACK),
        (Attribute("other"), CURRENT),
    ],
)
def test_what_one_leaves_open_and_ranges_contradict_nothing(
    published: Attribute, declared: Attribute
) -> None:
    assert contradictions(published, declared) == {}


@pytest.mark.parametrize(("here", "there"), [((3,), (4,)), ((0, 2), (0,)), ((2,), ())])
def test_shapes_of_other_sizes_contradict(here: tuple[int, ...], there: tuple[int, ...]) -> None:
    published, declared = replace(CURRENT, shape=here), replace(CURRENT, shape=there)
    assert list(contradictions(published, declared)) == ["attributes[1].shape"]


def test_a_template_does_not_narrow_an_output() -> None:
    declared = Attribute(READ_BACK.name, facets={"unit": "A", "maximum": "5"})
    assert contradictions(READ_BACK, declared) == {
        "attributes[1].maximum": (
            "DATASET_CONTRADICTS_TEMPLATE",
            "5, as its template has it for an output",
        )
    }
    other_unit = replace(READ_BACK, facets={"unit": "mA"})
    assert list(contradictions(READ_BACK, other_unit)) == ["attributes[1].unit"]
