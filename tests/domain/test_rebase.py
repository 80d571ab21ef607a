"""What another version means for a unit: as much as comparing both configurations in full."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metadata_server.domain.difference import FieldDifference
from metadata_server.domain.intent.attribute import (
    Attribute,
    AttributeOverride,
    Direction,
    Driver,
    Parameter,
    ValueType,
)
from metadata_server.domain.intent.configuration import Configuration, effective, narrow
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.fit import unit_misfits
from metadata_server.domain.intent.rebase import Comparison, parts_of, without_faults
from metadata_server.domain.intent.template import Template

NAMES = ("current", "ramp", "bank[2].maximum")
VALUES = st.sampled_from(["1", "2", "0x3"])
FACETS = st.dictionaries(st.sampled_from(["default_value", "maximum", "offset"]), VALUES)
DRIVERS = st.lists(
    st.builds(Driver, st.sampled_from(["Serial", "LAN"]), VALUES, VALUES),
    max_size=2,
).map(tuple)


def attributes(
    directions: st.SearchStrategy[Direction],
) -> st.SearchStrategy[tuple[Attribute, ...]]:
    one = st.builds(
        Attribute,
        st.sampled_from(NAMES),
        directions,
        st.sampled_from([ValueType.DOUBLE, ValueType.UNSPECIFIED]),
        facets=FACETS,
    )
    return st.lists(one, max_size=3, unique_by=lambda each: each.name).map(tuple)


TEMPLATES = st.builds(
    Template,
    id=st.just("Supply"),
    version=st.integers(1, 2),
    implementation=st.sampled_from(["::A", "::B"]),
    drivers=DRIVERS,
    parameters=st.lists(
        st.builds(Parameter, st.sampled_from(["period", "slot"]), facets=FACETS),
        max_size=2,
        unique_by=lambda each: each.name,
    ).map(tuple),
    attributes=attributes(st.sampled_from(Direction)),
)
OVERRIDES = st.dictionaries(st.sampled_from(NAMES), FACETS).map(
    lambda said: tuple(AttributeOverride(name, said[name]) for name in sorted(said))
)
UNITS = st.builds(
    ControlUnit,
    id=st.just("A/1"),
    overrides=OVERRIDES,
    drivers=DRIVERS,
    parameters=st.dictionaries(st.sampled_from(["period", "slot", "gone"]), VALUES),
)
DATASETS = st.none() | attributes(st.sampled_from([Direction.INPUT, Direction.OUTPUT]))


def flat(configuration: Configuration) -> dict[str, str]:
    """Every value of a configuration by its path; written without the code under test."""
    found = {"implementation": configuration.implementation}
    for each in configuration.attributes:
        path = f"attributes[{each.name}]"
        found |= {f"{path}.{facet}": text for facet, text in each.facets.items()}
        if each.direction is not Direction.UNSPECIFIED:
            found[f"{path}.direction"] = each.direction
        if each.type is not ValueType.UNSPECIFIED:
            found[f"{path}.type"] = each.type
    for place, driver in enumerate(configuration.drivers):
        before = [each.name for each in configuration.drivers[:place]].count(driver.name)
        called = f"{driver.name}#{before + 1}" if before else driver.name
        found[f"drivers[{called}].version"] = driver.version
        found[f"drivers[{called}].init_parameter"] = driver.init_parameter
    return found | {f"parameters[{n}]": text for n, text in configuration.parameters.items()}


@given(TEMPLATES, TEMPLATES, DATASETS, UNITS, UNITS)
def test_what_is_told_is_what_differs(
    old: Template,
    new: Template,
    dataset: tuple[Attribute, ...] | None,
    before: ControlUnit,
    other: ControlUnit,
) -> None:
    comparison = Comparison(narrow(dataset, old), narrow(dataset, new))
    after = replace(
        before,
        overrides=tuple(each for each in before.overrides if each not in other.overrides),
        drivers=() if other.drivers else before.drivers,
        parameters={n: t for n, t in before.parameters.items() if n not in other.parameters},
    )
    was, now = flat(effective(dataset, old, before)), flat(effective(dataset, new, after))
    told = comparison.differences(before, after)
    assert [each.path for each in told] == sorted(each.path for each in told)
    valued = {each for each in told if each.path in was or each.path in now}
    assert valued == {
        FieldDifference(path, was.get(path), now.get(path))
        for path in was.keys() | now.keys()
        if was.get(path) != now.get(path)
    }
    # Besides values: an attribute that is new or gone without any, or another order of drivers.
    bare = {each.path for each in told} - {each.path for each in valued}
    assert bare <= {"drivers", *(f"attributes[{name}]" for name in NAMES)}


@given(TEMPLATES, DATASETS, UNITS)
def test_what_stands_against_a_version_can_always_be_dropped(
    template: Template, dataset: tuple[Attribute, ...] | None, unit: ControlUnit
) -> None:
    left = unit
    all_dropped: list[str] = []
    for _ in range(3):
        left, dropped = without_faults(left, unit_misfits(left, template, dataset))
        all_dropped += dropped
    assert list(unit_misfits(left, template, dataset)) == []
    assert (left == unit) is (not all_dropped)


@pytest.mark.parametrize(
    ("path", "parts"),
    [
        ("overrides[0].minimum", ("overrides", "0", "minimum")),
        ("drivers[1].name", ("drivers", "1", "name")),
        ("parameters[bank[2].x]", ("parameters", "bank[2].x", "")),
        ("parameters[a]", ("parameters", "a", "")),
    ],
)
def test_paths_of_faults_are_read(path: str, parts: tuple[str, str, str]) -> None:
    assert parts_of(path) == parts
