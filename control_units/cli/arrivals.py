"""Which units have come where people want them, from what they say of themselves."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum, auto

from mds.v1.control_unit_pb2 import ControlUnit, ControlUnitStatus
from mds.v1.state_pb2 import Contact, State
from mds.v1.watch_pb2 import Event, EventAction

_OUT_OF_TOUCH = frozenset({Contact.CONTACT_UNSPECIFIED, Contact.CONTACT_NONE, Contact.CONTACT_LOST})
# From FATAL_ERROR leads only init, which nothing below INITIALIZED asks for.
_NEEDS_INIT = frozenset({State.STATE_INITIALIZED, State.STATE_RUNNING, State.STATE_STOPPED})
_GONE = frozenset({EventAction.EVENT_ACTION_DELETED, EventAction.EVENT_ACTION_LEFT})


class Fate(Enum):
    """What became of an order to one unit."""

    COMING = auto()
    REACHED = auto()
    FAILED = auto()
    SUPERSEDED = auto()


def fate_of(unit: ControlUnit, status: ControlUnitStatus) -> Fate:
    """What a unit's report says about its declaration. Words of a run that has ended count for
    nothing."""
    if status.contact in _OUT_OF_TOUCH:
        is_unloaded = unit.desired_state == State.STATE_UNLOADED
        is_ended = status.contact == Contact.CONTACT_NONE
        return Fate.REACHED if is_unloaded and is_ended else Fate.COMING
    if status.state == State.STATE_RECOVERABLE_ERROR:
        is_tried = status.reached_recover_count >= unit.recover_count
        return Fate.FAILED if is_tried else Fate.COMING
    if status.state == State.STATE_FATAL_ERROR:
        is_tried = status.revision > unit.revision
        return Fate.FAILED if is_tried or unit.desired_state not in _NEEDS_INIT else Fate.COMING
    is_there = unit.desired_state in {State.STATE_UNSPECIFIED, status.state}
    is_there = is_there and status.reached_generation >= unit.generation
    return Fate.REACHED if is_there else Fate.COMING


@dataclass(frozen=True, slots=True)
class Standing:
    """A unit, by name, on its way.

    Attributes:
        why: it was superseded; empty: it was not.
    """

    unit: ControlUnit
    status: ControlUnitStatus
    why: str = ""

    @property
    def fate(self) -> Fate:
        return Fate.SUPERSEDED if self.why else fate_of(self.unit, self.status)


class Arrivals:
    """The units of one order."""

    def __init__(self, units: Iterable[ControlUnit]) -> None:
        self._units = {
            unit.name: Standing(unit, ControlUnitStatus(contact=Contact.CONTACT_NONE))
            for unit in units
        }
        self._fates = {name: each.fate for name, each in self._units.items()}

    def __len__(self) -> int:
        return len(self._units)

    def count(self, fate: Fate) -> int:
        return sum(each is fate for each in self._fates.values())

    def of(self, *fates: Fate) -> Iterator[Standing]:
        """Units with these fates, by id."""
        for name in sorted(self._units):
            if self._fates[name] in fates:
                yield self._units[name]

    def take(self, event: Event) -> None:
        """What happened to a unit; of another one it is nothing."""
        if event.HasField("control_unit_status"):
            self.take_status(event.control_unit_status)
            return
        name = event.former_name or event.name
        if name not in self._units:
            return
        if event.action in _GONE:
            self._supersede(name, f"{event.author} has deleted it")
        elif event.HasField("control_unit"):
            self._take_declared(name, event)

    def take_status(self, status: ControlUnitStatus) -> None:
        """What a unit says of itself, unless something newer is known."""
        known = self._units.get(status.control_unit)
        if known is not None and status.revision >= known.status.revision:
            self._put(Standing(known.unit, status, known.why))

    def _take_declared(self, name: str, event: Event) -> None:
        known, now = self._units[name], event.control_unit
        if event.former_name:
            self._supersede(name, f"{event.author} has renamed it to {now.name.partition('/')[2]}")
        elif now.revision <= known.unit.revision:
            return
        elif now.desired_state == known.unit.desired_state:
            self._put(Standing(now, known.status, known.why))
        else:
            word = State.Name(now.desired_state).removeprefix("STATE_")
            self._supersede(name, f"{event.author} wants it {word} now")

    def _supersede(self, name: str, why: str) -> None:
        known = self._units[name]
        self._put(Standing(known.unit, known.status, why))

    def _put(self, standing: Standing) -> None:
        self._units[standing.unit.name] = standing
        self._fates[standing.unit.name] = standing.fate
