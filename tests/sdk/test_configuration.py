"""What a unit uses: its dataset, narrowed by what the server told."""

from mds.v1 import configuration_pb2, dataset_pb2, driver_pb2

from control_units import ControlUnit, Direction, ValueType, attribute
from control_units.configuration import description, effective, to_wire
from control_units.control_unit import Driver


class Supply(ControlUnit):
    current = attribute(direction=Direction.INPUT, unit="A", minimum=-10, default=1.0)
    gain = attribute(type=ValueType.UINT8, direction=Direction.BIDIRECTIONAL)
    readback = attribute(unit="A")


def told(*attributes: dataset_pb2.Attribute) -> configuration_pb2.Configuration:
    return configuration_pb2.Configuration(attributes=attributes)


def test_inputs_are_narrowed_and_keep_what_nobody_changed() -> None:
    found = effective(Supply.dataset, told(dataset_pb2.Attribute(name="current", minimum="-5")))
    assert found.attributes["current"].facets == {
        "unit": "A",
        "minimum": "-5",
        "default_value": "1.0",
    }


def test_an_empty_text_that_was_given_replaces() -> None:
    found = effective(Supply.dataset, told(dataset_pb2.Attribute(name="current", unit="")))
    assert found.attributes["current"].facets["unit"] == ""


def test_outputs_are_never_narrowed() -> None:
    found = effective(Supply.dataset, told(dataset_pb2.Attribute(name="readback", unit="mA")))
    assert found.attributes["readback"] == Supply.dataset["readback"]


def test_name_type_direction_shape_and_size_are_the_datasets() -> None:
    other = dataset_pb2.Attribute(
        name="gain",
        type=dataset_pb2.VALUE_TYPE_STRING,
        direction=dataset_pb2.DIRECTION_OUTPUT,
        shape=[3],
        maximum_size_bytes=9,
        default_value="7",
    )
    found = effective(Supply.dataset, told(other)).attributes["gain"]
    assert (found.type, found.direction, found.shape, found.maximum_size_bytes) == (
        ValueType.UINT8,
        Direction.BIDIRECTIONAL,
        (),
        0,
    )
    assert found.facets == {"default_value": "7"}


def test_what_the_dataset_does_not_have_is_left_out() -> None:
    found = effective(Supply.dataset, told(dataset_pb2.Attribute(name="other")))
    assert set(found.attributes) == set(Supply.dataset)


def test_drivers_and_parameters_are_the_servers() -> None:
    configuration = configuration_pb2.Configuration(
        drivers=[driver_pb2.Driver(name="D", init_parameter="{}", properties={"a": "1"})],
        parameters={"delay": "5"},
    )
    found = effective(Supply.dataset, configuration)
    assert found.drivers == (Driver("D", init_parameter="{}", properties={"a": "1"}),)
    assert found.parameters == {"delay": "5"}


def test_an_attribute_comes_back_from_the_wire_as_it_went() -> None:
    for each in Supply.dataset.values():
        assert description(to_wire(each)) == each
