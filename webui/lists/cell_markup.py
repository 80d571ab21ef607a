"""Cells as markup. A page has thousands of cells and few different ones: each is drawn once."""

from collections.abc import Callable

from google.protobuf.timestamp_pb2 import Timestamp
from jinja2 import Environment
from markupsafe import Markup, escape

from webui.clock import Moment
from webui.lists.cell import Cell

_LINK = Markup('<a class="id" href="%s">%s</a>')


class CellMarkup:
    """The cells of one page.

    Args:
        written: writes times as people read them now.
    """

    def __init__(self, environment: Environment, written: Callable[[Timestamp], Moment]) -> None:
        self._macro = vars(environment.get_template("lists/cells.html").module)["cell_of"]
        self._written = written
        self._drawn: dict[object, Markup] = {}

    def __call__(self, cell: Cell) -> Markup:
        if cell.mark or cell.notes:
            return self._once((cell.mark, cell.was, cell.notes), cell)
        if cell.time is not None:
            return self._once((cell.time.seconds, cell.time.nanos), cell)
        return _LINK % (cell.page, cell.text) if cell.page else escape(cell.text)

    def _once(self, key: object, cell: Cell) -> Markup:
        if (known := self._drawn.get(key)) is None:
            known = self._drawn[key] = self._macro(cell, self._written)
        return known
