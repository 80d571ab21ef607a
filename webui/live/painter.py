"""Draws the overview: from a view to the pieces that make a picture.

What was drawn from an equal view is taken again, not drawn again: at an event in a large
facility only the rows that it touches cost anything.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from jinja2 import Environment

from webui.clock import Moment
from webui.live.around import NOTHING_AROUND, Around
from webui.overview.attention import UnitLine, UnitServerLine
from webui.overview.glance import Glance
from webui.overview.server_rows import ServerRows


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
        self._around = environment.get_template("overview/around.html").module
        self._last: dict[str, tuple[object, str]] = {}
        self._now: dict[str, tuple[object, str]] = {}

    def paint(self, view: Glance | None, link: Link, around: Around = NOTHING_AROUND) -> Painting:
        """Draws everything; without a view, what is shown before the first answer."""
        self._now = {}
        self._piece("banner", "banner", link, view.blind_until if view else None)
        self._piece("headline", "headline", view.headline if view else None, link.as_of)
        self._piece("states", "states", view.states if view else ())
        self._piece("contacts", "contacts", view.contacts if view else ())
        self._piece("attention-note", "attention_note", view.attention if view else None)
        self._piece("zones-note", "zones_note", view.hidden_zones if view else 0)
        self._piece("servers-note", "servers_note", view.hidden_unit_servers if view else 0)
        self._piece("imprint", "imprint", view, link)
        self._piece("doings-note", "doings_note", around.doings, macros=self._around)
        server_rows = ServerRows(vars(self._macros)["unit_server"])
        lists = {
            "attention": self._attention(view.attention.lines if view else ()),
            "zones": tuple(
                self._row(f"zone:{row.name}", "zone", row) for row in (view.zones if view else ())
            ),
            "servers": tuple(
                self._drawn_row(f"server:{row.id}", server_rows, row)
                for row in (view.unit_servers if view else ())
            ),
            **self._lists_around(around),
        }
        self._last = self._now
        return Painting({key: html for key, (_, html) in self._now.items()}, lists)

    def _lists_around(self, around: Around) -> dict[str, tuple[str, ...]]:
        doings, system = around.doings, around.system
        rows: dict[str, tuple[str, Iterable[Any]]] = {
            "operations": ("operation", doings.operations if doings else ()),
            "changes": ("change", doings.changes if doings else ()),
            "replicas": ("replica", system.replicas if system else ()),
            "nodes": ("node", system.nodes if system else ()),
        }
        return {
            list_: tuple(
                self._row(f"{macro}:{row.id}", macro, row, macros=self._around) for row in found
            )
            for list_, (macro, found) in rows.items()
        }

    def _attention(self, lines: tuple[UnitLine | UnitServerLine, ...]) -> tuple[str, ...]:
        keys = []
        for line in lines:
            if isinstance(line, UnitLine):
                keys.append(self._row(f"attention:unit:{line.id}", "unit_line", line))
            else:
                keys.append(self._row(f"attention:server:{line.id}", "unit_server_line", line))
        return tuple(keys)

    def _row(self, key: str, macro: str, view: object, *, macros: object = None) -> str:
        return self._drawn_row(key, getattr(macros or self._macros, macro), view)

    def _drawn_row(self, key: str, draw: Callable[[str, Any], str], view: object) -> str:
        known = self._last.get(key)
        same = known is not None and known[0] == view
        self._now[key] = known if known and same else (view, draw(key, view))
        return key

    def _piece(self, key: str, macro: str, *views: object, macros: object = None) -> None:
        known = self._last.get(key)
        if known is not None and known[0] == views:
            self._now[key] = known
        else:
            self._now[key] = (views, getattr(macros or self._macros, macro)(*views))
