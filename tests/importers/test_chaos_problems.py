"""All problems of a file, each with its place, what was read and what would be right."""

import pytest

from control_units.importers.chaos import read_chaos
from tests.importers.files import (
    attribute,
    facility,
    problems,
    read,
    read_soundly,
    resources,
    unit,
)

X = "us.S.cu_desc[0].attribute_value_descriptions[0]"


@pytest.mark.parametrize(
    ("fields", "place", "reason", "expected"),
    [
        ({"default": "1", "min": "5"}, "cudk_default_value", "OVERRIDE_OUT_OF_RANGE", "at least"),
        ({"default": "0x1F", "max": "30"}, "cudk_default_value", "OVERRIDE_OUT_OF_RANGE", "30"),
        ({"min": "2", "max": "-2"}, "cudk_ds_min_range", "INVALID_VALUE", "at most its maximum"),
        ({"max": "ten"}, "cudk_ds_max_range", "INVALID_VALUE", "a number"),
        ({"inc": "1,5"}, "cudk_ds_attr_inc", "INVALID_VALUE", "a number"),
    ],
)
def test_values_that_cannot_be(
    fields: dict[str, str], place: str, reason: str, expected: str
) -> None:
    reading = read(facility(unit("A", attribute("x", **fields)), unit("B")))
    (problem,) = reading.findings.problems
    assert (problem.source, problem.reason) == (f"{X}.{place}", reason)
    assert problem.name == "control_units/A"
    assert problem.value in fields.values()
    assert expected in problem.expected
    assert problem.field.startswith("overrides[0].")
    assert set(resources(reading, "control_unit")) == {"B"}


@pytest.mark.parametrize(
    "fields",
    [
        {"default": "false", "min": "false", "max": "true"},
        {"default": "GoldSnapshot", "min": "0", "max": "255"},
        {"default": ".5", "min": "-1E-3", "max": "0x5A"},
        {"default": "[1, 900]", "min": "0", "max": "5"},
        {"default": "0.30000000000000004", "max": "0.30000000000000004"},
    ],
)
def test_values_of_real_files_that_must_be_taken(fields: dict[str, str]) -> None:
    read_soundly(facility(unit("A", attribute("x", **fields))))


@pytest.mark.parametrize("uid", ["", "/A", "A/", "A//B", "A/../B", "A B", "é", "a" * 256])
def test_ids_that_break_the_rules(uid: str) -> None:
    reading = read(facility(unit(uid), unit("B")))
    assert problems(reading) == [("us.S.cu_desc[0].ndk_uid", "INVALID_ID")]
    assert set(resources(reading, "control_unit")) == {"B"}


def test_a_duplicate_uid_is_the_problem_of_the_second_and_names_the_first() -> None:
    servers = [
        {"ndk_uid": "S", "cu_desc": [unit("A"), unit("B")]},
        {"ndk_uid": "T", "cu_desc": [None, unit("A")]},
    ]
    reading = read({"us": servers})
    (problem,) = reading.findings.problems
    assert (problem.source, problem.reason) == ("us[1].cu_desc[1]", "ALREADY_EXISTS")
    assert "us[0].cu_desc[0]" in problem.expected
    assert problem.value == "A"
    assert resources(reading, "control_unit")["A"].unit_server == "unit_servers/S"


def test_units_under_a_server_that_stands_twice_go_with_the_first() -> None:
    servers = [{"ndk_uid": "S", "cu_desc": [unit("A")]}, {"ndk_uid": "S", "cu_desc": [unit("B")]}]
    reading = read({"us": servers})
    assert problems(reading) == [("us[1]", "ALREADY_EXISTS")]
    assert {u.unit_server for u in resources(reading, "control_unit").values()} == {
        "unit_servers/S"
    }
    assert len(resources(reading, "control_unit")) == 2


def test_units_go_with_a_server_that_cannot_be_taken_and_a_note_says_so() -> None:
    reading = read({"us": [{"ndk_uid": "no good", "cu_desc": [unit("A"), unit("B")]}]})
    assert problems(reading) == [("us[0].ndk_uid", "INVALID_ID")]
    assert not reading.items
    assert "2 control units" in reading.findings.notes[0].text


def test_a_unit_without_a_class_is_a_problem() -> None:
    reading = read(facility(unit("A", control_unit_implementation="")))
    (problem,) = reading.findings.problems
    assert problem.source == "us.S.cu_desc[0].control_unit_implementation"
    assert problem.field == "template"


def test_an_override_of_an_output_is_a_problem() -> None:
    catalogue = {
        "powersupply": {
            "PS": {
                "attrs": {"i": attribute("i", dir=1)},
                "info": {"impl": "::driver::powersupply::SCPowerSupplyControlUnit"},
            }
        }
    }
    units = (unit("A", attribute("i", max="1")), unit("B", attribute("v", dir="Output", max="1")))
    reading = read(facility(*units, variables={"cu_catalog": catalogue}))
    assert problems(reading) == [
        ("us.S.cu_desc[1].attribute_value_descriptions[0]", "OVERRIDE_OF_OUTPUT"),
        ("us.S.cu_desc[0].attribute_value_descriptions[0]", "OVERRIDE_OF_OUTPUT"),
    ]
    assert not resources(reading, "control_unit")


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"cudk_thr_sch_delay": "soon"}, "us.S.cu_desc[0].cudk_thr_sch_delay"),
        ({"cudk_thr_sch_delay": -1}, "us.S.cu_desc[0].cudk_thr_sch_delay"),
        ({"auto_load": "perhaps"}, "us.S.cu_desc[0].auto_load"),
        ({"attribute_value_descriptions": "x"}, "us.S.cu_desc[0].attribute_value_descriptions"),
        ({"attribute_value_descriptions": [1]}, X),
        (
            {"cudk_driver_description": [{}]},
            "us.S.cu_desc[0].cudk_driver_description[0].cudk_driver_description_name",
        ),
    ],
)
def test_fields_of_another_form_than_they_should_have(
    fields: dict[str, object], place: str
) -> None:
    assert [source for source, _ in problems(read(facility(unit("A", **fields))))] == [place]


def test_all_problems_are_told_at_once() -> None:
    wrong = [unit(f"A/{n}", attribute("x", default="9", max="1")) for n in range(50)]
    assert len(read(facility(*wrong, unit("A/0"))).findings.problems) == 50


def test_a_key_that_stands_twice_in_an_object_is_named_and_the_first_is_taken() -> None:
    data = b'{"us": {"S": {"cu_desc": []}, "S": {"ndk_desc": "second"}}}'
    reading = read_chaos(data)
    assert problems(reading) == [("us.S", "ALREADY_EXISTS")]
    assert not resources(reading, "unit_server")["S"].description


def test_a_file_that_is_no_json_names_line_and_column() -> None:
    reading = read_chaos(b'{"us": [\n  {"cu_desc": [}\n')
    (problem,) = reading.findings.problems
    assert problem.source == "line 2, column 16"
    assert not reading.items


@pytest.mark.parametrize("document", [[], {}, "x", 1, {"other": 1}, {"c": {"k": {"x": 1}}}])
def test_a_file_of_something_else_says_what_it_should_be(document: object) -> None:
    (problem,) = read(document).findings.problems
    assert problem.source == "the file"
    assert "us" in problem.expected


def test_what_only_a_server_sees_is_told_with_the_place_in_the_file() -> None:
    from mds.v1.bundle_pb2 import Problem

    stated = unit("A", attribute("b", max="1"), attribute("a", inc="-1"), cudk_thr_sch_delay=5)
    reading = read_soundly(facility(stated))
    source = "us.S.cu_desc[0]"
    fields = (
        "overrides[0].increment",
        "overrides[1].maximum",
        "parameters[schedule_delay]",
        "template",
        "zzz",
    )
    told = [Problem(source=source, field=field) for field in fields]
    assert [problem.source for problem in reading.located(told)] == [
        f"{source}.attribute_value_descriptions[1].cudk_ds_attr_inc",
        f"{source}.attribute_value_descriptions[0].cudk_ds_max_range",
        f"{source}.cudk_thr_sch_delay",
        f"{source}.control_unit_implementation",
        source,
    ]


@pytest.mark.parametrize(
    "data",
    [
        b'{"templates": [{"id": "T"}], "agents": [{"id": "a"}]}',
        b'{"control_units": []}',
        b"templates:\n- id: T\n",
    ],
)
def test_our_own_files_are_told_to_be_such(data: bytes) -> None:
    reading = read_chaos(data)
    (problem,) = reading.findings.problems
    assert "mds import facility" in problem.expected
    assert not reading.items


def test_broken_json_is_not_taken_for_our_own_format() -> None:
    (problem,) = read_chaos(b'{"us": [').findings.problems
    assert "mds import facility" not in problem.message
