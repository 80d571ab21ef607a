"""Rows as markup. A page has thousands of cells and few different ones: each is drawn once.

A row is put together here and not by a template, which would look up and escape each piece of it
anew and hand it on through every template around it: of a page of 500 rows, that was half of the
time.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp
from jinja2 import Environment
from markupsafe import Markup, escape

from webui.clock import Moment
from webui.lists.cell import Cell
from webui.lists.kind import Column
from webui.lists.table import Row
from webui.translation import _


class RowMarkup:
    """The rows of one page.

    Args:
        have_ticks: each can be ticked.
        written: writes times as people read them now.
    """

    def __init__(
        self,
        environment: Environment,
        columns: Sequence[Column[Any]],
        *,
        have_ticks: bool,
        written: Callable[[Timestamp], Moment],
    ) -> None:
        self._macro = vars(environment.get_template("lists/cells.html").module)["cell_of"]
        self._written = written
        self._begins = [f"<td{_class(column)}>" for column in columns]
        self._have_ticks = have_ticks
        left = _("no longer matches")  # catalogues collect nothing from within a text
        self._left = f" <small>{escape(left)}</small>"
        before, _id, after = (_("Select %(id)s") % {"id": "\n"}).partition("\n")
        self._select = escape(before), escape(after)
        self._drawn: dict[object, str] = {}

    def __call__(self, rows: Iterable[Row]) -> Markup:
        """Rows below each other; in the first cell of one that no longer passes the filter it says
        so."""
        return Markup("".join(map(self._row, rows)))  # noqa: S704 - what is not ours is escaped below

    def _row(self, row: Row) -> str:
        name, page = escape(row.name), escape(row.page)
        left = "left" if row.has_left else ""
        classes = f"{escape(row.tone)} {left}".strip()
        cells = zip(self._begins, row.cells, strict=True)
        drawn = [f"{begin}{self._cell(cell)}" for begin, cell in cells]
        if row.has_left and drawn:
            drawn[0] += self._left
        also = f' data-also="{escape(" ".join(row.also))}"' if row.also else ""
        head = f'<tr id="row:{name}" class="{classes}" data-row="{page}" data-name="{name}"{also}>'
        tick = self._tick(escape(row.id)) if self._have_ticks else ""
        return f"{head}{tick}{'</td>'.join([*drawn, ''])}</tr>\n"

    def _tick(self, id: str) -> str:
        before, after = self._select
        return (
            f'<td class="tick"><input type="checkbox" name="id" value="{id}" form="ticked"'
            f' data-tick aria-label="{before}{id}{after}"></td>'
        )

    def _cell(self, cell: Cell) -> str:
        if cell.mark or cell.notes:
            return self._once((cell.mark, cell.was, cell.notes), cell)
        if cell.time is not None:
            return self._once((cell.time.seconds, cell.time.nanos), cell)
        if cell.page:
            return self._once((cell.page, cell.text), cell)
        return escape(cell.text) if cell.text else ""

    def _once(self, key: object, cell: Cell) -> str:
        if (known := self._drawn.get(key)) is None:
            drawn = _link(cell) if cell.page else str(self._macro(cell, self._written))
            known = self._drawn[key] = drawn
        return known


def _class(column: Column[Any]) -> str:
    return f' class="{column.style}"' if column.style else ""


def _link(cell: Cell) -> str:
    return f'<a class="id" href="{escape(cell.page)}">{escape(cell.text)}</a>'
