"""Lists in pages: what is selected, how much of it, and where the next page goes on."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

from metadata_server.domain.change import Position
from metadata_server.domain.life.state import State
from metadata_server.domain.names import Kind, id_fault
from metadata_server.domain.refused import Refused, WrongField, shown

DEFAULT_PAGE_SIZE = 100
MAXIMUM_PAGE_SIZE = 1000
MAXIMUM_TOKEN = 3000
"""Characters: room for the longest text that a list is sorted by, of any script, and for an id."""
TOO_LARGE = 2**63
"""For a number in a database."""
SURROGATE = re.compile("[\ud800-\udfff]")
"""Half a character, which no encoding has."""
T = TypeVar("T")

SortValue: TypeAlias = str | int | None
"""What a list is sorted by; None comes before all others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What a list holds: resources of one kind that pass all filters that are not empty.

    Attributes:
        id_prefix: ids begin with this text.
        ids: of the only ones that it holds; empty: any.
        unit_server: id of the unit server that they belong to.
        template: id of their template.
        zone: first segment of their ids.
        agent: id of the agent that launches them.
        state: that control units last reported.
        condition: type of one that is true of control units.
        mark: that snapshots have.
        as_of: the moment at which it is read, as its caller wrote it; empty: now.
        filter, order_by: as their caller wrote them.
    """

    kind: Kind
    id_prefix: str = ""
    ids: tuple[str, ...] = ()
    unit_server: str = ""
    template: str = ""
    zone: str = ""
    agent: str = ""
    state: State = State.UNSPECIFIED
    condition: str = ""
    mark: str = ""
    as_of: str = ""
    filter: str = ""
    order_by: str = ""

    @property
    def is_filtered(self) -> bool:
        """Whether it has a filter, names its things, or has an order of its own."""
        return bool(self.filter.strip() or self.ids or self.order_by.strip())

    @property
    def digest(self) -> str:
        return digest_of(self)


class Listed(Protocol):
    """What a list holds, told by its digest."""

    @property
    def digest(self) -> str:
        """Tells the page tokens of one list from those of another."""
        ...


def digest_of(selection: Any) -> str:
    """Of a selection that is a dataclass. What it does not ask for is not in it: so it stays as it
    is when a later release can ask for more, while both are in service."""
    asked = {field: value for field, value in asdict(selection).items() if value}
    text = json.dumps([type(selection).__name__, asked], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Listing(Generic[T]):
    """One page.

    Attributes:
        position: that all pages of the list are read at.
        next_page_token: empty: this is the last page.
    """

    items: Sequence[T]
    position: Position
    next_page_token: str = ""


@dataclass(frozen=True, slots=True)
class PageStart:
    """Where a page begins.

    Attributes:
        after: where the page before ended, an id or the like; empty: this is the first page.
        value: that the last of it had of what the list is sorted by, where that is not the id.
        now_us: that ages in its filter are counted from; 0: there are none.
    """

    position: Position
    after: str = ""
    value: SortValue = None
    now_us: int = 0


def page_size(requested: int) -> int:
    """How many a page holds: 0 is the default, too many are as many as go.

    Raises:
        Refused: INVALID_FIELD, when it is negative.
    """
    if requested < 0:
        expected = f"a number from 0 to {MAXIMUM_PAGE_SIZE}"
        raise Refused.wrong_fields([WrongField("page_size", str(requested), expected)])
    return min(requested or DEFAULT_PAGE_SIZE, MAXIMUM_PAGE_SIZE)


def token_of(selection: Listed, start: PageStart) -> str:
    """The opaque token of a page."""
    position = start.position
    content = {
        "store": position.store_id,
        "epoch": position.epoch,
        "revision": position.revision,
        "after": start.after,
        "list": selection.digest,
    }
    if start.now_us:
        content |= {"value": start.value, "now": start.now_us}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def start_of(token: str, selection: Listed) -> PageStart:
    """What a token says.

    Raises:
        Refused: INVALID_PAGE_TOKEN, when it is none of ours, or of another list.
    """
    content = content_of(token)
    try:
        store, epoch, revision, after, list_ = (
            content[name] for name in ("store", "epoch", "revision", "after", "list")
        )
        value, now_us = content.get("value"), content.get("now", 0)
    except (KeyError, TypeError):
        raise not_a_token(token) from None
    texts = all(isinstance(value, str) for value in (store, after, list_))
    numbers = all(type(value) is int and value >= 0 for value in (epoch, revision, now_us))
    texts = texts and (value is None or type(value) in {str, int})
    if not texts or not numbers or (after and id_fault(after)):
        raise not_a_token(token)
    if list_ != selection.digest:
        raise Refused.invalid(
            "INVALID_PAGE_TOKEN",
            "page_token is of another list; right would be next_page_token of this one, asked "
            "for with the same filters.",
            field="page_token",
        )
    return PageStart(Position(store, epoch, revision), after, value, now_us)


def content_of(token: str) -> Any:
    """What a token holds, be it ours or not: an object or a list of what a database takes.

    Raises:
        Refused: INVALID_PAGE_TOKEN.
    """
    if len(token) > MAXIMUM_TOKEN:
        raise not_a_token(token)
    try:
        padded = token + "=" * (-len(token) % 4)
        content = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError):
        raise not_a_token(token) from None
    if not isinstance(content, dict | list):
        raise not_a_token(token)
    if not all(map(is_plain, content.values() if isinstance(content, dict) else content)):
        raise not_a_token(token)
    return content


def is_plain(value: object) -> bool:
    """Whether it is nothing, a number that a database has, or a text of whole characters."""
    if isinstance(value, str):
        return not SURROGATE.search(value)
    return value is None or (isinstance(value, int) and abs(value) < TOO_LARGE)


def not_a_token(token: str) -> Refused:
    return Refused.invalid(
        "INVALID_PAGE_TOKEN",
        f"page_token is {shown(token)}; right would be next_page_token of the page before.",
        field="page_token",
    )
