"""Pages of declared resources, as of the revision of a list's first page.

As long as nothing has changed since, they are found in the table of their kind, by its
indexes; else by the names of then, as `past` does it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain, islice
from typing import TypeVar

from metadata_server.domain.filter.asked import asked_of
from metadata_server.domain.horizon import check_position
from metadata_server.domain.life.timing import NEVER_SUSPECT_US
from metadata_server.domain.moment import moment_of
from metadata_server.domain.names import Kind
from metadata_server.domain.page import (
    Listing,
    PageStart,
    Selection,
    SortValue,
    not_a_token,
    page_size,
    start_of,
    token_of,
)
from metadata_server.domain.resource import Resource
from metadata_server.store.filter.keys_of_page import Row
from metadata_server.store.filter.pages import FilteredList, kinds_of
from metadata_server.store.intent.selections import Filter, filter_of, id_range, references_of
from metadata_server.store.intent.shelf import Kept, Shelf
from metadata_server.store.kinds import LAYOUTS
from metadata_server.store.past.moments import check_kept, position_at, time_at
from metadata_server.store.past.past import batches_of, names_at, pages_at
from metadata_server.store.unit_of_work import UnitOfWork

T = TypeVar("T")


def resource_page(
    unit: UnitOfWork,
    type_: type[Resource],
    selection: Selection,
    shelf: Shelf[T],
    *,
    size: int = 0,
    token: str = "",
    suspect_us: int = NEVER_SUSPECT_US,
) -> Listing[T]:
    """One page of a list, by id, byte by byte; `unit` is one of `Store.read`.

    Args:
        shelf: makes what is on the page of each resource.
        size: as the caller asked; 0: the default.
        token: of the page before; empty: the first page, as of the selection's moment.
        suspect_us: an agent that has said nothing for longer is SUSPECT.

    Raises:
        Refused: INVALID_FIELD, INVALID_FILTER, INVALID_PAGE_TOKEN, HISTORY_RESET,
            HISTORY_TRIMMED.
    """

    if selection.is_filtered:
        rows = filtered_page(unit, selection, size=size, token=token, suspect_us=suspect_us)
        keys = [row.key for row in rows.items]
        there = shelf.at(unit, type_, keys, rows.position.revision)
        items = [there[key].value for key in keys]
        return Listing(items, rows.position, rows.next_page_token)

    def read(start: PageStart, limit: int) -> list[Kept[T]]:
        return page(unit, type_, selection, shelf, start=start, limit=limit)

    found = listing(
        unit,
        selection,
        read,
        kinds={type_.kind},
        size=size,
        token=token,
        id_of=lambda kept: kept.id,
    )
    return Listing([kept.value for kept in found.items], found.position, found.next_page_token)


def listing(
    unit: UnitOfWork,
    selection: Selection,
    read: Callable[[PageStart, int], Sequence[T]],
    *,
    kinds: Iterable[Kind],
    size: int,
    token: str,
    id_of: Callable[[T], str],
    value_of: Callable[[T], SortValue] = lambda _: None,
) -> Listing[T]:
    """One page of whatever `read` gives, sorted by `value_of` and then `id_of`, from what is
    known of `kinds`."""
    count = page_size(size)
    known = {*kinds, *(kind for _, kind in references_of(selection))}
    if token:
        start = start_of(token, selection)
        check_position(start.position, unit.position)
        check_kept(unit, start.position.revision, known)
    else:
        moment = moment_of(selection.as_of)
        start = PageStart(position_at(unit, moment, known))
        if selection.is_filtered:
            start = replace(start, now_us=time_at(unit, moment))
    found = read(start, count + 1)
    items = found[:count]
    if len(found) <= count:
        return Listing(items, start.position)
    last = items[-1]
    following = replace(start, after=id_of(last), value=value_of(last))
    return Listing(items, start.position, token_of(selection, following))


def filtered_page(
    unit: UnitOfWork,
    selection: Selection,
    *,
    size: int,
    token: str,
    suspect_us: int = NEVER_SUSPECT_US,
) -> Listing[Row]:
    """One page of a list that is filtered or sorted: the keys on it.

    Raises:
        Refused: see `resource_page`.
    """
    asked = asked_of(selection)

    def read(start: PageStart, limit: int) -> list[Row]:
        if not asked.sorting.takes(start.value):
            raise not_a_token(token)
        wanted = filter_of(unit, selection, start.position.revision)
        if wanted is None:
            return []
        is_past = bool(selection.as_of)
        rows = FilteredList(unit, asked, wanted, is_past=is_past, suspect_us=suspect_us)
        return rows.rows(start, limit)

    return listing(
        unit,
        selection,
        read,
        kinds=kinds_of(asked),
        size=size,
        token=token,
        id_of=lambda row: row.id,
        value_of=lambda row: row.value,
    )


def page(
    unit: UnitOfWork,
    type_: type[Resource],
    selection: Selection,
    shelf: Shelf[T],
    *,
    start: PageStart,
    limit: int,
) -> list[Kept[T]]:
    """Of at most `limit` resources after an id, as of a revision."""
    revision = start.position.revision
    wanted = filter_of(unit, selection, revision)
    if wanted is None:
        return []
    # Marks are in the body alone; few are the snapshots that are read for nothing.
    if revision != unit.position.revision or wanted.mark:
        pieces = pieces_at(unit, type_, wanted, shelf, start=start, size=limit)
        return list(islice(chain.from_iterable(pieces), limit))
    table = LAYOUTS[type_.kind].table
    conditions = wanted.conditions(table)
    conditions += id_range(table.c.id, prefix=wanted.id_prefix, after=start.after)
    return shelf.page(unit, type_, *conditions, limit=limit)


def pieces_at(
    unit: UnitOfWork,
    type_: type[Resource],
    wanted: Filter,
    shelf: Shelf[T],
    *,
    start: PageStart,
    size: int,
) -> Iterator[list[Kept[T]]]:
    """What was there at a revision and passes, by id; read as it is taken."""
    revision = start.position.revision
    if wanted.mark:
        for read in pages_at(unit, type_, wanted, after=start.after, size=size, revision=revision):
            yield [shelf.made(resource) for resource in read]
        return
    names = names_at(type_.kind, revision, wanted)
    for some in batches_of(unit, names, wanted.id_prefix, after=start.after, size=size):
        found = shelf.at(unit, type_, some.values(), revision, wanted)
        yield [found[key] for key in some.values() if key in found]
