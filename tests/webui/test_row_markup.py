"""Rows as markup, and their fields in a file."""

from dataclasses import replace
from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp

from webui.lists import cell
from webui.lists.cell import Cell
from webui.lists.kind import Column
from webui.lists.row_markup import RowMarkup
from webui.lists.table import Row, writer_of_times
from webui.rendering import environment

NOW = datetime(2026, 11, 22, 7, 41, 3, tzinfo=UTC)
HOSTILE = '"><script>alert(1)</script>'


ROW = Row("agents/A", "A", "/agents/A", "", ())


def drawn(row: Row, *, style: str = "", have_ticks: bool = False) -> str:
    """A row of columns that are all of one style."""
    column: Column[object] = Column(key="any", title="Any", cell=lambda _: cell.EMPTY, style=style)
    columns = [column] * len(row.cells)
    markup = RowMarkup(environment(), columns, have_ticks=have_ticks, written=writer_of_times(NOW))
    return markup([row])


def fields(*cells: Cell, style: str = "", has_left: bool = False) -> str:
    """What stands in the fields of a row."""
    text = drawn(replace(ROW, cells=cells, has_left=has_left), style=style)
    return text.partition(">")[2].removesuffix("</tr>\n")


def test_text_of_the_facility_is_never_markup() -> None:
    note = Cell(notes=(cell.Note(HOSTILE, HOSTILE),))
    text = fields(cell.text(HOSTILE), cell.name(f"agents/{HOSTILE}"), note)
    assert "<script" not in text
    assert text.count("&lt;script&gt;") == 4


def test_what_names_a_row_is_never_markup() -> None:
    row = Row(f"agents/{HOSTILE}", HOSTILE, f"/agents/{HOSTILE}", HOSTILE, ())
    text = drawn(row, have_ticks=True)
    assert "<script" not in text
    assert text.count("&lt;script&gt;") == 6


def test_a_row_is_found_by_its_name_and_ticked_by_its_id() -> None:
    row = replace(ROW, tone="bad", cells=(cell.text("first"),), has_left=True)
    assert drawn(row, have_ticks=True) == (
        '<tr id="row:agents/A" class="bad left" data-row="/agents/A" data-name="agents/A">'
        '<td class="tick"><input type="checkbox" name="id" value="A" form="ticked" data-tick'
        ' aria-label="Select A"></td>'
        "<td>first <small>no longer matches</small></td></tr>\n"
    )
    assert "checkbox" not in drawn(row)


def test_a_row_names_what_else_it_tells_of() -> None:
    row = replace(ROW, also=("unit_servers/A&B", "templates/C"))
    assert ' data-also="unit_servers/A&amp;B templates/C">' in drawn(row)


def test_cells_that_look_alike_are_told_apart() -> None:
    first, second = cell.name("unit_servers/A"), cell.name("agents/A")
    text = fields(first, second, first, style="id")
    assert text.count('<td class="id"><a class="id" href="/unit_servers/A">A</a></td>') == 2
    assert text.count('<td class="id"><a class="id" href="/agents/A">A</a></td>') == 1


def test_what_no_longer_passes_the_filter_says_so_once() -> None:
    text = fields(cell.text("first"), cell.text("second"), has_left=True)
    assert text == "<td>first <small>no longer matches</small></td><td>second</td>"


def test_a_time_is_of_today_on_the_page_and_whole_in_a_file() -> None:
    stamp = Timestamp()
    stamp.FromDatetime(NOW)
    since = cell.time(stamp)
    assert since.in_file == "2026-11-22T07:41:03.000Z"
    assert f">{NOW.astimezone():%H:%M:%S}</time>" in fields(since)
    assert cell.time(Timestamp()).in_file == ""
