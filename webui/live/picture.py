"""The page as the web process last drew it, in pieces that browsers replace one by one.

A picture holds rendered pieces, each under the id of its element, and lists, which say which
pieces stand in which order. What a browser must do to get from one picture to another is a
patch: it depends only on the two pictures, never on those between, so a browser that was
asleep or slow gets the newest at once.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Picture:
    """One state of the page.

    Attributes:
        number: grows by one with each picture of this web process.
        link: `live`, `stale` (no word from the metadata server) or `waiting` (none yet).
        pieces: HTML of each element, by its id.
        lists: ids of the pieces in each list, by the id of the list's element.
        touched: control units that changed since the picture before; None: many.
    """

    number: int
    link: str
    pieces: Mapping[str, str]
    lists: Mapping[str, tuple[str, ...]]
    touched: frozenset[str] | None = frozenset()


@dataclass(frozen=True, slots=True)
class Patch:
    """What leads from a browser's picture to the newest.

    Attributes:
        pieces: only those that differ or are new.
        lists: only those whose members or order differ.
        touched: control units to read again where they are shown; None: all of them.
    """

    link: str
    pieces: Mapping[str, str]
    lists: Mapping[str, tuple[str, ...]]
    touched: frozenset[str] | None

    def as_data(self) -> dict[str, object]:
        return {
            "link": self.link,
            "pieces": dict(self.pieces),
            "lists": {key: list(ids) for key, ids in self.lists.items()},
            "touched": None if self.touched is None else sorted(self.touched),
        }


EMPTY = Picture(number=0, link="waiting", pieces=MappingProxyType({}), lists=MappingProxyType({}))


def patch(old: Picture | None, new: Picture, *, touched: frozenset[str] | None) -> Patch:
    """The difference; without an old picture, everything."""
    before = old or EMPTY
    return Patch(
        link=new.link,
        pieces={key: html for key, html in new.pieces.items() if before.pieces.get(key) != html},
        lists={key: ids for key, ids in new.lists.items() if before.lists.get(key) != ids},
        touched=touched,
    )


@dataclass(slots=True)
class Touched:
    """Collects the names of changed control units, up to a limit; beyond it: many."""

    limit: int
    _names: set[str] | None = field(default_factory=set)

    def add(self, name: str) -> None:
        if self._names is not None:
            self._names.add(name)
            if len(self._names) > self.limit:
                self._names = None

    def add_all(self) -> None:
        self._names = None

    def take(self) -> frozenset[str] | None:
        """What was collected, leaving nothing."""
        names, self._names = self._names, set()
        return None if names is None else frozenset(names)
