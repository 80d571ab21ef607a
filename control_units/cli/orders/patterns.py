"""Which control units, said as ids and beginnings of ids, besides options."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from control_units.cli.orders.commands import ANY
from control_units.cli.selecting import selection_of

if TYPE_CHECKING:
    from mds.v1.edit_pb2 import UnitSelection


def selection_by(patterns: Sequence[str], options: dict[str, Any]) -> "UnitSelection":
    """What was said: names of units, and beginnings of names with a final `*`; the options
    narrow them.

    Raises:
        click.UsageError: nothing was said, so that it would be all units.
    """
    prefixes = [each[:-1].partition("/")[2] for each in patterns if each.endswith(ANY)]
    found = selection_of([each for each in patterns if not each.endswith(ANY)], options)
    if not (patterns or found.ByteSize()):
        raise click.UsageError(
            "This would be every unit of the facility: name units, or say --prefix, --zone, "
            f"--template, --unit-server, --label or --state; '{ANY}' if you mean them all."
        )
    if "" in prefixes:
        del found.names[:]
        # A selection that says nothing could be a slip; this one means it.
        prefixes = [] if found.ByteSize() else [ANY]
    found.id_prefixes.extend(prefixes)
    return found
