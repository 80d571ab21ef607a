"""What a unit shall use: dataset, template and overrides merged."""

import json
from dataclasses import replace
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metadata_server.domain.intent.attribute import (
    FACETS,
    Attribute,
    AttributeOverride,
    Direction,
    Driver,
    Parameter,
    ValueType,
)
from metadata_server.domain.intent.configuration import Configuration, effective, narrow
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.template import Template
from tests.domain.facility import CURRENT, POWER_SUPPLY, READ_BACK, UNIT, override


def facets_of(configuration: Configuration, name: str) -> dict[str, str]:
    return {each.name: dict(each.facets) for each in configuration.attributes}[name]


def test_without_a_dataset_the_template_says_what_there_is() -> None:
    found = effective(None, POWER_SUPPLY, UNIT)
    assert [each.name for each in found.attributes] == [
        "channels",
        "current",
        "current_readback",
        "stby",
    ]
    assert (found.template, found.template_version) == ("power::Supply", 3)
    assert found.implementation == "::power::Supply"


def test_with_a_dataset_name_type_direction_and_size_are_its_own() -> None:
    published = Attribute(
        "current",
        Direction.BIDIRECTIONAL,
        ValueType.INT32,
        (4,),
        facets={"unit": "mA", "maximum": "99"},
        maximum_size_bytes=7,
    )
    found = effective((published,), POWER_SUPPLY, UNIT)
    assert found.attributes == (replace(published, facets={**published.facets, **CURRENT.facets}),)


def test_what_a_dataset_leaves_open_the_template_says() -> None:
    published = Attribute("current", facets={"increment": "1"})
    declared = replace(CURRENT, shape=(2,), description="Set-point", mime_type="text/plain")
    template = replace(POWER_SUPPLY, attributes=(declared,))
    (found,) = effective((published,), template, UNIT).attributes
    assert found == replace(declared, facets={**declared.facets, "increment": "1"})


def test_an_override_goes_before_the_template_and_that_before_the_dataset() -> None:
    published = replace(CURRENT, facets={"unit": "x", "maximum": "1", "increment": "0.5"})
    unit = replace(UNIT, overrides=(override("current", maximum="0x5A", offset=""),))
    assert facets_of(effective((published,), POWER_SUPPLY, unit), "current") == {
        "unit": "A",
        "default_value": "0",
        "minimum": "-10",
        "maximum": "0x5A",
        "increment": "0.5",
        "offset": "",
    }


def test_outputs_are_never_narrowed() -> None:
    published = replace(READ_BACK, facets={"unit": "mA"})
    unit = replace(UNIT, overrides=(override(READ_BACK.name, unit="kA"),))
    assert effective((published,), POWER_SUPPLY, unit).attributes == (published,)
    assert facets_of(effective(None, POWER_SUPPLY, unit), READ_BACK.name) == {"unit": "A"}


def test_an_override_of_an_attribute_that_is_not_there_changes_nothing() -> None:
    unit = replace(UNIT, overrides=(override("volt", unit="V"),))
    plain = effective(None, POWER_SUPPLY, UNIT)
    assert effective(None, POWER_SUPPLY, unit) == plain


def test_drivers_are_the_templates_unless_the_unit_names_its_own() -> None:
    assert effective(None, POWER_SUPPLY, UNIT).drivers == POWER_SUPPLY.drivers
    named = replace(UNIT, drivers=(Driver("Ethernet"),))
    assert effective(None, POWER_SUPPLY, named).drivers == (Driver("Ethernet", "1", "10.0.0.1"),)


@pytest.mark.parametrize(
    ("named", "completed"),
    [
        (Driver("Serial"), Driver("Serial", "2", "9600", {"parity": "none"})),
        (Driver("Serial", "1"), Driver("Serial", "1", "4800")),
        (Driver("Serial", "9"), Driver("Serial", "9", "9600", {"parity": "none"})),
        (
            Driver("Serial", init_parameter="300", properties={"stop": "2"}),
            Driver("Serial", "2", "300", {"parity": "none", "stop": "2"}),
        ),
        (Driver("Pigeon"), Driver("Pigeon")),
    ],
)
def test_what_is_empty_in_a_driver_is_completed(named: Driver, completed: Driver) -> None:
    found = effective(None, POWER_SUPPLY, replace(UNIT, drivers=(named,)))
    assert found.drivers == (completed,)


def test_parameters_are_the_defaults_with_the_units_values_over_them() -> None:
    unit = replace(UNIT, parameters={"slot": "4", "period": "50"})
    assert effective(None, POWER_SUPPLY, unit).parameters == {"slot": "4", "period": "50"}
    assert effective(None, POWER_SUPPLY, replace(UNIT, parameters={})).parameters == {
        "period": "1000000"
    }


def test_units_that_change_nothing_share_one_configuration() -> None:
    narrowing = narrow(None, POWER_SUPPLY)
    plain = ControlUnit(id="A")
    assert narrowing.configuration(plain) is narrowing.configuration(replace(plain, id="B"))


def test_one_unit_does_not_change_what_others_share() -> None:
    narrowing = narrow(None, POWER_SUPPLY)
    before = narrowing.configuration(ControlUnit(id="A"))
    told = json.dumps([dict(each.facets) for each in before.attributes])
    narrowing.configuration(
        replace(UNIT, overrides=(override("current", unit="kA"),), drivers=(Driver("Serial"),))
    )
    assert json.dumps([dict(each.facets) for each in before.attributes]) == told
    assert narrowing.configuration(ControlUnit(id="A")) == before


# The rule once more, written the slow way, for any dataset, template and overrides.

NAMES = st.sampled_from(["a", "b", "Z", "é"])
FACET_TEXTS = st.dictionaries(st.sampled_from(FACETS), st.text(max_size=4), max_size=4)
ATTRIBUTES = st.lists(
    st.builds(
        Attribute,
        NAMES,
        st.sampled_from(list(Direction)),
        st.sampled_from([ValueType.UNSPECIFIED, ValueType.DOUBLE]),
        st.sampled_from([(), (2,), (0, 3)]),
        st.text(max_size=3),
        FACET_TEXTS,
        st.integers(0, 9),
        st.text(max_size=3),
    ),
    unique_by=lambda each: each.name,
).map(tuple)
OVERRIDES = st.lists(
    st.builds(AttributeOverride, NAMES, FACET_TEXTS), unique_by=lambda each: each.attribute
).map(tuple)
TEXTS = st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=3)
DRIVERS = st.lists(
    st.builds(Driver, NAMES, st.text(max_size=2), st.text(max_size=2), TEXTS), max_size=2
).map(tuple)


def canonical(found: Configuration) -> str:
    """The canonical text, as fingerprint.md says it."""
    attributes = {}
    for each in found.attributes:
        told: dict[str, str] = dict(each.facets)
        told |= {"direction": each.direction.value, "type": each.type.value}
        told |= {"shape": "x".join(str(size) for size in each.shape)}
        told |= {"maximum_size_bytes": str(each.maximum_size_bytes)}
        left_out = {
            "direction": "UNSPECIFIED",
            "type": "UNSPECIFIED",
            "shape": "",
            "maximum_size_bytes": "0",
        }
        attributes[each.name] = {k: v for k, v in told.items() if left_out.get(k) != v}
    drivers = []
    for driver in found.drivers:
        members = {
            "version": driver.version,
            "init_parameter": driver.init_parameter,
            "properties": dict(driver.properties),
        }
        drivers.append({"name": driver.name, **{k: v for k, v in members.items() if v}})
    whole = {"attributes": attributes, "drivers": drivers, "parameters": dict(found.parameters)}
    return json.dumps(whole, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


@given(ATTRIBUTES | st.none(), ATTRIBUTES, OVERRIDES, DRIVERS, DRIVERS, TEXTS, TEXTS)
def test_the_merge_for_any_input(
    dataset: tuple[Attribute, ...] | None,
    declared: tuple[Attribute, ...],
    overrides: tuple[AttributeOverride, ...],
    drivers: tuple[Driver, ...],
    own_drivers: tuple[Driver, ...],
    defaults: dict[str, str],
    own_parameters: dict[str, str],
) -> None:
    parameters = tuple(
        Parameter(name, facets={"default_value": text}) for name, text in defaults.items()
    )
    template = Template(id="T", attributes=declared, drivers=drivers, parameters=parameters)
    unit = ControlUnit(id="U", overrides=overrides, drivers=own_drivers, parameters=own_parameters)
    found = effective(dataset, template, unit)

    base = declared if dataset is None else dataset
    assert [each.name for each in found.attributes] == sorted(each.name for each in base)
    by_template = {each.name: each for each in declared}
    by_override = {each.attribute: each for each in overrides}
    by_dataset = {each.name: each for each in base}
    for each in found.attributes:
        published, template_has = by_dataset[each.name], by_template.get(each.name)
        if published.direction is not Direction.UNSPECIFIED:
            assert each.direction is published.direction
        if published.type is not ValueType.UNSPECIFIED:
            assert (each.type, each.shape) == (published.type, published.shape)
        assert each.maximum_size_bytes == published.maximum_size_bytes
        expected = dict(published.facets)
        if each.direction is not Direction.OUTPUT:
            expected |= template_has.facets if template_has else {}
            expected |= by_override[each.name].facets if each.name in by_override else {}
        assert each.facets == expected
    assert found.parameters == defaults | own_parameters
    names = [each.name for each in own_drivers or drivers]
    assert [each.name for each in found.drivers] == names
    assert found.fingerprint == f"v1:{sha256(canonical(found).encode()).hexdigest()}"
