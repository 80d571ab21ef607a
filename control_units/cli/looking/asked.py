"""`--filter` and `--sort` of lists of what is no resource."""

from collections.abc import Callable
from typing import Any, TypedDict, TypeVar

import click

from control_units.cli.looking.filters import FilterText

F = TypeVar("F", bound=Callable[..., Any])


class Asked(TypedDict):
    """Fields of a request for a list."""

    filter: str
    order_by: str


EVERYTHING = Asked(filter="", order_by="")


def asked_options(word: str, example: str) -> Callable[[F], F]:
    """Adds `filter` and `sort`.

    Args:
        word: of the things that are listed, as ListFilterKeys has it.
    """

    def add(command: F) -> F:
        told = f"Only what passes: '{example}'."
        command = click.option("--sort", default="", metavar="KEY[,desc]", help="By this key.")(
            command
        )
        return click.option("--filter", type=FilterText(word), default="", help=told)(command)

    return add


def order_of(sort: str) -> str:
    """`level desc` for `level,desc`, `-level` and `level desc`."""
    key, _, way = sort.replace(",", " ").strip().partition(" ")
    if key.startswith("-"):
        return f"{key[1:]} desc"
    return f"{key} {way.strip()}".strip()


def asked_of(options: dict[str, Any]) -> Asked:
    return Asked(filter=options["filter"], order_by=order_of(options["sort"]))
