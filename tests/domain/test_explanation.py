"""Why a unit shall use what it shall use."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from metadata_server.domain.intent.attribute import FACETS, Attribute, Direction, Driver, ValueType
from metadata_server.domain.intent.configuration import Configuration, effective
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.explanation import ExplainedValue, Layer, explained, with_plan
from metadata_server.domain.intent.template import Template
from tests.domain.facility import CHANNELS, CURRENT, POWER_SUPPLY, READ_BACK, UNIT, override

DATASET, TEMPLATE, OVERRIDE = Layer.PUBLISHED_DATASET, Layer.TEMPLATE, Layer.OVERRIDE


def explain(
    unit: ControlUnit,
    *,
    dataset: tuple[Attribute, ...] | None = None,
    template: Template = POWER_SUPPLY,
) -> dict[str, ExplainedValue]:
    configuration = effective(dataset, template, unit)
    return {each.path: each for each in explained(configuration, dataset, template, unit)}


def layers(value: ExplainedValue) -> list[tuple[Layer, str]]:
    return [(each.layer, each.value) for each in value.layers]


def test_every_layer_that_says_something_is_told_and_the_override_counts() -> None:
    dataset = (replace(CURRENT, facets={"maximum": "99", "unit": "mA"}),)
    unit = replace(UNIT, overrides=(override("current", maximum="0x5A"),))
    found = explain(unit, dataset=dataset)["attributes[current].maximum"]
    assert found.value == "0x5A"
    assert found.unit == "A"
    assert layers(found) == [(DATASET, "99"), (TEMPLATE, "10.0"), (OVERRIDE, "0x5A")]


def test_of_an_output_its_code_has_the_last_word() -> None:
    dataset = (replace(READ_BACK, facets={"unit": "mA"}),)
    unit = replace(UNIT, overrides=(override(READ_BACK.name, unit="kA"),))
    found = explain(unit, dataset=dataset)[f"attributes[{READ_BACK.name}].unit"]
    assert found.value == "mA"
    assert layers(found) == [(OVERRIDE, "kA"), (TEMPLATE, "A"), (DATASET, "mA")]


def test_of_type_and_shape_its_code_has_the_last_word() -> None:
    dataset = (replace(CHANNELS, type=ValueType.INT32, shape=(4,)),)
    found = explain(UNIT, dataset=dataset)
    assert layers(found["attributes[channels].type"]) == [(TEMPLATE, "UINT8"), (DATASET, "INT32")]
    assert layers(found["attributes[channels].shape"]) == [(TEMPLATE, "[0]"), (DATASET, "[4]")]


def test_a_parameter_comes_from_its_default_or_from_the_unit() -> None:
    unit = replace(UNIT, parameters={"slot": "4", "period": "5"})
    found = explain(unit)
    assert layers(found["parameters[slot]"]) == [(OVERRIDE, "4")]
    assert layers(found["parameters[period]"]) == [(TEMPLATE, "1000000"), (OVERRIDE, "5")]


def test_a_driver_is_completed_from_the_one_of_the_template_that_it_names() -> None:
    unit = replace(UNIT, drivers=(Driver("Serial", "1", properties={"parity": "odd"}),))
    found = explain(unit)
    assert layers(found["drivers"]) == [(TEMPLATE, '["Serial"]'), (OVERRIDE, '["Serial"]')]
    assert layers(found["drivers[Serial].version"]) == [(TEMPLATE, "1"), (OVERRIDE, "1")]
    assert layers(found["drivers[Serial].init_parameter"]) == [(TEMPLATE, "4800")]
    assert layers(found["drivers[Serial].properties[parity]"]) == [(OVERRIDE, "odd")]


def test_two_drivers_of_one_name_are_told_apart() -> None:
    unit = replace(UNIT, drivers=(Driver("Serial", "1"), Driver("Serial", "2")))
    found = explain(unit)
    assert found["drivers[Serial].version"].value == "1"
    assert found["drivers[Serial#2].version"].value == "2"


def test_values_are_told_attributes_first_then_drivers_then_parameters_by_name() -> None:
    paths = list(explain(UNIT))
    assert paths[0] == "attributes[channels].direction"
    assert paths[-2:] == ["parameters[period]", "parameters[slot]"]
    assert paths.index("drivers") < paths.index("drivers[Serial].version")


def test_a_plan_tells_what_would_change_come_and_go() -> None:
    unit = replace(UNIT, overrides=(override("current", maximum="8", increment="1"),))
    planned = replace(
        UNIT, overrides=(override("current", maximum="9"),), parameters={"slot": "4", "note": "x"}
    )
    before = effective(None, POWER_SUPPLY, unit)
    after = effective(None, POWER_SUPPLY, planned)
    values = explained(before, None, POWER_SUPPLY, unit)
    found = {each.path: each for each in with_plan(values, after, POWER_SUPPLY)}
    maximum = found["attributes[current].maximum"]
    assert (maximum.value, maximum.planned) == ("8", "9")
    gone = found["attributes[current].increment"]
    assert (gone.planned, gone.is_removed) == (None, True)
    note = found["parameters[note]"]
    assert (note.value, note.planned, note.layers) == ("", "x", ())
    assert found["attributes[current].minimum"].planned is None
    assert list(found)[-3:] == ["parameters[note]", "parameters[period]", "parameters[slot]"]


NAMES = st.sampled_from(["current", "stby", "channels", "x"])
TEXTS = st.sampled_from(["", "0", "0x5A", "1.50"])
FACET_MAPS = st.dictionaries(st.sampled_from(FACETS), TEXTS, max_size=4)
ATTRIBUTES = st.lists(
    st.builds(
        Attribute,
        NAMES,
        st.sampled_from(list(Direction)),
        st.sampled_from(list(ValueType)),
        st.sampled_from([(), (0,), (4,)]),
        st.sampled_from(["", "d"]),
        FACET_MAPS,
        st.sampled_from([0, 7]),
        st.sampled_from(["", "text/plain"]),
    ),
    unique_by=lambda attribute: attribute.name,
    max_size=4,
).map(tuple)
DRIVERS = st.lists(
    st.builds(
        Driver,
        st.sampled_from(["Serial", "Ethernet", "Own"]),
        st.sampled_from(["", "1", "2"]),
        st.sampled_from(["", "9600"]),
        st.dictionaries(st.sampled_from(["a", "parity"]), TEXTS, max_size=2),
    ),
    max_size=3,
).map(tuple)


def values_of(configuration: Configuration) -> dict[str, str]:
    """The configuration, spelt out by the test's own hand."""
    found = {f"parameters[{name}]": text for name, text in configuration.parameters.items()}
    for each in configuration.attributes:
        start = f"attributes[{each.name}]"
        plain = {
            "direction": each.direction.value,
            "type": each.type.value,
            "shape": "[" + ", ".join(map(str, each.shape)) + "]",
            "description": each.description,
            "maximum_size_bytes": str(each.maximum_size_bytes),
            "mime_type": each.mime_type,
        }
        said = {
            name: text for name, text in plain.items() if text not in {"", "0", "[]", "UNSPECIFIED"}
        }
        said |= each.facets
        found |= {f"{start}.{name}": text for name, text in said.items()} or {start: ""}
    return found


@given(
    st.none() | ATTRIBUTES,
    ATTRIBUTES,
    st.dictionaries(NAMES, FACET_MAPS, max_size=3),
    DRIVERS,
    DRIVERS,
    st.dictionaries(st.sampled_from(["period", "slot", "more"]), TEXTS),
)
def test_what_is_explained_is_the_effective_configuration(
    dataset: tuple[Attribute, ...] | None,
    attributes: tuple[Attribute, ...],
    overrides: dict[str, dict[str, str]],
    offered: tuple[Driver, ...],
    drivers: tuple[Driver, ...],
    parameters: dict[str, str],
) -> None:
    template = replace(POWER_SUPPLY, attributes=attributes, drivers=offered)
    unit = replace(
        UNIT,
        overrides=tuple(override(name, **facets) for name, facets in sorted(overrides.items())),
        drivers=drivers,
        parameters=parameters,
    )
    configuration = effective(dataset, template, unit)
    found = explain(unit, dataset=dataset, template=template)
    told = {path: each.value for path, each in found.items() if not path.startswith("drivers")}
    assert told == values_of(configuration)
    for each in found.values():
        assert each.layers, f"{each.path} comes from nowhere"
        assert each.layers[-1].value == each.value, f"{each.path} does not come from the last"
