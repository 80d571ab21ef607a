"""What is asked of lists of things that are no resources, on the wire."""

from __future__ import annotations

from typing import Protocol

from metadata_server.domain.filter.asked_list import AskedList


class Filtered(Protocol):
    """A request for a list that can be filtered and sorted."""

    @property
    def filter(self) -> str: ...

    @property
    def order_by(self) -> str: ...


class Paged(Filtered, Protocol):
    """A request for a page of one."""

    @property
    def page_size(self) -> int: ...

    @property
    def page_token(self) -> str: ...


def asked_list_of(request: Filtered, word: str) -> AskedList:
    """What is asked of a list that has no pages."""
    return AskedList(word=word, filter=request.filter, order_by=request.order_by)


def asked_page_of(request: Paged, word: str, of: str = "") -> AskedList:
    """What is asked of a page of a list.

    Args:
        of: what tells the list from others of its kind.
    """
    return AskedList(
        word=word,
        filter=request.filter,
        order_by=request.order_by,
        of=of,
        size=request.page_size,
        token=request.page_token,
    )
