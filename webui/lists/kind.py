"""A list, declared: where it is found, what its columns are, and who is asked for it."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from control_units.client import Client
from webui.lists.cell import Cell
from webui.lists.reading import Page, Query, plain
from webui.translation import gettext_noop
from webui.vocabulary import Mark

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Column(Generic[T]):
    """One column.

    Attributes:
        key: in addresses and files.
        title: for people.
        cell: what stands in it.
        sort: key of filters that the whole list can be sorted by; empty: by none.
        falls: the greatest comes first when it is sorted by at first, as newest times do.
        is_past: lists as of a moment can be sorted by it, too.
        is_usual: shown to who has chosen nothing.
        style: `id`, `why` (long text) or `number`.
    """

    key: str
    title: str
    cell: Callable[[T], Cell]
    sort: str = ""
    falls: bool = False
    is_past: bool = True
    is_usual: bool = True
    style: str = ""


@dataclass(frozen=True, slots=True)
class Tallied:
    """A key by whose values things are counted.

    Attributes:
        mark: how a value is drawn.
    """

    key: str
    title: str
    mark: Callable[[str], Mark]


@dataclass(frozen=True, slots=True)
class Action:
    """What can be done with things that are ticked.

    Attributes:
        page: that is opened with them, as `id=…` for each or as one `filter=…`.
        field: sent with them, its name and its value; None: no other is.
        call: that it leads to, and that whoever is shown it may make.
    """

    title: str
    page: str
    field: tuple[str, str] | None = None
    call: str = "Operations.CreateOperation"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListKind(Generic[T]):
    """All pages of one list.

    Attributes:
        path: of its pages, without the slash in front.
        noun: of what its filters are about, as ListFilterKeys has it.
        read: asks for one page.
        name: of a thing, as the watch tells of it.
        also: names of what else the row of a thing tells of; what happens to them concerns it, too.
        upon: collections of which any member may concern any row.
        plain: a thing as programs read it.
        tone: class of the row of a thing; empty: as all are.
        base: filter that everything on it passes.
        identity: key of filters that tells one thing from the others; empty: things never
            change, and are not read again.
        key: likewise, of things that are ticked, changing or not.
        usual_sort: of who has chosen none.
        tallied: keys of filters by whose values the things are counted under the list; their
            values have marks, or none.
        every_s: after so long it is read again without an event, for there is something in it that
            no event tells of; 0: events tell of everything.
        example: a filter.
        past_note: what is not known of the things as of a moment, in a sentence; empty: all is.
        create: the call that makes a new one, on the page `new`; empty: there is no such page.
        edit: the call that changes one, on the page `edit` behind its own; empty: there is none.
        takes_files: they are what people import.
    """

    path: str
    title: str
    noun: str
    columns: tuple[Column[T], ...]
    read: Callable[[Client, Query], Awaitable[Page[T]]]
    name: Callable[[T], str]
    also: Callable[[T], Iterable[str]] = lambda _: ()
    upon: Sequence[str] = ()
    plain: Callable[[T], Mapping[str, Any]] = plain
    tone: Callable[[T], str] = lambda _: ""
    base: str = ""
    identity: str = "id"
    key: str = "id"
    usual_sort: str = "id"
    tallied: Sequence[Tallied] = ()
    every_s: int = 0
    example: str = ""
    actions: Sequence[Action] = ()
    past_note: str = ""
    create: str = ""
    edit: str = ""
    takes_files: bool = False
    nothing: str = gettext_noop("There is nothing here yet.")

    @property
    def usual(self) -> tuple[str, ...]:
        """Keys of the columns that are shown to who has chosen nothing."""
        return tuple(column.key for column in self.columns if column.is_usual)


def rearranged(columns: Sequence[Column[T]], first: Sequence[str]) -> tuple[Column[T], ...]:
    """The same columns, of which those that are named come first and are the usual ones."""
    by_key = {column.key: column for column in columns}
    usual = [replace(by_key[key], is_usual=True) for key in first]
    others = [replace(column, is_usual=False) for column in columns if column.key not in first]
    return (*usual, *others)
