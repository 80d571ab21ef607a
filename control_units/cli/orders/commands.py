"""`mds start`, `stop`, `init`, `deinit`, `load`, `unload` and `recover`: what units shall be."""

from dataclasses import dataclass
from typing import Any

import click

from control_units.cli.connection import Connection, pass_connection
from control_units.cli.kinds import IdOf
from control_units.cli.options import plan_options
from control_units.cli.orders.options import order_options
from control_units.cli.selecting import selection_options

ANY = "*"
"""At the end of an id: all that begin so."""


@dataclass(frozen=True, slots=True)
class Verb:
    """An order that people give.

    Attributes:
        desired: state that the units shall come to; empty: they recover.
        others: desired states besides that one from which it may take a unit; none: from any.
        meaning: what it does, for people.
    """

    name: str
    desired: str
    others: tuple[str, ...]
    meaning: str

    @property
    def limits(self) -> str:
        """Which units it leaves alone, whatever is selected."""
        if not self.desired:
            return "mds recover is for units in RECOVERABLE_ERROR, unless --state says otherwise."
        if not self.others:
            return ""
        return (
            f"mds {self.name} is for units that shall be {', '.join([self.desired, *self.others])}, "
            "or of which nobody wants anything."
        )


class IdOrPattern(IdOf):
    """The id of a control unit, or its beginning and a `*`."""

    def __init__(self) -> None:
        super().__init__("control_units")

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        name = super().convert(value, param, ctx)
        if ANY in name[:-1]:
            self.fail(
                f"{value!r} has a {ANY} that is not at its end; right would be DAFNE/PL/{ANY}.",
                param,
                ctx,
            )
        return name


def _command(verb: Verb) -> click.Command:
    @click.argument("control_units", nargs=-1, type=IdOrPattern())
    @selection_options()
    @plan_options(skips_invalid=False)
    @order_options
    @pass_connection
    def order(connection: Connection, /, control_units: tuple[str, ...], **options: Any) -> None:
        from control_units.cli.orders.ordering import order_units

        order_units(connection, verb, control_units, options)

    order.__doc__ = f"""{verb.meaning}

    CONTROL_UNITS are ids, or beginnings of ids with a final {ANY} (in quotes); options narrow
    them. The order is an operation: servers carry it out in the order of levels and
    dependencies, whatever becomes of this program; mds operation shows, pauses and ends it.
    You are asked before more than one unit is touched, or when others would be left without
    what they require. {verb.limits}

    \b
      mds {verb.name} 'DAFNE/PL/{ANY}' --dry-run
      mds {verb.name} 'DAFNE/PL/{ANY}' --at-once 20 --on-failure continue

    Exit codes: 0 all units have come there (or, not followed, are ordered to); 1 refused,
    blocked, or some have not come there; 2 wrong use; 3 no server answers; 4 as of `mds apply`.
    """
    short = verb.meaning.partition(":")[0].rstrip(".")
    return click.command(verb.name, short_help=f"{short}.")(order)


load = _command(
    Verb("load", "LOADED", ("UNLOADED",), "Load control units: their objects are built.")
)
init = _command(
    Verb("init", "INITIALIZED", (), "Initialise control units: they take hold of their hardware.")
)
start = _command(Verb("start", "RUNNING", (), "Start control units, through all steps needed."))
stop = _command(Verb("stop", "STOPPED", ("RUNNING",), "Stop control units: they keep hold."))
deinit = _command(
    Verb(
        "deinit",
        "LOADED",
        ("INITIALIZED", "STOPPED", "RUNNING"),
        "Deinitialise control units: they stop, and let go of their hardware.",
    )
)
unload = _command(
    Verb("unload", "UNLOADED", (), "Unload control units: they stop, let go, and are gone.")
)
recover = _command(
    Verb("recover", "", (), "Recover control units: those in error try again where they were.")
)
