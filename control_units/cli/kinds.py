"""The kinds of resources that commands take, and the calls that read them."""

import re
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from typing import TYPE_CHECKING, Any, NoReturn

import click
from click.shell_completion import CompletionItem

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

LISTED = (*KINDS, "operations", "change_sets", "sightings")
"""What else can be listed, besides what people declare."""

SHORT = {
    "cu": "control_units",
    "unit": "control_units",
    "us": "unit_servers",
    "server": "unit_servers",
    "tpl": "templates",
    "op": "operations",
    "change": "change_sets",
    "mode": "machine_modes",
    "eu": "execution_units",
    "var": "variables",
    "list": "unit_lists",
}
"""Short words for kinds; each may have an s at its end."""

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
        request = self._request(f"Get{camel(self.noun)}Request")(
            name=f"{self.collection}/{resource_id}", as_of=as_of
        )
        return await getattr(getattr(client, self.collection), f"Get{camel(self.noun)}")(request)

    def all(self, client: "Client", **filters: str) -> AsyncIterator[Any]:
        """All resources that pass filters, by id.

        Args:
            filters: fields of the request (`id_prefix`, `as_of`, `template`), where it has them.
        """
        request = self._request(f"List{camel(self.collection)}Request")(**filters)
        call = getattr(getattr(client, self.collection), f"List{camel(self.collection)}")
        return pages(call, request, self.collection)


def camel(words: str) -> str:
    return "".join(part.capitalize() for part in words.split("_"))


async def pages(
    call: Any, request: Any, field: str, *, limit: int | None = None
) -> AsyncIterator[Any]:
    """What a call lists, page after page.

    Args:
        field: of the reply, that the things are in.
        limit: how many anybody will read; None: all.
    """
    request.page_size = min(_PAGE, limit or _PAGE)
    while True:
        page = await call(request)
        for thing in getattr(page, field):
            yield thing
        request.page_token = page.next_page_token
        if not page.next_page_token:
            return


def kind_of(word: str) -> str | None:
    """The collection that a word means: `cu`, `control-unit`, `ControlUnits`, `templates`."""
    plain = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", word).replace("-", "_").lower()
    found = {Reads(kind).noun: kind for kind in LISTED} | {kind: kind for kind in LISTED} | SHORT
    return found.get(plain) or found.get(plain.removesuffix("s"))


class KindName(click.Choice[str]):
    """A kind by its noun, in any spelling that people use."""

    name = "kind"

    def __init__(self, kinds: Sequence[str] = KINDS) -> None:
        super().__init__(kinds)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        found = kind_of(str(value))
        if found is None or found not in self.choices:
            near = did_you_mean(str(value).replace("-", "_"), [*self.choices, *SHORT])
            self.fail(f"{value!r} is no kind.{near} Kinds: {', '.join(self.choices)}.", param, ctx)
        return found

    def shell_complete(
        self, _ctx: click.Context, _param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        plain = incomplete.replace("-", "_")
        return [CompletionItem(kind) for kind in self.choices if kind.startswith(plain)]


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """` Did you mean 'start'?`, or nothing where nothing is near."""
    near = get_close_matches(word, list(known), n=3, cutoff=0.65)
    return f" Did you mean {' or '.join(map(repr, near))}?" if near else ""


class ResourceName(click.ParamType[str]):
    """A resource: KIND/ID, or the id alone of a control unit."""

    name = "name"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        text = str(value)
        collection, _, resource_id = text.partition("/")
        collection = collection.replace("-", "_")
        if collection not in KINDS and text:
            return f"control_units/{text}"
        if not resource_id:
            self._refuse(text, param, ctx)
        return f"{collection}/{resource_id}"

    def shell_complete(
        self, ctx: click.Context, _param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Control units by their ids; others by kind, then id."""
        from control_units.cli.completion.ids import ids_of

        kind, slash, begun = incomplete.partition("/")
        if slash and kind in KINDS:
            return [CompletionItem(f"{kind}/{each}") for each in ids_of(ctx, kind, begun)]
        kinds = [f"{each}/" for each in KINDS if incomplete and each.startswith(incomplete)]
        found = [*kinds, *ids_of(ctx, "control_units", incomplete)]
        return [CompletionItem(each) for each in found]

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

    def shell_complete(
        self, ctx: click.Context, _param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        from control_units.cli.completion.ids import ids_of

        return [CompletionItem(each) for each in ids_of(ctx, self._collection, incomplete)]


def number_of(kind: str) -> "Kind.ValueType":
    """What the protocol calls a kind: KIND_POLICY for `policies`."""
    from mds.v1.kind_pb2 import Kind

    return Kind.Value(f"KIND_{Reads(kind).noun.upper()}")


def parts(name: str) -> tuple[str, str]:
    """Collection and id of a resource's name."""
    collection, _, resource_id = name.partition("/")
    return collection, resource_id
