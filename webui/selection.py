"""The units that somebody has chosen elsewhere: ids, or a filter, in the address of a page."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlencode

from mds.v1.edit_pb2 import UnitSelection

from webui.names import page_of

_COLLECTION = "control_units/"
# So many named units are planned for in the time of any other page.
_FEW = 100


@dataclass(frozen=True, slots=True)
class Chosen:
    """All that pass the filter, or these.

    Attributes:
        ids: of control units; none: all that pass `filter`.
        is_all: every unit of the facility, as nobody has narrowed it.
    """

    ids: tuple[str, ...]
    filter: str
    is_all: bool

    @classmethod
    def of(cls, pairs: Iterable[tuple[str, object]]) -> Self:
        """What an address, or a form, says."""
        said = list(pairs)
        ids = tuple(dict.fromkeys(str(value) for name, value in said if name == "id"))
        rest = {name: str(value).strip() for name, value in said}
        filter_ = "" if ids else rest.get("filter", "")
        return cls(ids, filter_, is_all=not ids and not filter_ and rest.get("all") == "1")

    @property
    def is_nothing(self) -> bool:
        return not (self.ids or self.filter or self.is_all)

    @property
    def may_be_many(self) -> bool:
        """Whether working with them may take longer than a page should."""
        return not self.is_nothing and not 0 < len(self.ids) <= _FEW

    @property
    def selection(self) -> UnitSelection:
        if self.is_all:
            return UnitSelection(id_prefixes=["*"])
        return UnitSelection(names=[_COLLECTION + id for id in self.ids], filter=self.filter)

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The same for the next address, or for a form."""
        found = [("id", id) for id in self.ids]
        if self.filter:
            found.append(("filter", self.filter))
        return [*found, ("all", "1")] if self.is_all else found

    @property
    def query(self) -> str:
        return urlencode(self.pairs)

    @property
    def back(self) -> str:
        """The page where they were chosen."""
        if len(self.ids) == 1:
            return page_of(_COLLECTION + self.ids[0])
        return (
            f"/control_units?{urlencode({'q': self.filter})}" if self.filter else "/control_units"
        )
