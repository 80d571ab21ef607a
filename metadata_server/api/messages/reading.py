"""Reading a message: what can be read is, and all that cannot is told at once."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import TypeVar

from metadata_server.api.messages.enums import Words
from metadata_server.domain.names import Kind, id_fault
from metadata_server.domain.refused import Refused, WrongField

E = TypeVar("E", bound=StrEnum)


class Reading:
    """What went wrong while one message was read.

    Attributes:
        faults: in the order in which they were met.
    """

    def __init__(self) -> None:
        self.faults: list[WrongField] = []

    def member(self, words: Words[E], number: int, field: str, otherwise: E) -> E:
        """The word of a number, or `otherwise` after a fault."""
        found = words.find(number)
        if found is None:
            self.faults.append(words.fault(number, field=field))
            return otherwise
        return found

    def reference(self, kind: Kind, name: str, field: str) -> str:
        """The id in the name of another resource; empty for an empty name or after a fault."""
        return self.id(kind, name, field) if name else ""

    def id(self, kind: Kind, name: str, field: str) -> str:
        """The id in a name, or nothing after a fault."""
        prefix = f"{kind.collection}/"
        expected = f"{prefix}{{id}}"
        if name.startswith(prefix):
            found = name.removeprefix(prefix)
            fault = id_fault(found)
            if fault is None:
                return found
            expected += f", with {fault}"
        self.faults.append(WrongField(field, name, expected, "INVALID_ID"))
        return ""

    def dependencies(self, names: Iterable[str], field: str) -> tuple[str, ...]:
        """The ids and groups in names of control units and of groups of them; their spelling
        is checked with the rest of the unit."""
        prefix = f"{Kind.CONTROL_UNIT.collection}/"
        found = []
        for position, name in enumerate(names):
            if name.startswith(prefix):
                found.append(name.removeprefix(prefix))
            else:
                expected = f"{prefix}{{id}}, or {prefix}{{group}}/"
                self.faults.append(WrongField(f"{field}[{position}]", name, expected, "INVALID_ID"))
        return tuple(found)

    def finish(self, only: Iterable[str] | None = None) -> None:
        """Passes when all went well, or all in the top-level fields of `only`.

        Raises:
            Refused: with all faults.
        """
        fields = None if only is None else frozenset(only)
        counted = [
            each for each in self.faults if fields is None or top_level(each.field) in fields
        ]
        if counted:
            raise Refused.wrong_fields(counted)


def top_level(field: str) -> str:
    """`overrides[0].minimum` is in `overrides`."""
    return field.split(".", 1)[0].split("[", 1)[0]
