"""The kinds of resources that commands take, and the calls that read them."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from control_units.client import Client

KINDS = (
    "templates",
    "agents",
    "unit_servers",
    "scripts",
    "control_units",
    "execution_units",
    "variables",
    "snapshots",
    "policies",
)
"""Collections, each after what it refers to."""

_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Reads:
    """The calls of one service: all are named by the same rule."""

    collection: str

    @property
    def _noun(self) -> str:
        if self.collection.endswith("ies"):
            return f"{self.collection[:-3]}y"
        return self.collection.removesuffix("s")

    def _request(self, name: str) -> Any:
        return getattr(import_module(f"mds.v1.{self._noun}_pb2"), name)

    async def get(self, client: "Client", resource_id: str) -> Any:
        """One resource.

        Raises:
            Refused: there is none of this id.
        """
        request = self._request(f"Get{_camel(self._noun)}Request")(
            name=f"{self.collection}/{resource_id}"
        )
        return await getattr(getattr(client, self.collection), f"Get{_camel(self._noun)}")(request)

    def all(self, client: "Client", prefix: str) -> AsyncIterator[Any]:
        """All resources whose ids begin with a text, by id."""
        request = self._request(f"List{_camel(self.collection)}Request")(id_prefix=prefix)
        call = getattr(getattr(client, self.collection), f"List{_camel(self.collection)}")
        return pages(call, request, self.collection)


def _camel(words: str) -> str:
    return "".join(part.capitalize() for part in words.split("_"))


async def pages(call: Any, request: Any, field: str) -> AsyncIterator[Any]:
    """What a call lists, page after page.

    Args:
        field: of the reply, that the things are in.
    """
    request.page_size = _PAGE
    while True:
        page = await call(request)
        for thing in getattr(page, field):
            yield thing
        request.page_token = page.next_page_token
        if not page.next_page_token:
            return


def named(name: str) -> tuple[str, str]:
    """Collection and id of a resource's name.

    Raises:
        click.UsageError: it is no name of a resource that people declare.
    """
    collection, _, resource_id = name.partition("/")
    if collection in KINDS and resource_id:
        return collection, resource_id
    raise click.UsageError(
        f"{name!r} names no resource; right would be KIND/ID, like "
        f"control_units/DAFNE/PL/QSKPL106, with a KIND of {', '.join(KINDS)}."
    )
