"""Tables of control units: as spreadsheets write them, laid over the units that are there."""

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mds.v1.control_unit_pb2 import ControlUnit
from mds.v1.dataset_pb2 import AttributeOverride
from mds.v1.state_pb2 import STATE_RUNNING, STATE_UNSPECIFIED

from control_units.importers.any_file import is_table, read_any
from control_units.importers.tables import Sheet, merged, read_table, table_writer
from control_units.importers.tables.cells import written
from control_units.importers.tables.columns import PLAIN, READ_ONLY, head_of, meaning_of

TOLD = """[{"name": "control_units/A/B", "etag": "3", "status": {"state": "STATE_RUNNING"},
  "overrides": [{"attribute": "current", "defaultValue": "5"}]}]"""


def magnet(id: str = "RING/MAG/Q1") -> ControlUnit:
    return ControlUnit(
        name=f"control_units/{id}",
        template="templates/Magnet",
        template_version=2,
        unit_server="unit_servers/S",
        desired_state=STATE_RUNNING,
        level=3,
        requires=["control_units/RING/VAC/"],
        overrides=[AttributeOverride(attribute="current", default_value="1.50", maximum="60")],
        parameters={"ramp": "5"},
        labels={"rack": "A4", "spare": ""},
    )


def sheet_of(text: str) -> Sheet:
    (sheet,) = read_any("", text.encode()).sheets
    return sheet


def over(text: str, *units: ControlUnit) -> list[ControlUnit]:
    """What a table without problems makes of units."""
    reading = merged(sheet_of(text), {unit.name: unit for unit in units})
    assert not reading.findings.problems
    return [item.control_unit for item in reading.items]


def problems(text: str) -> list[tuple[str, str]]:
    """Place and value of each, with nothing there."""
    found = merged(sheet_of(text), {}).findings.problems
    return [(each.source, each.value) for each in found]


def table_of(*units: ControlUnit) -> str:
    with table_writer() as writer:
        for unit in units:
            writer.add(unit)
        return "".join(writer.lines())


def test_a_row_changes_what_it_says_and_keeps_what_it_leaves_empty() -> None:
    (unit,) = over(
        "id,current,current.maximum,label:rack,parameter:ramp,description\n"
        "RING/MAG/Q1,7.25,,B1,(clear),first quadrupole\n",
        magnet(),
    )
    wanted = magnet()
    wanted.overrides[0].default_value = "7.25"
    wanted.labels["rack"] = "B1"
    del wanted.parameters["ramp"]
    wanted.description = "first quadrupole"
    assert unit == wanted


def test_cleared_cells_take_away_what_a_unit_says_for_itself() -> None:
    (unit,) = over(
        "id;current;current.maximum;desired_state;unit_server;level;requires;labels\n"
        "RING/MAG/Q1;(clear);(CLEAR);(clear);(clear);(clear);(clear);(clear)\n",
        magnet(),
    )
    assert not unit.overrides
    assert unit.desired_state == STATE_UNSPECIFIED
    assert (unit.unit_server, unit.level, list(unit.requires)) == ("", 0, [])
    assert not unit.labels


def test_a_new_unit_needs_a_template_and_a_new_template_its_own_version() -> None:
    text = "id,template,current\nRING/MAG/Q1,Coil,5\nRING/MAG/Q2,,5\n"
    reading = merged(sheet_of(text), {magnet().name: magnet()})
    assert [item.control_unit.template_version for item in reading.items] == [0]
    (problem,) = reading.findings.problems
    assert problem.source == "row 3, column template"


@pytest.mark.parametrize(
    "text",
    [
        "\ufeffid,current\r\nA/B,5\r\n",
        "sep=;\r\nid;current\r\nA/B;5\r\n",
        "id\tcurrent\nA/B\t5\n",
        '"id","current"\n\n  ,\n"A/B"," 5 "\n',
        "ID;Current unit;current\nA/B;;5\n".replace("Current unit", "Unit server"),
        '[{"id": "A/B", "current": 5, "level": null}]',
        "- id: A/B\n  current: 5\n",
        TOLD,
    ],
    ids=["bom", "sep", "tabs", "quotes", "heads", "json", "yaml", "told"],
)
def test_what_programs_write_is_read_alike(text: str) -> None:
    (row,) = sheet_of(text).rows
    assert row.id == "A/B"
    assert row.fields == {"overrides[current].default_value": "5"}


def test_utf_16_of_a_spreadsheet_is_text_and_a_workbook_is_not() -> None:
    (sheet,) = read_any("", "id\tcurrent\r\nA/B\t5\r\n".encode("utf-16")).sheets
    assert [row.id for row in sheet.rows] == ["A/B"]
    (sheet,) = read_any("units.xlsx", b"PK\x03\x04\0\0").sheets
    assert "saved as CSV" in sheet.findings.problems[0].expected
    (problem,) = (
        read_any("", "id,description\nA,Säule\n".encode("latin-1")).over({}).findings.problems
    )
    assert problem.expected == "a file in UTF-8"


def test_all_problems_are_told_by_row_and_column() -> None:
    text = (
        "id,descripton,level,current,current\n"
        '"two\nlines",x,deep,5,6\n'
        ",,1,5,\n"
        "A,,,,,beyond\n"
        "A,,,,\n"
    )
    assert problems(text) == [
        ("row 1, column descripton", "descripton"),
        ("row 1, column current", "current"),
        ("row 2, column id", "two\nlines"),
        ("row 2, column level", "deep"),
        ("row 3", ""),
        ("row 4", "beyond"),
        ("row 5", "A"),
    ]
    sheet = sheet_of(text)
    assert sheet.cells["row 3"].line == 4, "the row before has two lines"
    assert "perhaps 'description'" in sheet.findings.problems[0].expected


def test_what_a_server_says_of_a_field_is_said_of_its_cell() -> None:
    sheet = read_table(b"id,current.maximum\nRING/MAG/Q1,70\n", "site/magnets.csv")
    reading = merged(sheet, {magnet().name: magnet()})
    (item,) = reading.items
    place = reading.locate(item, "overrides[0].maximum")
    assert place == "site/magnets.csv:2 row 2, column current.maximum"
    assert sheet.cells[place].head == "current.maximum"
    # The value stands in no column: what is said of it is about the maximum that was put beside it.
    assert reading.locate(item, "overrides[0].default_value") == place
    assert reading.locate(item, "parameters[ramp]").endswith("column parameters[ramp]")


def test_a_spreadsheet_may_write_the_same_value_in_its_own_way() -> None:
    before = magnet()
    before.overrides.add(attribute="mask", default_value="0x5A")
    before.overrides.add(attribute="stby", default_value="true")
    text = "id,current,stby,mask,version,desired\nRING/MAG/Q1,1.5,TRUE,90,2.0,running\n"
    assert over(text, before) == [before]
    (exact,) = over("id,current\nRING/MAG/Q1,'1.5\n", before)
    assert exact.overrides[0].default_value == "1.5"


def test_a_list_that_was_taken_as_a_file_is_taken_back() -> None:
    heads = "verdict,id,state,since,template,labels,desired,version,overrides,changed"
    text = f'{heads}\nbad,RING/MAG/Q1,fatal error,,Magnet,"rack=A4, spare",running,2,2,\n'
    assert over(text, magnet()) == [magnet()]
    assert "verdict" in sheet_of(text).ignored


def test_a_table_that_was_written_changes_nothing_and_makes_the_units_anew() -> None:
    units = [magnet("RING/MAG/Q1"), ControlUnit(name="control_units/X", template="templates/T")]
    units[1].overrides.add(attribute="slit[mm]", default_value="", minimum="-5")
    units[1].overrides.add(attribute="state", default_value="=1+1", unit=" A ")
    units[1].labels["note"] = "(clear)"
    text = table_of(*units)
    assert "attribute:state" in text
    assert ",'=1+1," in text
    assert over(text, *units) == units
    assert over(text) == units


NAMES = st.text("abcdefgxyz.:[]_-+0129", min_size=1, max_size=6) | st.sampled_from(
    [*PLAIN, *sorted(READ_ONLY), "maximum", "a.maximum", "label:x", "id"]
)
VALUES = st.text(max_size=8) | st.sampled_from(
    ["(clear)", "'", "'x", "=1", "-1", " a", "\r\n", "a\rb"]
)


@settings(max_examples=50, deadline=None)
@given(st.dictionaries(NAMES, VALUES.filter(lambda v: "\0" not in v), max_size=4))
def test_any_unit_survives_a_table(texts: dict[str, str]) -> None:
    unit = ControlUnit(name="control_units/A", template="templates/T", labels=texts)
    for name in sorted(texts):
        unit.overrides.add(attribute=name, default_value=texts[name], unit=texts[name])
    assert over(table_of(unit)) == [unit]
    for name in texts:
        path = f"overrides[{name}].default_value"
        assert meaning_of(head_of(path)).path == path


@settings(max_examples=60, deadline=None)
@given(
    st.text(max_size=120)
    | st.lists(st.lists(st.text("id,;\t\"\n\r'x1.=[:", max_size=5), max_size=4), max_size=5).map(
        lambda rows: "id,current\n" + "\n".join(map(",".join, rows))
    )
    | st.binary(max_size=60).map(lambda data: data.decode("latin-1"))
)
def test_any_text_is_rows_or_named_problems(text: str) -> None:
    reading = read_any("", text.encode()).over({})
    for problem in reading.findings.problems:
        assert problem.source
        assert problem.expected
        assert problem.message
    assert all(item.source for item in reading.items)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text(max_size=8).filter(lambda v: "\0" not in v), min_size=1, max_size=4))
def test_a_written_cell_says_just_its_text(texts: list[str]) -> None:
    line = io.StringIO()
    csv.writer(line).writerow(["A", *map(written, texts)])
    heads = ",".join(f"a{index}" for index in range(len(texts)))
    (row,) = read_table(f"id,{heads}\n{line.getvalue()}".encode()).rows
    assert list(row.fields.values()) == texts


def test_kinds_of_files_are_told_by_what_they_hold() -> None:
    assert not is_table("units.csv", b'[{"id": "A"}]')
    assert not is_table("", b"control_units:\n- id: A\n")
    assert not is_table("", b"- id: A\n")
    assert is_table("", b"id,template\nA,B\n")
    assert is_table("", b"label:rack;id\nA,B\n")
    ours = read_any("", b"control_units:\n- {id: A, template: T}\n").reading
    theirs = read_any("site.json", b'{"us": {"S": {"ndk_uid": "S", "cu_desc": []}}}').reading
    assert [item.control_unit.name for item in ours.items] == ["control_units/A"]
    assert [item.unit_server.name for item in theirs.items] == ["unit_servers/S"]
