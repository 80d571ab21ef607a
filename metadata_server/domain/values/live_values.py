"""What inputs of control units are set to, as the units report it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from metadata_server.domain.intent.attribute import ValueType
from metadata_server.domain.intent.facility import SavedUnit, SavedValue
from metadata_server.domain.life.registration import LARGEST_NUMBER
from metadata_server.domain.life.state import Contact, State
from metadata_server.domain.part_checks import unique_faults, word_faults
from metadata_server.domain.refused import WrongField

LARGEST_UNIT_CHARACTERS = 1_000_000
"""Of all names and values of one unit together."""


class ReportedValue(NamedTuple):
    """What an attribute is set to. A replica takes tens of thousands a second: a named tuple is
    made in a quarter of a dataclass's time.

    Attributes:
        since_us: when it was set so, by the server's steady clock.
    """

    attribute: str
    type: ValueType
    value: str
    since_us: int


class UnitValues(NamedTuple):
    """What the inputs of one unit are set to; in place of all that was said before.

    Attributes:
        control_unit: id.
        sequence: grows within its unit server with each change.
    """

    control_unit: str
    sequence: int
    values: tuple[ReportedValue, ...]

    @property
    def characters(self) -> int:
        return sum(len(each.attribute) + len(each.value) for each in self.values)

    def faults(self) -> Iterator[WrongField]:
        """All that cannot be kept."""
        if not 1 <= self.sequence <= LARGEST_NUMBER:
            yield WrongField("sequence", str(self.sequence), "a number from 1 on")
        yield from unique_faults((v.attribute for v in self.values), path="values[{}].attribute")
        for position, each in enumerate(self.values):
            yield from word_faults(each.attribute, path=f"values[{position}].attribute")
        if self.characters > LARGEST_UNIT_CHARACTERS:
            expected = f"at most {LARGEST_UNIT_CHARACTERS} characters together"
            yield WrongField("values", f"{self.characters} characters", expected)


class LiveValue(NamedTuple):
    """What an attribute was last set to, when `time_us` by the database's clock."""

    attribute: str
    type: ValueType
    value: str
    time_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitLiveValues:
    """What the inputs of one unit were last set to.

    Attributes:
        contact: of the session that reported the values; NONE also where that was not the last
            session of the unit.
        values: sorted by attribute; None: it has reported none yet.
        read_us: when they were read, by the database's clock.
    """

    control_unit: str
    state: State
    contact: Contact
    values: tuple[LiveValue, ...] | None
    read_us: int

    @property
    def is_in_touch(self) -> bool:
        return self.contact is Contact.ALIVE

    def saved(self) -> SavedUnit:
        """The values as a snapshot holds them."""
        values = self.values or ()
        return SavedUnit(
            self.control_unit, tuple(SavedValue(v.attribute, v.type, v.value) for v in values)
        )


def gaps_of(units: Sequence[UnitLiveValues]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Ids of units that have reported no values, and of those with values that are not in
    touch."""
    without = tuple(each.control_unit for each in units if each.values is None)
    silent = tuple(each.control_unit for each in units if each.values and not each.is_in_touch)
    return without, silent
