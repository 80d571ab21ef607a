"""One page of a list, asked of the metadata server, and what else is told of the same things."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from google.protobuf.message import Message

from control_units.client import Client

T = TypeVar("T")

LARGEST_PAGE = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What is asked of a list.

    Attributes:
        token: of a later page; empty: the first.
        as_of: the moment it is read at; empty: now.
    """

    filter: str = ""
    order_by: str = ""
    size: int = 100
    token: str = ""
    as_of: str = ""


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some things of a list, in its order.

    Attributes:
        next_token: empty: this is the last page.
        total: how many there are on all pages; None: that is not told with a page.
    """

    things: Sequence[T]
    next_token: str = ""
    total: int | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """A List method of the protocol.

    Attributes:
        method: bound to a client.
        request: the class of its requests.
        field: of the reply, that has the things.
    """

    method: Any
    request: type[Message]
    field: str

    async def page(self, query: Query, **more: object) -> Page[Any]:
        """Raises: ClientError."""
        asked = {"filter": query.filter, "order_by": query.order_by, "as_of": query.as_of, **more}
        known = self.request.DESCRIPTOR.fields_by_name
        given = {key: value for key, value in asked.items() if value and key in known}
        message: Any = self.request
        reply = await self.method(message(page_size=query.size, page_token=query.token, **given))
        return Page(
            getattr(reply, self.field),
            reply.next_page_token,
            reply.total_size if "total_size" in reply.DESCRIPTOR.fields_by_name else None,
        )

    async def of(self, names: Sequence[str], field: str, *, as_of: str = "") -> dict[str, Any]:
        """What is told of some things, by their names.

        Args:
            field: of what is listed, that has the name; the request has `{field}s` that are named.
        """
        query = Query(size=LARGEST_PAGE, as_of=as_of)
        pieces = [names[at : at + LARGEST_PAGE] for at in range(0, len(names), LARGEST_PAGE)]
        pages = await asyncio.gather(*(self.page(query, **{f"{field}s": each}) for each in pieces))
        return {getattr(each, field): each for page in pages for each in page.things}


async def pages(
    read: Callable[[Client, Query], Awaitable[Page[T]]], client: Client, *queries: Query
) -> AsyncGenerator[Page[T], None]:
    """All pages of some queries, one after the other.

    Raises:
        ClientError
    """
    for query in queries:
        page = await read(client, query)
        yield page
        while page.next_token:
            page = await read(client, replace(query, token=page.next_token))
            yield page


def all_of(*filters: str) -> str:
    """A filter that passes what passes each of some."""
    given = [each for each in filters if each.strip()]
    return given[0] if len(given) == 1 else " ".join(f"({each})" for each in given)


def order_of(sort: str) -> str:
    """`since desc` for `-since`, as the protocol has it."""
    return f"{sort[1:]} desc" if sort.startswith("-") else sort


def plain(message: Any) -> Mapping[str, Any]:
    """As REST has it."""
    from google.protobuf.json_format import MessageToDict

    return MessageToDict(message)
