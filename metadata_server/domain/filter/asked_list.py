"""What is asked of lists of things that are no resources: a filter, an order, and a page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from metadata_server.domain.filter.asked import Sorting, rank, sorting_of
from metadata_server.domain.filter.expression import EVERYTHING, Expression
from metadata_server.domain.filter.matching import matches
from metadata_server.domain.filter.parser import parse_filter
from metadata_server.domain.filter.vocabulary import VOCABULARIES
from metadata_server.domain.page import SortValue, digest_of, not_a_token, page_size
from metadata_server.domain.place import place_in, place_token

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedList:
    """Which things of a list are wanted, in which order, and which page of them.

    Attributes:
        word: of its vocabulary.
        filter, order_by, size, token: as their caller wrote them.
        of: what tells the list from others of its kind.
    """

    word: str
    filter: str = ""
    order_by: str = ""
    of: str = ""
    size: int = 0
    token: str = ""

    @property
    def expression(self) -> Expression:
        """Raises: Refused: INVALID_FILTER."""
        return parse_filter(self.filter, self.word)

    @property
    def sorting(self) -> Sorting:
        """Raises: Refused: INVALID_FIELD."""
        return sorting_of(self.order_by, self.word)

    @property
    def count(self) -> int:
        """How many a page holds.

        Raises:
            Refused: INVALID_FIELD.
        """
        return page_size(self.size)

    @property
    def is_plain(self) -> bool:
        """Whether all is wanted, in the usual order."""
        return self.expression == EVERYTHING and not self.order_by.strip()

    @property
    def digest(self) -> str:
        return digest_of(replace(self, size=0, token=""))

    def place(self, now_us: int, *types: type) -> ListPlace:
        """Where its page begins.

        Args:
            now_us: that ages are counted from, where this is the first page.
            types: of what tells its things apart, which is of ASCII where it is a text.

        Raises:
            Refused: INVALID_PAGE_TOKEN.
        """
        if not self.token:
            return ListPlace(now_us)
        now_us, value, *identity = place_in(self.token, self.digest) or [0]
        numbers = [each for each in (now_us, value, *identity) if isinstance(each, int)]
        is_ours = (
            type(now_us) is int
            and self.sorting.takes(value)
            and tuple(map(type, identity)) == types
            and all(each.isascii() for each in identity if isinstance(each, str))
            and all(each >= 0 for each in numbers)
        )
        if not is_ours:
            raise not_a_token(self.token)
        return ListPlace(now_us, value, tuple(identity))

    def token_after(self, place: ListPlace) -> str:
        """The token of the page behind a place."""
        return place_token(self.digest, [place.now_us, place.value, *place.identity])


@dataclass(frozen=True, slots=True)
class ListPlace:
    """Where a page begins: behind one of the list.

    Attributes:
        now_us: that ages are counted from on all pages.
        value: what that one is sorted by.
        identity: that tells it from those that are alike in it; empty: this is the first page.
    """

    now_us: int
    value: SortValue = None
    identity: tuple[str | int, ...] = ()


@dataclass(frozen=True, slots=True)
class ListPage(Generic[T]):
    """Some things of a list."""

    items: Sequence[T]
    next_page_token: str = ""


def page_of(
    ids: Iterable[str],
    tell: Callable[[Sequence[str]], Iterable[T]],
    asked: AskedList,
    *,
    now_us: int,
) -> ListPage[T]:
    """A page of things that are worked out rather than read, of the lists that usually go by id.

    Args:
        ids: of all of them, as the identity of the vocabulary tells them.
        tell: works some of them out; where all are wanted, no more than are on the page.

    Raises:
        Refused: INVALID_FILTER, INVALID_FIELD, INVALID_PAGE_TOKEN.
    """
    start, descends, count = asked.place(now_us, str), asked.sorting.descends, asked.count
    known = sorted(ids)
    if asked.is_plain:
        known = [each for each in known if (each,) > start.identity][: count + 1]
    found = ordered(tell(known), asked, start.now_us)
    if start.identity:
        behind = rank(start.value), str(start.identity[0])
        places = ((place_of(each, asked), each) for each in found)
        found = [e for place, e in places if (place < behind if descends else place > behind)]
    if len(found) <= count:
        return ListPage(found)
    _, id = place_of(found[count - 1], asked)
    last = replace(start, value=asked.sorting.value_of(found[count - 1]), identity=(id,))
    return ListPage(found[:count], asked.token_after(last))


def ordered(things: Iterable[T], asked: AskedList, now_us: int) -> list[T]:
    """Those of some things that pass, in the order that is asked for.

    Raises:
        Refused: INVALID_FILTER, INVALID_FIELD.
    """
    expression, sorting = asked.expression, asked.sorting
    found = [each for each in things if matches(expression, each, now_us)]
    return sorted(found, key=lambda each: place_of(each, asked), reverse=sorting.descends)


def place_of(thing: Any, asked: AskedList) -> tuple[tuple[bool, Any], str]:
    """Where a thing stands in an order: by what it is sorted by, then by its identity."""
    vocabulary = VOCABULARIES[asked.word]
    (id,) = vocabulary.keys[vocabulary.identity].of(thing)
    return rank(asked.sorting.value_of(thing)), str(id)
