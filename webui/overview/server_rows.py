"""Rows of unit servers as markup. A facility has a thousand of them and few look different: each
look is drawn once, and names and times are put where they belong."""

import re
from collections.abc import Callable
from dataclasses import replace

from markupsafe import Markup, escape

from webui.clock import Moment
from webui.overview.glance import UnitServerRow

Macro = Callable[[str, UnitServerRow], str]
_SLOT = re.compile("\0([a-z]+)\0")


class ServerRows:
    """Draws the rows of one painting.

    Args:
        macro: draws one from its key and what it says.
    """

    def __init__(self, macro: Macro) -> None:
        self._macro = macro
        self._looks: dict[object, str] = {}

    def __call__(self, key: str, row: UnitServerRow) -> str:
        look = _look_of(row)
        if (known := self._looks.get(look)) is None:
            known = self._looks[look] = self._drawn(row)
        values = {
            "key": escape(key),
            "id": escape(row.id),
            "page": escape(row.page),
            "place": escape(row.place),
            "version": escape(row.version),
        }
        if row.span:
            values |= {"text": escape(row.span.text), "iso": escape(row.span.iso)}
        return Markup(known % values)  # noqa: S704 - drawn by a template, and the rest is escaped

    def _drawn(self, row: UnitServerRow) -> str:
        """A row with slots, as `%` fills them."""
        slotted = replace(
            row,
            id=_slot("id"),
            page=_slot("page"),
            place=row.place and _slot("place"),
            version=row.version and _slot("version"),
            span=row.span and Moment(_slot("text"), _slot("iso")),
        )
        drawn = str(self._macro(_slot("key"), slotted))
        return _SLOT.sub(r"%(\1)s", drawn.replace("%", "%%"))


def _slot(name: str) -> str:
    """What no text of the template holds, and nothing escapes."""
    return f"\0{name}\0"


def _look_of(row: UnitServerRow) -> tuple[object, ...]:
    """All that two rows which differ only in their slots have in common."""
    return (
        row.mark,
        row.contact,
        row.out_of_contact,
        row.stale,
        row.control_units,
        row.running,
        bool(row.place),
        bool(row.version),
        row.span_word if row.span else None,
        row.others,
        row.bar,
    )
