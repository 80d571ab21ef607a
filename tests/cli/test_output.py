"""Tables that fit, and the formats of lists."""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass

import click
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from control_units.cli.output.tables import GAP, cells, cut, fitted, table_lines
from control_units.cli.output.writing import Shape, write_all, write_one


@dataclass(frozen=True, slots=True)
class Thing:
    name: str
    text: str


SHAPE: Shape[Thing] = Shape(
    ("id", "text", "size"),
    lambda each: (each.name.partition("/")[2], each.text, str(len(each.text))),
    wide=("size",),
    elastic=("text",),
    plain=lambda each: {"name": each.name, "text": each.text},
)
THINGS = [Thing("things/A/1", 'says "hm", twice'), Thing("things/A/2", "größer\nals")]


@given(
    st.lists(st.tuples(st.integers(1, 60), st.booleans()), min_size=1, max_size=9),
    st.integers(1, 200),
)
def test_a_table_is_no_wider_than_its_terminal_unless_its_key_is(
    natural: list[tuple[int, bool]], width: int
) -> None:
    widths = fitted([size for size, _ in natural], [gives for _, gives in natural], width)
    shown = [each for each in widths if each]
    assert widths[0] == natural[0][0]
    assert sum(shown) + len(GAP) * (len(shown) - 1) <= max(width, natural[0][0])


@given(text=st.text(max_size=40), width=st.integers(2, 30), at_end=st.booleans())
def test_what_is_cut_fits_also_where_letters_are_wide(
    *, text: str, width: int, at_end: bool
) -> None:
    assert cells(cut(text, width, at_end=at_end)) <= max(width, 1)


def test_an_id_gives_way_in_its_middle_and_a_sentence_at_its_end() -> None:
    rows = [("A/B/1", "templates/driver::SCPowerSupply", "the interlock of the cabinet is open")]
    (line,) = table_lines(
        ("id", "template", "message"), rows, 40, elastic=("message",), has_headers=False
    )
    key, template, message = line.split(GAP)
    assert key == "A/B/1"
    assert template.startswith("templat")
    assert template.endswith("owerSupply")
    assert "…" in template
    assert message.startswith("the in")
    assert message.endswith("…")


def test_states_have_colours_that_take_no_room() -> None:
    (line,) = table_lines(("id", "state"), [("A", "RUNNING")], 80, has_headers=False)
    assert line == "A " + GAP + click.style("RUNNING", fg="green")


def test_what_would_move_a_cursor_is_not_written() -> None:
    (line,) = table_lines(("id",), [("A\x1b[2J\nB",)], 80, has_headers=False)
    assert line == "A [2J B"


@pytest.mark.parametrize("format", ["json", "ndjson", "yaml", "csv", "name", "table", "wide"])
def test_each_format_tells_the_same_things(format: str, capsys: pytest.CaptureFixture[str]) -> None:
    write_all(THINGS, SHAPE, format)
    text = capsys.readouterr().out
    plain = [SHAPE.plain(each) for each in THINGS]
    if format == "json":
        assert json.loads(text) == plain
    elif format == "ndjson":
        assert [json.loads(line) for line in text.splitlines()] == plain
    elif format == "yaml":
        assert yaml.safe_load(text) == plain
    elif format == "csv":
        assert list(csv.reader(io.StringIO(text))) == [
            ["id", "text", "size"], ["A/1", 'says "hm", twice', "16"], ["A/2", "größer\nals", "10"],
        ]  # fmt: skip
    elif format == "name":
        assert text.splitlines() == ["things/A/1", "things/A/2"]
    else:
        headers = "id\ttext" + ("\tsize" if format == "wide" else "")
        assert text.splitlines()[0] == headers
        assert len(text.splitlines()) == 3


@pytest.mark.parametrize(("format", "empty"), [("json", "[]\n"), ("yaml", "[]\n"), ("csv", "")])
def test_nothing_is_something_that_programs_can_read(
    format: str, empty: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write_all([], SHAPE, format, has_headers=False)
    assert capsys.readouterr().out == empty


def test_one_thing_is_an_object(capsys: pytest.CaptureFixture[str]) -> None:
    write_one(THINGS[0], SHAPE, "json")
    assert json.loads(capsys.readouterr().out) == SHAPE.plain(THINGS[0])


@pytest.mark.parametrize("format", ["csv", "ndjson", "json", "name", "table"])
def test_a_thing_is_written_before_the_next_is_read(
    format: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def things() -> Iterator[Thing]:
        yield THINGS[0]
        yield THINGS[1]
        assert "A/1" in capsys.readouterr().out

    write_all(things(), SHAPE, format)
    capsys.readouterr()
