"""Cells as markup. A page has thousands of cells and few different ones: each is drawn once.

A row is put together here and not by its template, which would hand on each piece of it through
every template around it: of a page of 500 rows, that was a third of the time.
"""

from collections.abc import Callable
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp
from jinja2 import Environment
from markupsafe import Markup, escape

from webui.clock import Moment
from webui.lists.cell import Cell
from webui.lists.kind import Column
from webui.lists.table import Row
from webui.translation import _


class CellMarkup:
    """The cells of one page.

    Args:
        written: writes times as people read them now.
    """

    def __init__(self, environment: Environment, written: Callable[[Timestamp], Moment]) -> None:
        self._macro = vars(environment.get_template("lists/cells.html").module)["cell_of"]
        self._written = written
        left = _("no longer matches")  # catalogues collect nothing from within a text
        self._left = f" <small>{escape(left)}</small>"
        self._drawn: dict[object, str] = {}

    def __call__(self, row: Row) -> Markup:
        """All cells of a row; in the first of one that no longer passes the filter it says so."""
        drawn = [f"<td{_class(column)}>{self._cell(cell)}" for column, cell in row.cells]
        if row.has_left and drawn:
            drawn[0] += self._left
        return Markup("</td>".join([*drawn, ""]))  # noqa: S704 - what is not ours is escaped below

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
