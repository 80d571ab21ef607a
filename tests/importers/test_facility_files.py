"""Several files as one bundle: where things stand in them, what they say beside resources."""

import pytest
from mds.v1.kind_pb2 import Kind

from control_units.importers.facility import read_files
from tests.importers.files import problems

UNITS = b"""\
scope:
- kinds: [control_units]
  prefix: DAFNE/PL/
control_units:
- id: DAFNE/PL/A
  template: T
- id: DAFNE/PL/B
  template: T
  overrides:
  - attribute: current
    maximum: '60'
"""


def test_files_make_one_bundle_whose_places_name_file_and_line() -> None:
    reading = read_files([("a.yaml", UNITS), ("b.json", b'{"templates": [{"id": "T"}]}')])
    assert not reading.findings.problems
    assert [item.source for item in reading.items] == [
        "a.yaml:5 control_units[0]",
        "a.yaml:7 control_units[1]",
        "b.json templates[0]",
    ]
    place = reading.locate(reading.items[1], "overrides[0].maximum")
    assert place == "a.yaml:11 control_units[1].overrides[0].maximum"
    # What is missing stands nowhere: the line is that of what it is missing in.
    missing = reading.locate(reading.items[1], "overrides[0].minimum")
    assert missing == "a.yaml:10 control_units[1].overrides[0].minimum"


def test_documents_of_one_file_are_read_one_after_the_other() -> None:
    reading = read_files([("a.yaml", b"scripts:\n- id: a\n---\nscripts:\n- id: b\n- id: a\n")])
    assert [item.source for item in reading.items] == ["a.yaml:2 scripts[0]", "a.yaml:5 scripts[0]"]
    (problem,) = reading.findings.problems
    assert (problem.source, problem.name) == ("a.yaml:6 scripts[1]", "scripts/a")
    assert "a.yaml:2" in problem.expected


def test_documents_without_a_name_are_told_by_number() -> None:
    reading = read_files([("", b"scripts: [{id: a}]\n---\nscripts: [{id: b}]\n")])
    assert [item.source for item in reading.items] == ["scripts[0]", "document 2 scripts[0]"]


def test_a_problem_of_a_field_has_its_own_line() -> None:
    wrong = b"control_units:\n- id: A\n  template: T\n  overides: []\n"
    (problem,) = read_files([("a.yaml", wrong)]).findings.problems
    assert problem.source == "a.yaml:4 control_units[0].overides"
    assert problem.message.startswith("a.yaml:4 control_units[0].overides is no field")


def test_a_file_that_cannot_be_read_is_named_and_the_others_are_read() -> None:
    reading = read_files(
        [("a.yaml", b"scripts:\n- id: a\n bad"), ("b.yaml", b"scripts: [{id: b}]")]
    )
    (problem,) = reading.findings.problems
    assert problem.source == "a.yaml:3 column 2"
    assert [item.script.name for item in reading.items] == ["scripts/b"]


def test_scopes_say_what_a_file_names_in_full() -> None:
    (scope,) = read_files([("a.yaml", UNITS)]).scopes
    assert (list(scope.kinds), scope.id_prefix) == ([Kind.KIND_CONTROL_UNIT], "DAFNE/PL/")
    (all_kinds,) = read_files([("a.yaml", b"scope: [{prefix: X}]")]).scopes
    assert (list(all_kinds.kinds), all_kinds.id_prefix) == ([], "X")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (b"scope: DAFNE", "scope"),
        (b"scope: [{}]", "scope[0]"),
        (b"scope: [{prefix: [a]}]", "scope[0].prefix"),
        (b"scope: [{prefixes: a}]", "scope[0].prefixes"),
        (b"scope: [{kinds: control_units}]", "scope[0].kinds"),
        (b"scope: [{kinds: [units]}]", "scope[0].kinds"),
        (b"remove: [DAFNE/PL/A]", "remove[0]"),
        (b"remove: [5]", "remove[0]"),
        (b"remove: ['scripts/no good']", "remove[0]"),
        (b"remove: scripts/a", "remove"),
    ],
)
def test_a_scope_or_removal_that_is_wrong_removes_nothing(text: bytes, place: str) -> None:
    reading = read_files([("", text)])
    assert [source for source, _ in problems(reading)] == [place]
    assert not reading.scopes
    assert not reading.items


def test_what_shall_be_gone_is_an_item_of_the_bundle() -> None:
    (item,) = read_files([("a.yaml", b"remove:\n- control_units/DAFNE/PL/A\n")]).items
    assert item.removed == "control_units/DAFNE/PL/A"
    assert item.source == "a.yaml:1 remove[0]"
