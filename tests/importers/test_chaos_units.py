"""Units of both generations, with everything that is said of them."""

import json

import pytest
from mds.v1.state_pb2 import State

from tests.importers.configurations import effective
from tests.importers.files import (
    SUPPLY,
    attribute,
    driver,
    facility,
    only_unit,
    problems,
    read,
    read_soundly,
    resources,
    template_of,
    unit,
)


def test_a_unit_of_the_newer_generation() -> None:
    stated = unit(
        "DAFNE/PL/QSK/QSKPL106",
        attribute(
            "current",
            default="",
            min="-50.0",
            max="0x5A",
            unit="A",
            inc="0.01",
            offset="5.0",
            convfact="1",
            wrn_thr="1.0",
            error_thr="10.0",
        ),
        cudk_desc="Bipolar",
        cudk_thr_sch_delay=1000000,
        cudk_load_param="",
        cudk_log_max_ms=60000,
        cudk_driver_description=[driver("PowerSimDD", '{"dev": 1.50}')],
        auto_load=True,
        auto_init="true",
        auto_start=1,
    )
    reading = read_soundly(facility(stated))
    found = only_unit(reading)
    assert found.template == "templates/driver::powersupply::SCPowerSupplyControlUnit"
    assert found.unit_server == "unit_servers/S"
    assert found.description == "Bipolar"
    assert found.desired_state == State.STATE_RUNNING
    used = effective(found, template_of(reading))
    assert used.attributes == {
        "current": {
            "minimum": "-50.0",
            "maximum": "0x5A",
            "unit": "A",
            "increment": "0.01",
            "offset": "5.0",
            "conversion_factor": "1",
            "warning_threshold": "1.0",
            "error_threshold": "10.0",
        }
    }
    assert used.drivers == [("PowerSimDD", "1.0.0", '{"dev": 1.50}', {})]
    assert used.parameters == {"schedule_delay": "1000000", "log_maximum": "60000"}
    assert template_of(reading).implementation == SUPPLY


def test_a_unit_of_the_older_generation() -> None:
    stated = {
        "unit_server_alias": "BTF/DAQ",
        "cu_id": "BTF/DAQ",
        "cu_type": "RTDaq",
        "cu_param": "senza veto",
        "storage_type": 2,
        "storage_ageing": 3600000,
        "default_schedule_delay": 1,
        "auto_load": True,
        "DriverDescription": [
            {
                "DriverDescriptionName": "Vme",
                "DriverDescriptionVersion": "2",
                "DriverDescriptionInitParam": "0x38380000",
            }
        ],
        "AttrDesc": [
            {
                "ds_attr_name": "address",
                "ds_min_range": "0x38380000",
                "ds_max_range": "0x38390000",
                "ds_default_value": "0x38380000",
            }
        ],
    }
    server = {"unit_server_alias": "BTF/DAQ", "private_key": None, "cu_desc": [stated]}
    reading = read_soundly({"us": [server]})
    found = only_unit(reading)
    assert (found.name, found.unit_server) == ("control_units/BTF/DAQ", "unit_servers/BTF/DAQ")
    assert found.desired_state == State.STATE_LOADED
    used = effective(found, template_of(reading, "RTDaq"))
    assert used.attributes["address"]["default_value"] == "0x38380000"
    assert used.drivers == [("Vme", "2", "0x38380000", {})]
    assert used.parameters == {
        "load_parameter": "senza veto",
        "storage_type": "2",
        "history_ageing": "3600000",
        "schedule_delay": "1",
    }
    assert not found.properties


@pytest.mark.parametrize(
    ("flags", "state", "kept"),
    [
        ({"auto_load": True, "auto_init": True, "auto_start": True}, "RUNNING", set()),
        ({"auto_load": True, "auto_init": True}, "INITIALIZED", set()),
        ({"auto_load": True, "auto_start": True}, "LOADED", {"auto_start"}),
        ({"auto_load": False, "auto_init": True}, "UNSPECIFIED", {"auto_init"}),
        ({}, "UNSPECIFIED", set()),
    ],
)
def test_the_three_flags_are_a_desired_state(
    flags: dict[str, bool], state: str, kept: set[str]
) -> None:
    found = only_unit(read_soundly(facility(unit("A", **flags))))
    assert State.Name(found.desired_state) == f"STATE_{state}"
    assert set(found.properties) == kept


def test_values_that_say_nothing_are_absent() -> None:
    stated = attribute("x", default="", min="NA", max="", unit="NA", inc="")
    reading = read_soundly(facility(unit("A", stated)))
    assert not only_unit(reading).overrides
    assert [each.name for each in template_of(reading).attributes] == ["x"]


def test_numbers_in_the_file_become_the_text_they_were() -> None:
    document = b"""{"us": {"S": {"cu_desc": [{"ndk_uid": "A", "cu_type": "C", "AttrDesc":
        [{"ds_attr_name": "x", "ds_default_value": 1.50, "ds_max_range": 1e3}]}]}}}"""
    from control_units.importers.chaos import read_chaos

    override = only_unit(read_chaos(document)).overrides[0]
    assert (override.default_value, override.maximum) == ("1.50", "1e3")


def test_what_has_no_place_is_kept_as_a_property_and_what_says_nothing_is_counted() -> None:
    stated = unit(
        "A",
        attribute("x", default="1", colour="red"),
        cudk_alrm_msk=[{"alarm": "a", "mask": 0}],
        cudk_prop=[],
        ndk_sub_type="nt_sc_cu",
        nothing=None,
    )
    reading = read_soundly(facility(stated))
    assert dict(only_unit(reading).properties) == {
        "attribute_value_descriptions": '{"x": {"cudk_ds_attr_colour": "red"}}',
        "cudk_alrm_msk": '[{"alarm": "a", "mask": 0}]',
        "ndk_sub_type": '"nt_sc_cu"',
    }
    assert reading.kept()["control_unit", "cudk_alrm_msk"] == 1
    assert reading.findings.empty == {"cudk_prop": 1, "nothing": 1}


def test_both_spellings_of_one_field_with_two_values_lose_neither() -> None:
    stated = attribute("x", err_thr="1", error_thr="2")
    found = only_unit(read_soundly(facility(unit("A", stated))))
    assert found.overrides[0].error_threshold == "1"
    assert "cudk_ds_attr_error_thr" in found.properties["attribute_value_descriptions"]


def test_drivers_of_one_name_keep_what_is_left_over_of_each() -> None:
    stated = [{**driver("Serial", name), "note": name} for name in ("COM1", "COM2")]
    found = only_unit(read_soundly(facility(unit("A", cudk_driver_description=stated))))
    assert [each.init_parameter for each in found.drivers] == ["COM1", "COM2"]
    left = json.loads(found.properties["cudk_driver_description"])
    assert left == {"Serial": {"note": "COM1"}, "Serial#2": {"note": "COM2"}}
    del stated[0]["note"]
    found = only_unit(read_soundly(facility(unit("A", cudk_driver_description=stated))))
    left = json.loads(found.properties["cudk_driver_description"])
    assert left == {"Serial#2": {"note": "COM2"}}


@pytest.mark.parametrize(
    ("written", "properties", "left"),
    [
        ('{"a": 1.50}', {"a": "1.50"}, False),
        ([{"name": "a", "value": "b"}], {"a": "b"}, False),
        ([{"name": "", "value": ""}], {}, False),
        ("[]", {}, False),
        ("no JSON", {}, True),
        ('{"a": "\\ud83d"}', {}, True),
        ([{"name": "a", "value": "b", "more": 1}], {}, True),
    ],
)
def test_properties_of_drivers_in_all_their_forms(
    *, written: object, properties: dict[str, str], left: bool
) -> None:
    stated = {**driver("D"), "cudk_driver_prop": written}
    found = only_unit(read_soundly(facility(unit("A", cudk_driver_description=[stated]))))
    assert dict(found.drivers[0].properties) == properties
    assert ("cudk_driver_description" in found.properties) == left


def test_containers_are_lists_or_objects_and_hold_nulls() -> None:
    inner = {"A/1": unit("A/1", None, attribute("x", default="1")), "A/2": None}
    wrapped = {"us_desc": {"ndk_uid": "S", "cu_desc": inner}, "ndk_uid": "S", "ndk_desc": "d"}
    reading = read_soundly({"us": {"S": wrapped, "T": None}, "eu": None, "agents": []})
    assert only_unit(reading).name == "control_units/A/1"
    assert resources(reading, "unit_server")["S"].description == "d"


def test_fields_inside_an_instance_description_count_as_the_units_own() -> None:
    stated = {
        "ndk_uid": "A",
        "cudk_desc": "outer",
        "instance_description": {
            "control_unit_implementation": "C",
            "cudk_desc": "inner",
            "auto_load": True,
            "odd": 1,
        },
    }
    found = only_unit(read_soundly(facility(stated)))
    assert (found.template, found.description) == ("templates/C", "inner")
    assert dict(found.properties) == {"cudk_desc": '"outer"', "odd": "1"}


def test_the_key_of_an_entry_is_its_id_and_another_uid_is_kept() -> None:
    reading = read_soundly({"us": {"S": {"cu_desc": {"A/1": unit("B/2")}}}})
    found = only_unit(reading)
    assert found.name == "control_units/A/1"
    assert found.properties["ndk_uid"] == '"B/2"'
    assert [note.place for note in reading.findings.notes] == ['us.S.cu_desc["A/1"].ndk_uid']


def test_an_attribute_said_twice_in_the_same_words_is_taken_once() -> None:
    reading = read_soundly(facility(unit("A", *[attribute("x", default="1")] * 2)))
    assert len(only_unit(reading).overrides) == 1
    assert reading.findings.repeated == {"attribute x": 1}


def test_an_attribute_said_twice_in_other_words_is_a_problem() -> None:
    reading = read(facility(unit("A", attribute("x", default="1"), attribute("x", default="2"))))
    (problem,) = reading.findings.problems
    assert problem.source == "us.S.cu_desc[0].attribute_value_descriptions[1]"
    assert "us.S.cu_desc[0].attribute_value_descriptions[0]" in problem.expected


def test_brackets_in_names_of_attributes_are_taken() -> None:
    reading = read_soundly(facility(unit("A", attribute("range_slit[mm]", default="1"))))
    assert only_unit(reading).overrides[0].attribute == "range_slit[mm]"


@pytest.mark.parametrize("name", ["", "a b", "tab\t", "x" * 256])
def test_an_attribute_without_a_usable_name_is_a_problem(name: str) -> None:
    assert problems(read(facility(unit("A", attribute(name)))))[0][1] == "INVALID_FIELD"
