"""The kinds of resources that commands take, and the calls that read them."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, NoReturn

import click

if TYPE_CHECKING:
    from mds.v1.kind_pb2 import Kind

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
    "maintenances",
    "machine_modes",
    "guards",
    "unit_lists",
    "campaigns",
    "webhooks",
)
"""Collections, each after what it refers to."""

_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Reads:
    """The calls of one service: all are named by the same rule."""

    collection: str

    @property
    def noun(self) -> str:
        if self.collection.endswith("ies"):
            return f"{self.collection[:-3]}y"
        return self.collection.removesuffix("s")

    def _request(self, name: str) -> Any:
        return getattr(import_module(f"mds.v1.{self.noun}_pb2"), name)

    async def get(self, client: "Client", resource_id: str, *, as_of: str = "") -> Any:
        """One resource.

        Raises:
            Refused: there is none of this id.
        """
        request = self._request(f"Get{_camel(self.noun)}Request")(
            name=f"{self.collection}/{resource_id}", as_of=as_of
        )
        return await getattr(getattr(client, self.collection), f"Get{_camel(self.noun)}")(request)

    def all(self, client: "Client", **filters: str) -> AsyncIterator[Any]:
        """All resources that pass filters, by id.

        Args:
            filters: fields of the request (`id_prefix`, `as_of`, `template`), where it has them.
        """
        request = self._request(f"List{_camel(self.collection)}Request")(**filters)
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


class ResourceName(click.ParamType[str]):
    """A resource: KIND/ID, or the id alone of a control unit."""

    name = "name"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        text = str(value)
        collection, _, resource_id = text.partition("/")
        if collection not in KINDS and text:
            return f"control_units/{text}"
        if not resource_id:
            self._refuse(text, param, ctx)
        return text

    def _refuse(
        self, text: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> NoReturn:
        self.fail(
            f"{text!r} names no resource; right would be KIND/ID, with a KIND of "
            f"{', '.join(KINDS)}, or the id of a control unit, like DAFNE/PL/QSKPL106.",
            param,
            ctx,
        )


class IdOf(click.ParamType[str]):
    """A resource of one kind, by its id or its whole name."""

    def __init__(self, collection: str) -> None:
        self.name = collection.removesuffix("s")
        self._collection = collection

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        resource_id = str(value).removeprefix(f"{self._collection}/")
        if not resource_id:
            self.fail("an empty text names nothing; right would be an id.", param, ctx)
        return f"{self._collection}/{resource_id}"


def number_of(kind: str) -> "Kind.ValueType":
    """What the protocol calls a kind: KIND_POLICY for `policies`."""
    from mds.v1.kind_pb2 import Kind

    return Kind.Value(f"KIND_{Reads(kind).noun.upper()}")


def parts(name: str) -> tuple[str, str]:
    """Collection and id of a resource's name."""
    collection, _, resource_id = name.partition("/")
    return collection, resource_id
