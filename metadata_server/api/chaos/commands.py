"""Every command of !CHAOS that is known here: the table that is served is the one in the docs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from metadata_server.api.chaos import (
    channels,
    descriptions,
    logs,
    orders,
    scripts,
    searching,
    snapshots,
    variables,
)
from metadata_server.api.chaos.command import Command
from metadata_server.api.chaos.form import Form
from metadata_server.api.chaos.parm import Parm, wrong
from metadata_server.domain.refused import Refused, WrongField

COMMANDS: tuple[Command, ...] = (
    *channels.COMMANDS,
    *descriptions.COMMANDS,
    *orders.COMMANDS,
    *searching.COMMANDS,
    *snapshots.COMMANDS,
    *variables.COMMANDS,
    *scripts.COMMANDS,
    *logs.COMMANDS,
)
OF_UNITS = {(each.cmd, each.with_parm): each for each in COMMANDS if each.of_units}
OTHERS = {(each.cmd, each.what, each.type): each for each in COMMANDS if not each.of_units}
SEARCHED = {"search": "cu"}
"""What a command is about when `what` does not say it."""


def command_of(form: Form, parm: Parm) -> Command:
    """
    Raises:
        Refused: INVALID_FIELD, NO_COUNTERPART.
    """
    if not form.cmd:
        expected = f"one of {', '.join(words(OF_UNITS if form.devices else OTHERS))}"
        raise Refused.wrong_fields([WrongField("cmd", "", expected)])
    return of_units(form) if form.devices else of_others(form, parm)


def of_units(form: Form) -> Command:
    has_parm = bool(form.parm.strip())
    found = OF_UNITS.get((form.cmd, has_parm)) or OF_UNITS.get((form.cmd, False))
    if found is None:  # !CHAOS hands whatever it does not know to the unit
        raise Refused.invalid(
            "NO_COUNTERPART",
            f"Commands of drivers, like {form.cmd[:80]!r}, are not sent from here; set the inputs "
            f"of the unit by cmd=attr. What there is: {', '.join(words(OF_UNITS))}.",
        )
    return found


def of_others(form: Form, parm: Parm) -> Command:
    same = [key for key in OTHERS if key[0] == form.cmd]
    if not same:
        known = ", ".join(words(OTHERS))
        expected = f"one of {known}; with dev, one of {', '.join(words(OF_UNITS))}"
        raise Refused.wrong_fields([WrongField("cmd", form.cmd, expected)])
    what = parm.text("what") or SEARCHED.get(form.cmd, "")
    type_ = parm.text("type") if form.cmd == "node" else ""
    found = OTHERS.get((form.cmd, what, type_)) or OTHERS.get((form.cmd, what, ""))
    if found is not None:
        return found
    whats = list(dict.fromkeys(key[1] for key in same))
    if what not in whats:
        raise wrong("what", what, f"one of {', '.join(whats)}")
    types = (key[2] for key in same if key[1] == what)
    raise wrong("type", type_, f"one of {', '.join(types)}")


def words(table: Iterable[tuple[object, ...]]) -> Iterator[str]:
    return iter(dict.fromkeys(str(key[0]) for key in table))
