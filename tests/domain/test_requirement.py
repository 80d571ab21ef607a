"""What templates demand between attributes: of themselves, and of every unit."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metadata_server.domain.checks import control_unit_faults, faults_of
from metadata_server.domain.intent.attribute import Attribute, Direction, ValueType
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.template import Relation, Requirement, Template
from metadata_server.domain.refused import WrongField
from tests.domain.facility import override

CURRENT = Attribute(
    "current", Direction.INPUT, ValueType.DOUBLE, facets={"default_value": "1", "maximum": "10"}
)
LIMIT = Attribute("limit", Direction.INPUT, ValueType.INT32, facets={"default_value": "0x14"})
DOTTED = Attribute("bank[2].maximum", Direction.INPUT, ValueType.INT64)
MODE = Attribute("mode", Direction.INPUT, ValueType.STRING, facets={"default_value": "local"})
SUPPLY = Template(
    id="Supply", implementation="::Supply", attributes=(CURRENT, LIMIT, DOTTED, MODE), version=1
)
UNIT = ControlUnit(id="A/1", template="Supply", template_version=1)


def demanding(left: str, relation: Relation, right: str) -> Template:
    return replace(SUPPLY, requirements=(Requirement(left, relation, right, "so it is built"),))


def told(faults: tuple[WrongField, ...]) -> list[tuple[str, str]]:
    return [(each.field, each.reason) for each in faults]


@pytest.mark.parametrize("side", ["current", "current.maximum", "-2.5e-3", "0x5A", "limit"])
def test_attributes_facets_and_numbers_can_be_compared(side: str) -> None:
    assert faults_of(demanding(side, Relation.DIFFERENT, "12345")) == ()


def test_a_name_with_dots_is_an_attribute_where_there_is_one_of_that_name() -> None:
    template = demanding("bank[2].maximum", Relation.LESS, "5")
    assert faults_of(template) == ()
    unit = replace(UNIT, overrides=(override("bank[2].maximum", default_value="5"),))
    faults = control_unit_faults(unit, template, None)
    assert told(faults) == [("overrides[0].default_value", "REQUIREMENT_BROKEN")]
    of_facet = demanding("bank[2].maximum.minimum", Relation.LESS, "5")
    assert control_unit_faults(unit, of_facet, None) == ()


@pytest.mark.parametrize("side", ["voltage", "current.colour", "", "1.5.2"])
def test_what_is_not_there_is_a_fault_of_the_template(side: str) -> None:
    assert told(faults_of(demanding("current", Relation.AT_MOST, side))) == [
        ("requirements[0].right", "INVALID_FIELD")
    ]


def test_what_has_no_order_is_only_equal_or_not() -> None:
    assert told(faults_of(demanding("mode", Relation.LESS, "current"))) == [
        ("requirements[0].left", "INVALID_FIELD")
    ]
    assert faults_of(demanding("mode", Relation.EQUAL, "mode")) == ()


def test_a_template_keeps_its_own_requirements() -> None:
    assert faults_of(demanding("current.maximum", Relation.LESS, "limit")) == ()
    assert told(faults_of(demanding("limit", Relation.AT_MOST, "current.maximum"))) == [
        ("requirements[0].left", "REQUIREMENT_BROKEN")
    ]


def test_a_unit_is_told_both_values_and_why() -> None:
    template = demanding("current.maximum", Relation.AT_MOST, "limit")
    unit = replace(UNIT, overrides=(override("current", maximum="20.5"),))
    (fault,) = control_unit_faults(unit, template, None)
    assert (fault.field, fault.value, fault.subject) == ("overrides[0].maximum", "20.5", "current")
    assert fault.expected == "at most 0x14, which is limit (so it is built)"


def test_the_side_that_a_unit_changes_is_to_blame() -> None:
    template = demanding("current.maximum", Relation.AT_MOST, "limit")
    unit = replace(UNIT, overrides=(override("limit", default_value="9"),))
    (fault,) = control_unit_faults(unit, template, None)
    assert fault.field == "overrides[0].default_value"
    assert fault.expected == "at least 10, which is current.maximum (so it is built)"


def test_where_a_unit_has_no_such_value_it_holds() -> None:
    template = demanding("current.minimum", Relation.EQUAL, "5")
    unit = replace(UNIT, overrides=(override("current", maximum="2"),))
    assert control_unit_faults(unit, template, None) == ()


@given(
    st.decimals(allow_nan=False, allow_infinity=False, places=20, min_value=-1000, max_value=1000),
    st.decimals(min_value=0, max_value=1, places=20, allow_nan=False),
)
def test_numbers_are_compared_exactly(one: Decimal, more: Decimal) -> None:
    wide = replace(CURRENT, facets={"default_value": f"{one:f}"})
    other = replace(LIMIT, type=ValueType.DOUBLE, facets={"default_value": f"{one + more:f}"})
    requirement = Requirement("current", Relation.LESS, "limit")
    template = replace(SUPPLY, attributes=(wide, other), requirements=(requirement,))
    assert (faults_of(template) == ()) is (more > 0)
