"""What people changed, as it is told afterwards: change sets, and what each did to a resource."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from metadata_server.domain.change import Action, Position
from metadata_server.domain.difference import FieldDifference
from metadata_server.domain.moment import Moment
from metadata_server.domain.names import Kind
from metadata_server.domain.page import digest_of
from metadata_server.domain.refused import Refused, WrongField

COLLECTION = "change_sets/"
LARGEST_REVISION = 2**63 - 1
MOST_DIGITS = len(str(LARGEST_REVISION))


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeSet:
    """Who changed something, when and why: one revision.

    Attributes:
        time_us: by the database's clock; 0: not known.
        client: the program that they used, as it said.
        created, updated, deleted: how many resources, of what is still kept.
        first_names: of the first of them.
    """

    revision: int
    time_us: int = 0
    author: str = ""
    authenticated: bool = False
    reason: str = ""
    request_id: str = ""
    client: str = ""
    method: str = ""
    created: int = 0
    updated: int = 0
    deleted: int = 0
    first_names: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return f"{COLLECTION}{self.revision}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldChange:
    """What one change set did to one resource.

    Attributes:
        change_set: without counts and names.
        id: that the resource had from then on, or had last.
        former_id: that it had just before; empty: the same.
        differences: to just before; none where it was created or deleted.
    """

    change_set: ChangeSet
    ordinal: int
    kind: Kind
    id: str
    former_id: str
    action: Action
    differences: Sequence[FieldDifference] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeSelection:
    """Which changes a list holds: those that pass all filters that are set.

    Attributes:
        kind, id: of one resource, by an id that it has or ever had.
        change_set: revision; 0: all.
        kinds: none: all that people declare.
        id_prefix: ids began with this text then.
        since, until: both included.
        filter, order_by: as its caller wrote them.
    """

    kind: Kind | None = None
    id: str = ""
    change_set: int = 0
    kinds: tuple[Kind, ...] = ()
    id_prefix: str = ""
    author: str = ""
    since: Moment | None = None
    until: Moment | None = None
    filter: str = ""
    order_by: str = ""

    @property
    def digest(self) -> str:
        return digest_of(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeSetSelection:
    """Which change sets a list holds."""

    author: str = ""
    since: Moment | None = None
    until: Moment | None = None
    filter: str = ""
    order_by: str = ""

    @property
    def digest(self) -> str:
        return digest_of(self)


@dataclass(frozen=True, slots=True)
class ChangeListing:
    """One page of changes.

    Attributes:
        position: that all pages of the list are read at.
        kept_from: oldest revision of which everything asked for is still told; 0: of all.
    """

    items: Sequence[ToldChange]
    position: Position
    next_page_token: str
    kept_from: int


def revision_of(name: str, *, field: str = "name") -> int:
    """The revision of a change set's name.

    Raises:
        Refused: INVALID_ID.
    """
    number = name.removeprefix(COLLECTION)
    if number != name and number.isascii() and number.isdigit() and len(number) <= MOST_DIGITS:
        revision = int(number)
        if 0 < revision <= LARGEST_REVISION:
            return revision
    expected = "change_sets/{revision}, like change_sets/120"
    raise Refused.wrong_fields([WrongField(field, name, expected, "INVALID_ID")])


def unknown_change_set(revision: int) -> Refused:
    return Refused.not_found(
        "CHANGE_SET_NOT_FOUND",
        f"There is no change set {revision}: people changed nothing with that revision, or it is "
        "no longer kept.",
        name=f"{COLLECTION}{revision}",
    )
