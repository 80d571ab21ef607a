"""Trees: every resource survives the way there and back, and differences tell each field."""

from dataclasses import replace

from hypothesis import given

from metadata_server.domain.difference import FieldDifference, differences
from metadata_server.domain.intent.attribute import AttributeOverride, Driver
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.resource import Meta, Resource
from metadata_server.domain.tree import resource_of, shapes_of, tree_of
from tests.api.resources import RESOURCES


def has_unique_names(value: object) -> bool:
    """Whether what lists hold is called by different names, as the checks want it; drivers of one
    name there may be."""
    for shape in shapes_of(type(value)):
        inner = getattr(value, shape.name)
        if shape.named_by and shape.type is not Driver:
            names = [getattr(item, shape.named_by) for item in inner]
            if len(set(names)) < len(names) or not all(map(has_unique_names, inner)):
                return False
    return True


@given(RESOURCES)
def test_every_resource_comes_back_from_its_tree(resource: Resource) -> None:
    back = resource_of(type(resource), tree_of(resource), id=resource.id, meta=resource.meta)
    assert back == resource


@given(RESOURCES)
def test_a_resource_does_not_differ_from_itself(resource: Resource) -> None:
    assert differences(resource, resource) == ()


def unit(**content: object) -> ControlUnit:
    return ControlUnit(id="DAFNE/PL/QSKPL106", **content)  # type: ignore[arg-type]


def test_differences_name_attributes_and_facets() -> None:
    before = unit(
        overrides=(AttributeOverride("current", {"maximum": "50", "unit": "A"}),),
        labels={"group": "q"},
    )
    after = unit(
        overrides=(AttributeOverride("current", {"maximum": "0x3C", "minimum": "0"}),),
        description="quadrupole",
    )
    assert differences(before, after) == (
        FieldDifference("description", None, "quadrupole"),
        FieldDifference("labels[group]", "q", None),
        FieldDifference("overrides[current].maximum", "50", "0x3C"),
        FieldDifference("overrides[current].minimum", None, "0"),
        FieldDifference("overrides[current].unit", "A", None),
    )


def test_an_order_of_drivers_is_a_difference() -> None:
    first, second = Driver("LIN", init_parameter="{}"), Driver("TCP", init_parameter="{}")
    found = differences(unit(drivers=(first, second)), unit(drivers=(second, first)))
    assert found == (FieldDifference("drivers", '["LIN", "TCP"]', '["TCP", "LIN"]'),)


COM1, COM2 = Driver("Serial", init_parameter="COM1"), Driver("Serial", init_parameter="COM2")


def test_drivers_of_one_name_are_told_apart() -> None:
    other = replace(COM2, init_parameter="COM3")
    found = differences(unit(drivers=(COM1, COM2)), unit(drivers=(COM1, other)))
    assert found == (FieldDifference("drivers[Serial#2].init_parameter", "COM2", "COM3"),)
    found = differences(unit(drivers=(COM1, COM2)), unit(drivers=(COM2, COM1)))
    assert [each.path for each in found] == [
        "drivers[Serial#2].init_parameter",
        "drivers[Serial].init_parameter",
    ]
    (gone, _) = differences(unit(drivers=(COM1, COM2)), unit(drivers=(COM1,)))
    assert gone == FieldDifference("drivers[Serial#2].init_parameter", "COM2", None)


def test_a_driver_that_is_called_like_the_second_of_a_name_is_told_from_it() -> None:
    drivers = (COM1, Driver("Serial#2"), COM2, Driver("Serial#2", version="2"))
    tree = tree_of(unit(drivers=drivers))
    assert isinstance(tree["drivers"], dict)
    assert [*tree["drivers"]] == ["Serial", "Serial#2", "Serial#3", "Serial#2#2"]
    back = resource_of(ControlUnit, tree, id="DAFNE/PL/QSKPL106", meta=Meta())
    assert back.drivers == drivers


def test_an_attribute_that_is_filled_tells_only_what_it_is_filled_with() -> None:
    before = unit(overrides=(AttributeOverride("current"),))
    after = unit(overrides=(AttributeOverride("current", {"unit": ""}),))
    filled = FieldDifference("overrides[current].unit", None, "")
    assert differences(before, after) == (filled,)
    assert differences(after, before) == (FieldDifference("overrides[current].unit", "", None),)
    assert differences(unit(), before) == (FieldDifference("overrides[current]", None, ""),)
