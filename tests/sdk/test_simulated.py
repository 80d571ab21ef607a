"""Simulated devices, and classes that fit the templates of a real facility."""

import pytest
from mds.v1 import control_unit_pb2, dataset_pb2, template_pb2

from control_units import Direction, ValueType
from control_units.control_unit import ControlUnit
from control_units.simulated.beam_position_monitor import BeamPositionMonitor
from control_units.simulated.camera import Camera
from control_units.simulated.device import SimulatedDevice
from control_units.simulated.fitting import device_for, fitted_class, guessed_type
from control_units.simulated.power_supply import RAMP_A_PER_S, PowerSupply


@pytest.mark.parametrize(
    ("implementation", "device"),
    [
        ("::driver::powersupply::SCPowerSupplyControlUnit", PowerSupply),
        ("site::Power_Supply", PowerSupply),
        ("RTCameraBase", Camera),
        ("::driver::daq::libera::SCLiberaCU", BeamPositionMonitor),
        ("StriplineBPM", BeamPositionMonitor),
        ("::common::script::ScriptableExecutionUnit", SimulatedDevice),
    ],
)
def test_the_name_of_a_class_speaks_of_its_device(
    implementation: str, device: type[SimulatedDevice]
) -> None:
    assert device_for(implementation) is device


@pytest.mark.parametrize(
    ("texts", "type"),
    [
        ([], ValueType.STRING),
        (["1", "0"], ValueType.DOUBLE),
        (["1", "2300.0", "-1e3"], ValueType.DOUBLE),
        (["0x5A", "7"], ValueType.INT64),
        (["0xFFFFFFFFFFFFFFFF"], ValueType.UINT64),
        (["true", "false"], ValueType.BOOL),
        (["1", "one"], ValueType.STRING),
        (['{"a": 1}'], ValueType.STRING),
    ],
)
def test_an_unknown_type_is_guessed_from_what_people_wrote(
    texts: list[str], type: ValueType
) -> None:
    assert guessed_type(texts) is type


def template(*attributes: dataset_pb2.Attribute, implementation: str) -> template_pb2.Template:
    return template_pb2.Template(implementation=implementation, attributes=attributes)


def test_a_fitted_class_has_the_attributes_of_the_template_besides_its_own() -> None:
    made = fitted_class(
        [
            template(
                dataset_pb2.Attribute(name="current", minimum="-5", unit="kA"),
                dataset_pb2.Attribute(name="slew", default_value="1"),
                implementation="::x::PowerSupply",
            )
        ],
        [],
    )
    assert made.implementation == "::x::PowerSupply"
    assert {"slew", *PowerSupply.dataset} == set(made.dataset)
    assert list(made.dataset) == sorted(made.dataset)
    assert made.dataset["current"] == PowerSupply.dataset["current"], "the template narrows it"
    assert made.dataset["slew"].type is ValueType.DOUBLE
    assert made.dataset["slew"].direction is Direction.INPUT
    assert made.dataset["slew"].facets == {}
    assert PowerSupply.dataset.keys() < made.dataset.keys()


def test_what_the_template_knows_of_an_attribute_is_so() -> None:
    known = dataset_pb2.Attribute(
        name="stby",
        type=dataset_pb2.VALUE_TYPE_INT32,
        direction=dataset_pb2.DIRECTION_BIDIRECTIONAL,
        shape=[2],
    )
    stby = fitted_class([template(known, implementation="PowerSupply")], []).dataset["stby"]
    assert (stby.type, stby.direction, stby.shape) == (
        ValueType.INT32,
        Direction.BIDIRECTIONAL,
        (2,),
    )
    assert "default_value" not in stby.facets, "the default was one of another type"


def test_what_the_template_says_of_an_output_is_published_for_nothing_narrows_it() -> None:
    flow = dataset_pb2.Attribute(
        name="flow", direction=dataset_pb2.DIRECTION_OUTPUT, unit="l/min", warning_minimum="180"
    )
    made = fitted_class([template(flow, implementation="Chiller")], [])
    assert made.dataset["flow"].facets == {"unit": "l/min", "warning_minimum": "180"}


def test_types_hold_what_the_units_override() -> None:
    units = [
        control_unit_pb2.ControlUnit(
            overrides=[dataset_pb2.AttributeOverride(attribute="stby", default_value="7")]
        )
    ]
    stby = dataset_pb2.Attribute(name="stby")
    made = fitted_class([template(stby, implementation="PowerSupply")], units)
    assert PowerSupply.dataset["stby"].type is ValueType.BOOL
    assert made.dataset["stby"].type is ValueType.DOUBLE


def test_one_class_serves_all_versions_in_use() -> None:
    versions = [
        template(dataset_pb2.Attribute(name=name), implementation="Any") for name in ("a", "b")
    ]
    assert set(fitted_class(versions, []).dataset) == {"a", "b"}


async def started(unit: ControlUnit) -> ControlUnit:
    for hook in (unit.on_init, unit.on_start):
        outcome = hook()
        if outcome is not None:
            await outcome
    return unit


async def cycle(unit: ControlUnit) -> None:
    outcome = unit.on_cycle()
    assert outcome is not None
    await outcome


async def test_a_power_supply_ramps_to_its_set_point() -> None:
    unit = PowerSupply("P")
    await started(unit)
    await unit.set("current", 2 * RAMP_A_PER_S)
    await cycle(unit)
    assert unit.current_readback == pytest.approx(RAMP_A_PER_S, abs=0.1)
    assert unit.is_ramping
    await cycle(unit)
    assert unit.current_readback == pytest.approx(2 * RAMP_A_PER_S, abs=0.1)
    assert not unit.is_ramping
    await unit.set("stby", value=True)
    await cycle(unit)
    await cycle(unit)
    assert unit.current_readback == 0.0


async def test_a_camera_counts_frames_and_sees_more_with_more_exposure() -> None:
    unit = Camera("C")
    await started(unit)
    await cycle(unit)
    dark, frames = unit.brightness, unit.frames
    await unit.set("exposure", 20_000)
    await cycle(unit)
    assert unit.frames == 2 * frames > 0
    assert unit.brightness > dark + 20


async def test_a_beam_position_monitor_sees_a_beam_near_the_centre() -> None:
    unit = BeamPositionMonitor("B")
    await started(unit)
    seen = set()
    for _ in range(20):
        await cycle(unit)
        seen.add(unit.x)
        assert abs(unit.x) < 2
    assert len(seen) == 20
    assert unit.intensity > 1


async def test_a_device_does_what_makes_sense_when_a_template_retypes_its_attributes() -> None:
    attributes = [
        dataset_pb2.Attribute(name=name, type=type, direction=dataset_pb2.DIRECTION_OUTPUT)
        for name, type in [
            ("current_readback", dataset_pb2.VALUE_TYPE_INT32),
            ("voltage", dataset_pb2.VALUE_TYPE_STRING),
            ("is_ramping", dataset_pb2.VALUE_TYPE_UINT8),
        ]
    ]
    unit = fitted_class([template(*attributes, implementation="PowerSupply")], [])("P")
    await started(unit)
    await unit.set("current", 3)
    await cycle(unit)
    assert unit.read("current_readback") == 3
    assert unit.read("voltage").startswith("0.3")
    assert unit.read("is_ramping") in {0, 1}
