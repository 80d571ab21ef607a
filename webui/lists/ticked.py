"""What somebody has ticked in a list: some things of it, or all that pass a filter."""

from collections.abc import Iterable
from contextlib import aclosing
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any, Self
from urllib.parse import urlencode

from aiohttp import web

from control_units.client import Client
from control_units.client.finding import id_filters
from webui.lists.kind import ListKind
from webui.lists.kinds import KINDS
from webui.lists.reading import LARGEST_PAGE, Query, pages
from webui.selection import Chosen
from webui.site import Site
from webui.translation import _

_BY_PATH = {kind.path: kind for kind in KINDS}


class TooMany(Exception):
    """More are ticked than can be worked with at once."""


@dataclass(frozen=True, slots=True)
class Ticked:
    """Things of one list.

    Attributes:
        filter: what the list shows, with what it passes at all.
        q: the filter that people wrote.
    """

    kind: ListKind[Any]
    ids: tuple[str, ...]
    filter: str
    is_all: bool
    q: str = ""

    @classmethod
    def of(cls, pairs: Iterable[tuple[str, object]], path: str) -> Self:
        """What an address, or a form, says.

        Args:
            path: of the list.
        """
        said = list(pairs)
        chosen = Chosen.of(said)
        q = next((str(value) for name, value in said if name == "q"), "")
        return cls(_BY_PATH[path], chosen.ids, chosen.filter, chosen.is_all, q)

    def only(self, ids: Iterable[str]) -> Self:
        """Some of them."""
        return replace(self, ids=tuple(ids), filter="", is_all=False)

    @property
    def is_nothing(self) -> bool:
        return not (self.ids or self.filter or self.is_all)

    @property
    def may_be_many(self) -> bool:
        """Whether working with them may take longer than a page should."""
        return not (self.is_nothing or self.ids)

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The same for a form."""
        chosen = Chosen(self.ids, self.filter, is_all=self.is_all)
        return [("of", self.kind.path), *chosen.pairs, *([("q", self.q)] if self.q else [])]

    @property
    def back(self) -> str:
        """The page where they were ticked."""
        return self._list()

    def ordered(self, count: int) -> str:
        """The same page, which says that something was ordered for so many."""
        return self._list(ordered_count=str(count))

    def _list(self, **more: str) -> str:
        q = self.q or self.filter
        query = urlencode({**({"q": q} if q else {}), **more})
        return f"/{self.kind.path}?{query}" if query else f"/{self.kind.path}"

    @property
    def filters(self) -> list[str]:
        """That pass them together."""
        if self.ids:
            return list(id_filters(self.ids, self.kind.key))
        return [] if self.is_nothing else [self.filter]

    async def things(self, client: Client, *, most: int) -> list[Any]:
        """Those that are there still, as the list has them.

        Raises:
            ClientError: also of the filter.
            TooMany
        """
        found: list[Any] = []
        for each in self.filters:
            query = Query(filter=each, size=LARGEST_PAGE)
            async with aclosing(pages(self.kind.read, client, query)) as read:
                async for page in read:
                    found += page.things
                    if len(found) > most:
                        raise TooMany
        return found

    async def names(self, client: Client, *, most: int) -> list[str]:
        """Of all that pass now; those that are ticked one by one as they were, there or not.

        Raises: like `things`.
        """
        if len(self.ids) > most:
            raise TooMany
        if self.ids:
            return [f"{self.kind.path}/{id}" for id in self.ids]
        return [self.kind.name(each) for each in await self.things(client, most=most)]


def too_many(site: Site, most: int) -> web.Response:
    """The page that says so."""
    message = _("At most %(most)s are taken together: narrow the list by its filter.")
    return site.said(
        _("Too many"), message % {"most": most}, status=HTTPStatus.UNPROCESSABLE_ENTITY
    )
