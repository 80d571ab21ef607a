"""Draws the overview: from a view to the pieces that make a picture.

What was drawn from an equal view is taken again, not drawn again: at an event in a large
facility only the rows that it touches cost anything.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from jinja2 import Environment

from webui.clock import Moment
from webui.overview.attention import UnitLine, UnitServerLine
from webui.overview.glance import Glance


@dataclass(frozen=True, slots=True)
class Link:
    """How the web process stands with the metadata server.

    Attributes:
        state: `live`, `stale` (it no longer answers) or `waiting` (it never has).
        address: who is asked.
        as_of: when it last answered, by its clock; only when stale.
        reason: why it does not answer, for people.
    """

    state: str
    address: str
    as_of: Moment | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Painting:
    """The pieces by id, as markup, and which of them stand in which list."""

    pieces: Mapping[str, str]
    lists: Mapping[str, tuple[str, ...]]


class Painter:
    """Renders pieces, and remembers those of the last painting."""

    def __init__(self, environment: Environment) -> None:
        self._macros = environment.get_template("overview/pieces.html").module
        self._last: dict[str, tuple[object, str]] = {}
        self._now: dict[str, tuple[object, str]] = {}

    def paint(self, view: Glance | None, link: Link) -> Painting:
        """Draws everything; without a view, what is shown before the first answer."""
        self._now = {}
        self._piece("banner", "banner", link, view.blind_until if view else None)
        self._piece("headline", "headline", view.headline if view else None, link.as_of)
        self._piece("states", "states", view.states if view else ())
        self._piece("contacts", "contacts", view.contacts if view else ())
        self._piece("attention-note", "attention_note", view.attention if view else None)
        self._piece("imprint", "imprint", view, link)
        lists = {
            "attention": self._attention(view.attention.lines if view else ()),
            "zones": tuple(
                self._row(f"zone:{row.zone}", "zone", row) for row in (view.zones if view else ())
            ),
            "servers": tuple(
                self._row(f"server:{row.id}", "unit_server", row)
                for row in (view.unit_servers if view else ())
            ),
        }
        self._last = self._now
        return Painting({key: html for key, (_, html) in self._now.items()}, lists)

    def _attention(self, lines: tuple[UnitLine | UnitServerLine, ...]) -> tuple[str, ...]:
        keys = []
        for line in lines:
            if isinstance(line, UnitLine):
                keys.append(self._row(f"attention:unit:{line.id}", "unit_line", line))
            else:
                keys.append(self._row(f"attention:server:{line.id}", "unit_server_line", line))
        return tuple(keys)

    def _row(self, key: str, macro: str, view: object) -> str:
        known = self._last.get(key)
        if known is not None and known[0] == view:
            self._now[key] = known
        else:
            self._now[key] = (view, getattr(self._macros, macro)(key, view))
        return key

    def _piece(self, key: str, macro: str, *views: object) -> None:
        known = self._last.get(key)
        if known is not None and known[0] == views:
            self._now[key] = known
        else:
            self._now[key] = (views, getattr(self._macros, macro)(*views))
