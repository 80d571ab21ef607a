"""Which control units, as people say it."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

from control_units.cli.kinds import IdOf
from control_units.cli.looking.filters import FilterText

if TYPE_CHECKING:
    from mds.v1.edit_pb2 import UnitSelection

Command = TypeVar("Command", bound=Callable[..., Any])


class Pair(click.ParamType[tuple[str, str]]):
    """`KEY=VALUE`; the value may have more of the signs."""

    name = "pair"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str]:
        if isinstance(value, tuple):
            return value
        key, sign, text = str(value).partition("=")
        if not (key and sign):
            self.fail(f"{value!r} is no pair; right would be KEY=VALUE.", param, ctx)
        return key, text


_SELECTION = (
    click.option("--prefix", default="", help="Ids that begin with this text: DAFNE/PL/"),
    click.option("--zone", default="", help="Units of this zone, or part of one: DAFNE, DAFNE/PL"),
    click.option("--unit-server", type=IdOf("unit_servers"), help="Units of this unit server."),
    click.option(
        "--list", "unit_list", type=IdOf("unit_lists"), help="Units of this list; see unit-list."
    ),
    click.option(
        "--label",
        "labels",
        type=Pair(),
        multiple=True,
        metavar="KEY=VALUE",
        help="Units with this label.",
    ),
    click.option("--state", help="Units that last reported this state: RUNNING"),
    click.option(
        "--filter",
        type=FilterText(),
        metavar="FILTER",
        default="",
        help="Units that pass: 'template:PowerSupply* -label:archived'.",
    ),
)
_SELECT = click.option(
    "--select",
    "selected",
    type=Pair(),
    multiple=True,
    metavar="WHAT=VALUE",
    help="The same in one word: zone=DAFNE/PL, prefix=, unit-server=, list=, state=, label=K=V.",
)
_TEMPLATE = click.option("--template", type=IdOf("templates"), help="Units of this template.")


def selection_options(*, template: bool = True) -> Callable[[Command], Command]:
    """What a command can be told that works on many control units."""

    def add(command: Command) -> Command:
        for option in reversed([*_SELECTION, _SELECT, *([_TEMPLATE] if template else [])]):
            command = option(command)
        return command

    return add


def selection_of(names: Sequence[str], options: dict[str, Any]) -> "UnitSelection":
    """What was said; units that pass all of it.

    Raises:
        click.UsageError: nothing was said, so that it would be all units; or no such state.
    """
    from mds.v1.edit_pb2 import UnitSelection

    options = _with_selected(options)
    found = UnitSelection(
        names=names,
        id_prefix=prefix_of(options["prefix"], options["zone"]),
        zone="" if "/" in options["zone"] else options["zone"],
        template=options.get("template") or "",
        unit_server=options["unit_server"] or "",
        unit_list=options["unit_list"] or "",
        labels=dict(options["labels"]),
        filter=options["filter"],
    )
    if options["state"]:
        found.state = _state(options["state"])
    return found


def _with_selected(options: dict[str, Any]) -> dict[str, Any]:
    """The options, with those that were said as `--select WHAT=VALUE`.

    Raises:
        click.UsageError: nobody knows it, or it is said twice.
    """
    found = dict(options)
    kinds = {"template": "templates", "unit_server": "unit_servers", "unit_list": "unit_lists"}
    for what, value in options["selected"]:
        name = {"list": "unit_list"}.get(what, what.replace("-", "_"))
        if name == "label":
            found["labels"] = (*found["labels"], Pair().convert(value, None, None))
        elif name in {"prefix", "zone", "state", *kinds} and name in found and not found[name]:
            found[name] = IdOf(kinds[name]).convert(value, None, None) if name in kinds else value
        else:
            raise click.UsageError(
                f"--select {what}={value} cannot be; right would be prefix=, zone=, unit-server=, "
                "list=, state= or template=, each once, or label=KEY=VALUE."
            )
    return found


def prefix_of(prefix: str, zone: str) -> str:
    """The prefix that a part of a zone means: `DAFNE/PL/` for DAFNE/PL.

    Raises:
        click.UsageError: both are said, and contradict each other.
    """
    if "/" not in zone:
        return prefix
    below = f"{zone.rstrip('/')}/"
    if prefix and not prefix.startswith(below):
        raise click.UsageError(f"No id begins with {prefix!r} and is in {zone!r}; say one of them.")
    return prefix or below


def _state(word: str) -> Any:
    from mds.v1.state_pb2 import State

    known = [name.removeprefix("STATE_") for name in State.keys()[1:]]
    if word.upper() not in known:
        raise click.UsageError(f"{word!r} is no state; right would be {', '.join(known)}.")
    return State.Value(f"STATE_{word.upper()}")
