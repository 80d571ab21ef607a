"""Words of filters, as a server knows them."""

import asyncio
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from control_units.cli.kinds import Reads, kind_of

if TYPE_CHECKING:
    from mds.v1.filter_pb2 import FilterKey

    from control_units.cli.connection import Connection
    from control_units.client import Client


class FilterText(click.ParamType[str]):
    """A filter, whose keys and words are offered as it is being typed.

    Args:
        word: of what it is about; empty: that of the command's KIND.
    """

    name = "filter"

    def __init__(self, word: str = "") -> None:
        self._word = word

    def shell_complete(
        self, ctx: click.Context, _param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        before, _, begun = incomplete.rpartition(" ")
        head = f"{before} " if before else ""
        kind = kind_of(str(ctx.params.get("kind") or "")) or "control_units"
        try:
            found = asyncio.run(_asked_quickly(ctx, self._word or Reads(kind).noun))
        except Exception:  # noqa: BLE001 - a word in the middle of a line is worse
            return []
        return [CompletionItem(head + each) for each in offered(found, begun)]


def offered(keys: "list[FilterKey]", begun: str) -> list[str]:
    """What a term may go on with: keys, or the words that a key's values can be."""
    for key in keys:
        for sign in ("=", ":", "!="):
            before = f"{key.name}{sign}"
            if begun.startswith((before, f"-{before}")):
                start = begun[: begun.index(sign) + len(sign)]
                return [
                    f"{start}{each}" for each in key.words if f"{start}{each}".startswith(begun)
                ]
    minus = "-" if begun.startswith("-") else ""
    return [
        f"{minus}{key.name}{'.' if key.named else ''}"
        for key in keys
        if f"{minus}{key.name}".startswith(begun)
    ]


def write_keys(connection: "Connection", kind: str, output: str) -> None:
    """Lists the keys that filters of a kind know."""
    from control_units.cli.output.writing import Shape, write_all

    def row(key: "FilterKey") -> tuple[str, ...]:
        return (
            key.name,
            key.meaning,
            key.example,
            "yes" if key.sortable else "",
            "yes" if key.indexed else "",
            ", ".join(key.words),
            " ".join(key.operators),
        )

    headers = ("key", "asks for", "example", "sorts", "quick", "words", "signs")
    shape = Shape(headers, row, ("words", "signs"), ("asks for", "words"))
    write_all(connection.run(lambda client: _asked(client, Reads(kind).noun)), shape, output)


async def _asked(client: "Client", word: str) -> "list[FilterKey]":
    from mds.v1.filter_pb2 import ListFilterKeysRequest
    from mds.v1.filter_pb2_grpc import FiltersStub

    stub: Any = FiltersStub(client.channel)
    page = await stub.ListFilterKeys(ListFilterKeysRequest(kind=word))
    return list(page.filter_keys)


async def _asked_quickly(ctx: click.Context, word: str) -> "list[FilterKey]":
    from control_units.cli.completion.ids import PATIENCE_S
    from control_units.client import Client

    address = ctx.find_root().params.get("address")
    async with (
        Client(address, program="mds completion", timeout=PATIENCE_S) as client,
        asyncio.timeout(PATIENCE_S),
    ):
        return await _asked(client, word)
