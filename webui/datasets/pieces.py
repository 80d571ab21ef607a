"""Units that are too many for one change, taken piece by piece."""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Self

from mds.v1.control_unit_pb2 import ListControlUnitStatusesRequest
from mds.v1.filter_pb2 import CountMatchesRequest

from control_units.client import Client
from webui.selection import Chosen
from webui.translation import _, grouped

PAGE = 1000


@dataclass(frozen=True, slots=True)
class Piece:
    """As many as one change takes.

    Attributes:
        names: of the units, the first by their ids.
        total: how many units are chosen.
    """

    names: Sequence[str]
    total: int


@dataclass(frozen=True, slots=True)
class Progress:
    """What has been deleted of what somebody confirmed.

    Attributes:
        confirmed: how many it is about; 0: nobody had to type it.
        changes: revisions of the changes that deleted some, the first one first.
    """

    confirmed: int = 0
    deleted: int = 0
    changes: tuple[int, ...] = ()

    @classmethod
    def of(cls, posted: Iterable[tuple[str, object]]) -> Self:
        """As a form carries it on; see `pairs`."""
        said = list(posted)
        changes = tuple(_number(value) for name, value in said if name == "change")
        last = {name: _number(value) for name, value in said if name in {"count", "deleted"}}
        return cls(last.get("count", 0), last.get("deleted", 0), changes)

    @property
    def pairs(self) -> list[tuple[str, str]]:
        confirmed = str(self.confirmed)
        found = [("count", confirmed), ("typed_count", confirmed), ("deleted", str(self.deleted))]
        return found + [("change", str(each)) for each in self.changes]

    @property
    def is_in_pieces(self) -> bool:
        return len(self.changes) > 1 or self.deleted < self.confirmed

    @property
    def words(self) -> str:
        """Of whoever has to go on; empty: nothing is deleted yet."""
        counts = {"done": grouped(self.deleted), "all": grouped(self.confirmed)}
        words = _("%(done)s of %(all)s are deleted; try again for the rest")
        return words % counts if self.changes else ""

    def after(self, deleted: int, revision: int) -> "Progress":
        # What is sent twice counts once.
        if revision in self.changes:
            return self
        return Progress(self.confirmed, self.deleted + deleted, (*self.changes, revision))


def _number(value: object) -> int:
    return int(str(value)) if str(value).isdecimal() else 0


async def first_of(client: Client, chosen: Chosen, *, most: int, within_s: float) -> Piece:
    """
    Raises:
        ClientError: also of the filter.
        TimeoutError
    """
    found: list[str] = []
    async with asyncio.timeout(within_s), aclosing(pages_of(client, chosen, most=most)) as pages:
        async for names in pages:
            found += names
            if len(found) >= most:
                return Piece(found[:most], await _count(client, chosen))
    return Piece(found, len(found))


async def pages_of(
    client: Client, chosen: Chosen, *, most: int = PAGE
) -> AsyncGenerator[list[str], None]:
    """Names of units that are chosen, page after page.

    Args:
        most: how many of them are wanted at first.

    Raises:
        ClientError
    """
    if chosen.is_nothing or chosen.ids:
        yield [f"control_units/{id}" for id in chosen.ids]
        return
    request = ListControlUnitStatusesRequest(filter=chosen.filter, page_size=min(PAGE, most))
    while True:
        page = await client.control_units.ListControlUnitStatuses(request)
        yield [each.control_unit for each in page.control_unit_statuses]
        request.page_token = page.next_page_token
        if not page.next_page_token:
            return


async def _count(client: Client, chosen: Chosen) -> int:
    if chosen.ids:
        return len(chosen.ids)
    request = CountMatchesRequest(kind="control_unit", filter=chosen.filter)
    return (await client.filters.CountMatches(request)).count
