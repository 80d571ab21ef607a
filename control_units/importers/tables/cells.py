"""What may stand in a cell, field by field, and what it says."""

import re
from collections.abc import Callable, Mapping

from mds.v1.state_pb2 import State

from control_units.importers.ids import fault_of
from control_units.importers.numbers import number_of

CLEARED = "(clear)"
"""Takes a value away, where an empty cell leaves it as it is."""

EXACTLY = "'"
"""Before a text that is taken just as it is, as spreadsheets have it."""

_RUN = ("=", "@", "+", "-")
_VERSION = re.compile(r"(\d{1,9})(?:[.,]0*)?\Z", re.ASCII)
_LEVEL = re.compile(r"(-?\d{1,9})(?:[.,]0*)?\Z", re.ASCII)
# As lists of units write it.
_NOBODY_WANTS = "NOTHING"
DESIRABLE = ("UNLOADED", "LOADED", "INITIALIZED", "RUNNING", "STOPPED")


class Wrong(ValueError):
    """A cell that its field cannot have; the text says what would be right."""


class Exact(str):
    """A text that is taken just as it is."""

    __slots__ = ()


def said(cell: str) -> str | None:
    """The text that a cell says, which is empty where it is a quote alone; None: that the value
    goes."""
    if cell.startswith(EXACTLY):
        return Exact(cell[1:])
    text = cell.strip()
    return None if text.lower() == CLEARED else text


def is_nothing(cell: str) -> bool:
    """Whether a cell says nothing, so that its field stays as it is."""
    return not cell.strip()


def written(value: str) -> str:
    """A cell that says this value, in which no spreadsheet sees a formula."""
    is_plain = value == value.strip() and value and value.lower() != CLEARED
    if (
        is_plain
        and not value.startswith(EXACTLY)
        and (not value.startswith(_RUN) or number_of(value) is not None)
    ):
        return value
    return f"{EXACTLY}{value}"


def is_same(before: str, after: str) -> bool:
    """Whether two texts are one value that a spreadsheet has written anew: `1.50` and `1.5`,
    `true` and `TRUE`."""
    if before == after:
        return True
    if before.lower() in {"true", "false"}:
        return before.lower() == after.lower()
    first, second = number_of(before), number_of(after)
    return first is not None and first == second


def _id(collection: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        id = text.removeprefix(f"{collection}/")
        if fault := fault_of(id):
            raise Wrong(fault)
        return id

    return read


def _version(text: str) -> str:
    found = _VERSION.match(text)
    if not found:
        raise Wrong("the number of a version")
    return str(int(found[1]))


def _level(text: str) -> str:
    found = _LEVEL.match(text)
    if not found:
        raise Wrong("a whole number of at most 9 digits")
    return str(int(found[1]))


def _state(text: str) -> str:
    word = text.upper().removeprefix("STATE_")
    if word == _NOBODY_WANTS:
        return ""
    if word not in DESIRABLE:
        raise Wrong(f"one of {', '.join(DESIRABLE)}")
    return word


def _units(text: str) -> str:
    ids = [each.strip().removeprefix("control_units/") for each in text.split(",")]
    for id in filter(None, ids):
        if fault := fault_of(id.removesuffix("/")):
            raise Wrong(
                f"ids of units, or of groups with a slash at their end; {id!r} is none: {fault}"
            )
    return ",".join(filter(None, ids))


_READ: Mapping[str, Callable[[str], str]] = {
    "id": _id("control_units"),
    "template": _id("templates"),
    "unit_server": _id("unit_servers"),
    "template_version": _version,
    "level": _level,
    "desired_state": _state,
    "requires": _units,
    "after": _units,
}


def value_of(path: str, text: str | None) -> str | None:
    """The value that a text is for a field; None clears it.

    Raises:
        Wrong: the field cannot have it.
    """
    if text is None and path in {"id", "template"}:
        raise Wrong(f"a text; every unit has its {path}")
    read = _READ.get(path)
    return read(text) if read and text is not None else text


def state_of(word: str) -> "State.ValueType":
    return State.Value(f"STATE_{word or 'UNSPECIFIED'}")
