"""What stands in one field of a list, for the page as for a file.

A page of 500 rows has 5,000 cells and few different ones: what many rows have in common is one
cell, which is made once.
"""

from dataclasses import dataclass
from datetime import UTC
from functools import lru_cache

from google.protobuf.timestamp_pb2 import Timestamp
from mds.v1 import condition_pb2

from webui import vocabulary
from webui.names import id_of, page_of
from webui.vocabulary import Mark

# Collections whose resources have a page of their own.
WITH_PAGES = frozenset(
    {
        "agents",
        "change_sets",
        "control_units",
        "maintenances",
        "operations",
        "snapshots",
        "templates",
        "unit_servers",
    }
)


@dataclass(frozen=True, slots=True)
class Note:
    """A few words in a cell, with more of them for who points at it."""

    text: str
    more: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One field of one row.

    Attributes:
        text: what a file says unless it is a time, and the page where there is nothing else below.
        page: where a click on it leads.
        mark: drawn instead of the text.
        was: the mark is what was last heard of somebody who is silent now.
        time: drawn instead of the text, with its age.
        notes: drawn instead of the text, one behind the other.
    """

    text: str = ""
    page: str = ""
    mark: Mark | None = None
    was: bool = False
    time: Timestamp | None = None
    notes: tuple[Note, ...] = ()

    @property
    def in_file(self) -> str:
        """What a file says."""
        if self.time is None:
            return self.text
        return f"{self.time.ToDatetime(tzinfo=UTC):%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z"


EMPTY = Cell()
# Cells that are remembered: more than a page has different ones, and never a whole facility.
_REMEMBERED = 4_096


def text(value: object) -> Cell:
    return _plain(str(value))


@lru_cache(_REMEMBERED)
def _plain(value: str) -> Cell:
    return Cell(text=value)


def number(value: int) -> Cell:
    """A count of which 0 is not worth ink."""
    return Cell(text=str(value)) if value else EMPTY


def mark(of: Mark, *, was: bool = False) -> Cell:
    return _marked(of, of.word, was=was)


@lru_cache(_REMEMBERED)
def _marked(of: Mark, word: str, *, was: bool) -> Cell:
    return Cell(text=word, mark=of, was=was)


def time(stamp: Timestamp) -> Cell:
    """A time; nothing where it is not set."""
    return Cell(time=stamp) if stamp.seconds else EMPTY


@lru_cache(_REMEMBERED)
def name(resource: str) -> Cell:
    """The id of a resource, which leads to its page if it has one."""
    has_page = resource.partition("/")[0] in WITH_PAGES
    return Cell(text=id_of(resource), page=page_of(resource) if has_page else "")


def names(resources: tuple[str, ...] | list[str], *, most: int = 3) -> Cell:
    """The first ids of several resources, and how many more there are."""
    return words([id_of(each) for each in resources], most=most)


def words(texts: list[str], *, most: int = 3) -> Cell:
    """The first of several words, and how many more there are."""
    rest = len(texts) - most
    shown = [Note(each) for each in texts[:most]]
    if rest > 0:
        shown.append(Note(f"+{rest}", ", ".join(texts[most : most + 20])))
    return Cell(text=", ".join(texts), notes=tuple(shown))


def pairs(values: dict[str, str]) -> Cell:
    """Labels and the like."""
    written = [f"{key}={values[key]}" if values[key] else key for key in sorted(values)]
    return Cell(text=", ".join(written), notes=tuple(map(Note, written)))


def conditions(of: "list[condition_pb2.Condition]") -> Cell:
    if not of:
        return EMPTY
    notes = tuple(Note(vocabulary.condition(each.type), each.message) for each in of)
    return Cell(text=", ".join(each.type for each in of), notes=notes)


def earliest(of: "list[condition_pb2.Condition]") -> Cell:
    """Since when the first of them holds."""
    known = [each.since for each in of if each.since.seconds]
    return time(min(known, key=lambda since: (since.seconds, since.nanos))) if known else EMPTY
