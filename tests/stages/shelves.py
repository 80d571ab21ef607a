"""Shelves for tests that read lists of resources as they are."""

from typing import TypeVar

from metadata_server.domain.resource import Resource
from metadata_server.store.intent.shelf import Shelf

R = TypeVar("R", bound=Resource)


def shelf_of(type_: type[R]) -> Shelf[R]:
    """A shelf of resources of one type themselves."""

    def make(resource: Resource) -> R:
        assert isinstance(resource, type_)
        return resource

    return Shelf(make, lambda _: 1)
