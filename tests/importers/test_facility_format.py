"""Our own format: what is written is read back as it was, byte by byte and field by field."""

import json
from typing import Any

import pytest
import yaml
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from hypothesis import given
from hypothesis import strategies as st
from mds.v1.bundle_pb2 import BundleItem
from mds.v1.control_unit_pb2 import ControlUnit
from mds.v1.dataset_pb2 import AttributeOverride
from mds.v1.script_pb2 import Script
from mds.v1.state_pb2 import State

from control_units.importers.facility import read_facility, write_facility
from control_units.importers.facility.shape import (
    KINDS,
    REFERENCES,
    SET_BY_SERVER,
    TIMESTAMP,
    is_map,
)
from tests.importers.files import problems

NASTY = [
    "", " ", "  x", "x ", "\n", "\n\n", "a\n", "a\nb", "a\n\n\nb\n\n", "\n a\n", "  a\n b\n", "a\n  \nb",
    "\ta\n\tb\n", "a \nb\n", "a\r\nb\r", "1e3", "0x5A", "1.50", "-0", "+1", ".5", "1_000", "0o7", "1:30",
    "yes", "No", "on", "y", "null", "Null", "~", "true", "TRUE", ".nan", ".inf", "-.INF", "2024-05-31",
    "=", "<<", "*a", "&a", "!a", "|", ">", "%", "@", "`", "- a", "-", "? a", "a: b", "a:", ":a", "a #b",
    "#a", "{a}", "[a]", "a, b", "'", '"', "it's", '"a" \'b\'', "\\", "\\n", "è", "日本", "😀", "\u00a0",
    "\x00", "\x07", "\x1b", "\x7f", "\x85", "\u2028", "\u2029", "\ufeff", "\ufffe", "\uffff", "---", "...",
    "--- a\n...\n", "driver::A", "A/B/C", "x" * 300, ("long words " * 40).strip(),
]  # fmt: skip
TEXTS = st.one_of(
    st.sampled_from(NASTY), st.text(max_size=30), st.lists(st.sampled_from(NASTY)).map("".join)
)
WORDS = st.from_regex(r"[A-Za-z0-9_.:+-]{1,12}", fullmatch=True).filter(
    lambda w: w not in {".", ".."}
)
IDS = st.lists(WORDS, min_size=1, max_size=4).map("/".join)
WHOLE = {
    FieldDescriptor.TYPE_INT32: st.integers(-(2**31), 2**31 - 1),
    FieldDescriptor.TYPE_INT64: st.integers(-(2**63), 2**63 - 1),
    FieldDescriptor.TYPE_UINT32: st.integers(0, 2**32 - 1),
}


@st.composite
def items(draw: st.DrawFn) -> BundleItem:
    """Any resource of any kind, each of its fields drawn by its type."""
    kind = draw(st.sampled_from(sorted(KINDS)))
    item = BundleItem()
    resource: Message = getattr(item, KINDS[kind])
    fill(draw, resource, without=SET_BY_SERVER | {"name"})
    resource.name = f"{kind}/{draw(IDS)}"  # type: ignore[attr-defined]
    return item


def fill(draw: st.DrawFn, message: Message, *, without: frozenset[str] = frozenset()) -> None:
    field: Any
    for field in message.DESCRIPTOR.fields:
        if field.name in without or draw(st.booleans()):
            continue
        if is_map(field):
            getattr(message, field.name).update(draw(st.dictionaries(TEXTS, TEXTS, max_size=3)))
        elif field.message_type is not None and field.message_type.full_name == TIMESTAMP:
            getattr(message, field.name).FromNanoseconds(draw(st.integers(1, 2**62)))
        elif field.message_type is not None and field.is_repeated:
            for _ in range(draw(st.integers(0, 2))):
                fill(draw, getattr(message, field.name).add())
        elif field.message_type is not None:
            getattr(message, field.name).SetInParent()
            fill(draw, getattr(message, field.name))
        elif field.is_repeated:
            getattr(message, field.name).extend(draw(st.lists(values(field), max_size=3)))
        else:
            setattr(message, field.name, draw(values(field)))


def values(field: FieldDescriptor) -> st.SearchStrategy[object]:
    if field.enum_type is not None:
        return st.sampled_from([value.number for value in field.enum_type.values])
    if field.full_name in REFERENCES:
        return IDS.map(lambda text: f"{REFERENCES[field.full_name]}/{text}")
    if field.type == FieldDescriptor.TYPE_BOOL:
        return st.booleans()
    return TEXTS if field.type == FieldDescriptor.TYPE_STRING else WHOLE[field.type]


@pytest.mark.parametrize("format", ["yaml", "json"])
@given(items())
def test_any_resource_is_read_back_as_it_was_written(format: str, item: BundleItem) -> None:
    text = write_facility([item], format)
    reading = read_facility(text.encode())
    assert not reading.findings.problems
    (again,) = reading.items
    again.source = ""
    assert again == item
    assert write_facility([again], format) == text


@pytest.mark.parametrize("text", NASTY)
def test_any_text_in_any_place_is_read_back(text: str) -> None:
    script = Script(name="scripts/s", content=text, description=text, properties={text: text})
    item = BundleItem(script=script)
    written = write_facility([item, item], "yaml")
    assert yaml.safe_load(written)["scripts"][0].get("content", "") == text
    (first, *_) = read_facility(written.encode()).items
    assert first.script == script


def test_the_format_is_what_people_expect_to_see() -> None:
    unit = ControlUnit(
        name="control_units/DAFNE/PL/QSKPL106",
        etag="5",
        revision=7,
        generation=3,
        zone="DAFNE",
        template="templates/driver::A",
        unit_server="unit_servers/S",
        desired_state=State.STATE_RUNNING,
        overrides=[AttributeOverride(attribute="current", minimum="-50.0", maximum="", unit="A")],
        labels={"b": "2", "a": "yes"},
    )
    script = Script(name="scripts/f.C", content="int a;\n\n  return a;\n", keep_alive=True)
    assert write_facility([BundleItem(control_unit=unit), BundleItem(script=script)], "yaml") == (
        "scripts:\n"
        "- id: f.C\n"
        "  content: |\n"
        "    int a;\n"
        "\n"
        "      return a;\n"
        "  keep_alive: true\n"
        "control_units:\n"
        "- id: DAFNE/PL/QSKPL106\n"
        "  template: driver::A\n"
        "  unit_server: S\n"
        "  desired_state: RUNNING\n"
        "  overrides:\n"
        "  - attribute: current\n"
        "    unit: A\n"
        "    minimum: '-50.0'\n"
        "    maximum: ''\n"
        "  labels:\n"
        "    a: 'yes'\n"
        "    b: '2'\n"
    )


def test_numbers_that_people_write_without_quotes_keep_their_text() -> None:
    text = b"""
control_units:
- {id: A, template: T, overrides: [{attribute: x, minimum: 1.50, maximum: 0x5A, increment: 1e3,
   unit: yes, default_value: true, offset: ~, error_threshold: 1_0}]}
"""
    reading = read_facility(text)
    assert not reading.findings.problems
    (override,) = reading.items[0].control_unit.overrides
    told = {field.name: value for field, value in override.ListFields()}
    assert told == {
        "attribute": "x",
        "minimum": "1.50",
        "maximum": "0x5A",
        "increment": "1e3",
        "unit": "yes",
        "default_value": "true",
        "error_threshold": "1_0",
    }


WRONG = """
templates:
- id: T
  attributes:
  - name: x
    direction: INWARDS
    shape: [1, -1, x]
  labels: [a]
unit_servers:
- id: S
  launch: {auto_start: maybe}
- id: S
- S
control_unit:
- id: A
control_units:
- id: 'no good'
  overides: []
  etag: '5'
  overrides:
  - {attribute: x, minimum: [1], maximium: 2}
snapshots:
- {id: s, taken_time: yesterday, units: {}}
- {taken_time: 2024-05-31T12:00:00Z}
scripts: {}
"""


def test_everything_wrong_is_named_with_its_place_and_a_suggestion() -> None:
    reading = read_facility(WRONG.encode())
    told = {problem.source: problem for problem in reading.findings.problems}
    assert list(told) == [
        "templates[0].attributes[0].direction",
        "templates[0].attributes[0].shape[1]",
        "templates[0].attributes[0].shape[2]",
        "templates[0].labels",
        "unit_servers[0].launch.auto_start",
        "unit_servers[2]",
        "control_unit",
        "control_units[0].id",
        "control_units[0].overides",
        "control_units[0].etag",
        "control_units[0].overrides[0].minimum",
        "control_units[0].overrides[0].maximium",
        "snapshots[0].taken_time",
        "snapshots[0].units",
        "snapshots[1]",
        "scripts",
    ]
    assert "'overrides'" in told["control_units[0].overides"].expected
    assert "'maximum'" in told["control_units[0].overrides[0].maximium"].expected
    assert "'control_units'" in told["control_unit"].expected
    assert "BIDIRECTIONAL" in told["templates[0].attributes[0].direction"].expected
    assert [item.source for item in reading.items] == ["unit_servers[1]"]


def test_an_id_that_stands_twice_names_the_first_and_versions_of_a_template_do_not() -> None:
    text = b"templates: [{id: T, version: 1}, {id: T, version: 2}, {id: T, version: 1}]"
    reading = read_facility(text)
    assert problems(reading) == [("templates[2]", "ALREADY_EXISTS")]
    assert "templates[0]" in reading.findings.problems[0].expected
    assert len(reading.items) == 2


@pytest.mark.parametrize(
    ("data", "place"),
    [
        (b"scripts:\n- id: a\n bad", "line 3, column 2"),
        (b"scripts:\n- [\x00]", "line 2, column 4"),
        (b"a: &x [1]\nb: *x\n", "line 1, column 4"),
        (b"? [a]\n: b\n", "line 1, column 3"),
        (b"{'scripts': [1, }", "line 1, column 2"),
        (b"\xff", "line 1, column 1"),
        (b"just text", "the file"),
        (b"us: {}", "us"),
        (b"id: T\nversion: 1\nimplementation: C\n", "id"),
        (b"scripts: [{id: a, id: b}]", "scripts[0].id"),
    ],
)
def test_files_that_are_something_else(data: bytes, place: str) -> None:
    reading = read_facility(data)
    assert [problem.source for problem in reading.findings.problems] == [place]


def test_a_chaos_file_is_told_to_be_one() -> None:
    (problem,) = read_facility(b'{"us": {}}').findings.problems
    assert "mds import chaos" in problem.expected


def test_of_a_chaos_file_nothing_else_is_said() -> None:
    (problem,) = read_facility(b'{"agents": {"a": {}}, "us": [], "x": 1}').findings.problems
    assert "mds import chaos" in problem.expected


def test_an_empty_facility_is_an_empty_document() -> None:
    for format in ("yaml", "json"):
        assert write_facility([], format) == "{}\n"
        reading = read_facility(b"{}\n")
        assert not reading.findings.problems
    assert json.loads(write_facility([], "json")) == {}
