"""The fields of a row, as markup and in a file."""

from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp

from webui.lists import cell
from webui.lists.cell import Cell
from webui.lists.cell_markup import CellMarkup
from webui.lists.kind import Column
from webui.lists.table import Row, writer_of_times
from webui.rendering import environment

NOW = datetime(2026, 11, 22, 7, 41, 3, tzinfo=UTC)
HOSTILE = '"><script>alert(1)</script>'


def drawn(*cells: Cell, style: str = "", has_left: bool = False) -> str:
    column: Column[object] = Column(key="any", title="Any", cell=lambda _: cell.EMPTY, style=style)
    fields = tuple((column, each) for each in cells)
    cells_of = CellMarkup(environment(), writer_of_times(NOW))
    return cells_of(Row("agents/A", "A", "/agents/A", "", fields, has_left=has_left))


def test_text_of_the_facility_is_never_markup() -> None:
    note = Cell(notes=(cell.Note(HOSTILE, HOSTILE),))
    text = drawn(cell.text(HOSTILE), cell.name(f"agents/{HOSTILE}"), note)
    assert "<script" not in text
    assert text.count("&lt;script&gt;") == 4


def test_cells_that_look_alike_are_told_apart() -> None:
    first, second = cell.name("unit_servers/A"), cell.name("agents/A")
    text = drawn(first, second, first, style="id")
    assert text.count('<td class="id"><a class="id" href="/unit_servers/A">A</a></td>') == 2
    assert text.count('<td class="id"><a class="id" href="/agents/A">A</a></td>') == 1


def test_what_no_longer_passes_the_filter_says_so_once() -> None:
    text = drawn(cell.text("first"), cell.text("second"), has_left=True)
    assert text == "<td>first <small>no longer matches</small></td><td>second</td>"


def test_a_time_is_of_today_on_the_page_and_whole_in_a_file() -> None:
    stamp = Timestamp()
    stamp.FromDatetime(NOW)
    since = cell.time(stamp)
    assert since.in_file == "2026-11-22T07:41:03.000Z"
    assert f">{NOW.astimezone():%H:%M:%S}</time>" in drawn(since)
    assert cell.time(Timestamp()).in_file == ""
