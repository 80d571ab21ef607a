"""Templates out of classes and the catalogue: they change nothing for any unit of the file."""

from collections.abc import Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.importers.configurations import Effective, effective
from tests.importers.files import (
    SUPPLY,
    attribute,
    driver,
    facility,
    read,
    read_soundly,
    resources,
    template_of,
    unit,
)

CATALOGUE = {
    "powersupply": {
        "SCPowerSupply": {
            "drivers": {"Sim": driver("Sim", "proposed"), "Real": driver("Real", "proposed")},
            "attrs": {
                "current": attribute("current", default="0", min="0", max="100"),
                "scale": attribute("scale", default="1"),
            },
            "info": {
                "group": ["QUAD"],
                "interface": "powersupply",
                "desc": "Drives a supply",
                "impl": SUPPLY,
            },
        }
    }
}


def facet(template: Any, name: str, field: str) -> str | None:
    found = next(each for each in template.attributes if each.name == name)
    return getattr(found, field) if found.HasField(field) else None


def test_a_value_that_all_units_state_is_the_templates_and_units_say_only_what_differs() -> None:
    units = [unit(f"A/{n}", attribute("i", max="10"), cudk_thr_sch_delay=5) for n in range(3)]
    units.append(unit("B", attribute("i", max="20"), cudk_thr_sch_delay=6))
    reading = read_soundly(facility(*units))
    template = template_of(reading)
    assert facet(template, "i", "maximum") == "10"
    assert template.parameters[0].default_value == "5"
    found = resources(reading, "control_unit")
    assert not found["A/0"].overrides
    assert not found["A/0"].parameters
    assert found["B"].overrides[0].maximum == "20"
    assert dict(found["B"].parameters) == {"schedule_delay": "6"}


def test_a_value_that_one_unit_leaves_open_stays_with_the_others() -> None:
    units = [unit(f"A/{n}", attribute("i", max="10")) for n in range(9)]
    reading = read_soundly(facility(*units, unit("B")))
    assert facet(template_of(reading), "i", "maximum") is None
    assert resources(reading, "control_unit")["A/8"].overrides[0].maximum == "10"


def test_what_one_unit_alone_states_is_not_taken_for_its_class() -> None:
    reading = read_soundly(facility(unit("A", attribute("i", max="10"))))
    assert facet(template_of(reading), "i", "maximum") is None


def test_drivers_that_all_units_use_are_the_templates() -> None:
    units = [unit(f"A/{n}", cudk_driver_description=[driver("Sim", f"{n}")]) for n in range(2)]
    reading = read_soundly(facility(*units))
    (shared,) = template_of(reading).drivers
    assert (shared.name, shared.version, shared.init_parameter) == ("Sim", "1.0.0", "")
    own = resources(reading, "control_unit")["A/1"].drivers[0]
    assert (own.name, own.version, own.init_parameter) == ("Sim", "", "1")


def test_drivers_that_differ_are_alternatives() -> None:
    units = [
        unit("A", cudk_driver_description=[driver("Sim")]),
        unit("B", cudk_driver_description=[driver("Real")]),
        unit("C"),
    ]
    template = template_of(read_soundly(facility(*units)))
    assert not template.drivers
    assert [each.name for each in template.alternative_drivers] == ["Real", "Sim"]


def test_the_catalogue_names_and_describes_but_sets_no_value_of_existing_units() -> None:
    stated = [unit(f"A/{n}", cudk_driver_description=[driver("Sim")]) for n in range(2)]
    reading = read_soundly(facility(*stated, variables={"cu_catalog": CATALOGUE}))
    template = template_of(reading)
    assert (template.description, template.group) == ("Drives a supply", "powersupply")
    assert template.interface == "powersupply"
    assert [each.name for each in template.attributes] == ["current", "scale"]
    assert facet(template, "current", "default_value") is None
    assert "100" in template.properties["cu_catalog.attrs"]
    assert '"group": ["QUAD"]' in template.properties["cu_catalog"]
    # A unit completes an empty init parameter from the template's driver of that name.
    assert template.drivers[0].init_parameter == ""
    assert [(d.name, d.init_parameter) for d in template.alternative_drivers] == [
        ("Real", "proposed")
    ]
    assert "cu_catalog" in resources(reading, "variable")


def test_a_catalogue_by_itself_gives_templates_with_its_values() -> None:
    reading = read_soundly(CATALOGUE)
    assert [item.WhichOneof("resource") for item in reading.items] == ["template"]
    assert reading.items[0].source == "powersupply.SCPowerSupply"
    template = template_of(reading)
    assert facet(template, "current", "maximum") == "100"
    assert facet(template, "current", "default_value") == "0"
    assert [each.name for each in template.alternative_drivers] == ["Real", "Sim"]


def test_a_proposal_that_contradicts_itself_is_noted_and_kept_but_not_taken() -> None:
    wrong = {
        "c": {
            "K": {
                "attrs": {"r": attribute("r", default="1", min="5", max="10")},
                "info": {"impl": "K"},
            }
        }
    }
    reading = read_soundly(wrong)
    template = template_of(reading, "K")
    assert facet(template, "r", "default_value") is None
    assert facet(template, "r", "minimum") == "5"
    assert '"default_value": "1"' in template.properties["cu_catalog"]
    assert [n.place for n in reading.findings.notes] == ["c.K.attrs.r.cudk_default_value"]


def test_two_entries_of_one_class_add_up() -> None:
    twice = {
        "a": {"K": {"attrs": {"x": attribute("x")}, "info": {"impl": "::K", "desc": "first"}}},
        "b": {"K": {"attrs": {"y": attribute("y")}, "info": {"impl": "K", "desc": "second"}}},
    }
    reading = read_soundly(twice)
    template = template_of(reading, "K")
    assert [each.name for each in template.attributes] == ["x", "y"]
    assert template.description == "first"
    assert [note.place for note in reading.findings.notes] == ["b.K"]


def test_equal_files_give_equal_bundles() -> None:
    units = [unit(f"A/{n}", attribute("i", max=str(n % 2))) for n in range(10)]
    document = facility(*units, variables={"cu_catalog": CATALOGUE})
    assert read(document).items == read(document).items


VALUES = st.sampled_from(["", "0", "1", "2", "NA"])
ATTRIBUTES = st.dictionaries(
    st.sampled_from("xyz"),
    st.fixed_dictionaries({}, optional={"max": VALUES, "unit": VALUES, "inc": VALUES}),
)
DRIVERS = st.lists(
    st.builds(driver, st.sampled_from("DEF"), st.sampled_from(["", "i"]), st.sampled_from("12")),
    max_size=2,
)
UNITS = st.lists(
    st.tuples(ATTRIBUTES, DRIVERS, VALUES.filter(str.isdecimal)), min_size=1, max_size=5
)


@given(UNITS)
def test_a_unit_runs_with_what_its_entry_states_whatever_its_class_shares(
    stated: list[tuple[Mapping[str, dict[str, str]], list[dict[str, object]], str]],
) -> None:
    units = [
        unit(
            f"A/{number}",
            *(attribute(name, **fields) for name, fields in attributes.items()),
            cudk_driver_description=drivers,
            cudk_thr_sch_delay=delay,
        )
        for number, (attributes, drivers, delay) in enumerate(stated)
    ]
    reading = read_soundly(facility(*units, variables={"cu_catalog": CATALOGUE}))
    template = template_of(reading)
    found = resources(reading, "control_unit")
    for number, (attributes, drivers, delay) in enumerate(stated):
        assert effective(found[f"A/{number}"], template) == Effective(
            {name: said for name, fields in attributes.items() if (said := facets_of(fields))},
            [
                (
                    str(each["cudk_driver_description_name"]),
                    str(each["cudk_driver_description_version"]),
                    str(each["cudk_driver_description_init_parameter"]),
                    {},
                )
                for each in drivers
            ],
            {"schedule_delay": delay},
        )


def facets_of(fields: Mapping[str, str]) -> dict[str, str]:
    names = {"max": "maximum", "unit": "unit", "inc": "increment"}
    return {names[name]: text for name, text in fields.items() if text not in {"", "NA"}}
