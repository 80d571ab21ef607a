"""What the inputs of units are set to, told when it changes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import islice

import structlog
from google.protobuf.duration_pb2 import Duration
from mds.v1 import dataset_pb2, registration_pb2

from control_units.attributes import Description, Direction
from control_units.control_unit import ControlUnit
from control_units.values import ValueType, text_of

PERIOD_S = 1.0
"""Changes of one unit are told no more often."""

MAXIMUM_UNITS = 1000
"""In one message, by the contract."""

MESSAGE_CHARACTERS = 1_000_000
"""Of one unit, by the contract; and of one message, unless a unit alone has more."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Value:
    """What an attribute is set to; `since` by the steady clock, in s."""

    type: ValueType
    text: str
    since: float


@dataclass(slots=True)
class _Unit:
    """What was last read of a unit.

    Attributes:
        sequence: grows with each change of any unit.
        left_out: names of attributes whose values are too long to be told.
        unwritable: names of attributes whose values have no text.
    """

    values: dict[str, _Value] = field(default_factory=dict)
    sequence: int = 0
    left_out: frozenset[str] = frozenset()
    unwritable: set[str] = field(default_factory=set)

    @property
    def characters(self) -> int:
        return sum(len(name) + len(value.text) for name, value in self.values.items())


class LiveValues:
    """Notes which units have new values, and reads them in rounds: however often a unit writes,
    it is read once a round. Bounded: one entry a unit.

    Args:
        clock: steady, in s.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._noted: dict[str, ControlUnit] = {}
        self._round: dict[str, ControlUnit] = {}
        self._next_round = 0.0
        self._units: dict[str, _Unit] = {}
        self._sequence = 0

    def note(self, control_unit: str, unit: ControlUnit) -> bool:
        """A unit may have new values; whether it is the first one since the last round. May be
        called from any thread, as often as a unit writes."""
        with self._lock:
            is_first = not self._noted
            self._noted[control_unit] = unit
        return is_first

    def forget(self, control_unit: str) -> None:
        """Nothing more is to be told of this unit."""
        with self._lock:
            self._noted.pop(control_unit, None)
        self._round.pop(control_unit, None)
        self._units.pop(control_unit, None)

    @property
    def due(self) -> float | None:
        """When there is something to collect, by the steady clock; None: there is nothing."""
        if self._round:
            return self._clock()
        return self._next_round if self._noted else None

    def begin_stream(self) -> list[registration_pb2.ValueReports]:
        """All that was read so far, for a server that may know nothing of it."""
        return self._messages(self._units)

    def collect(self) -> list[registration_pb2.ValueReports]:
        """What has changed, of so many units at most as go into one message."""
        now = self._clock()
        if self._noted and not self._round and now >= self._next_round:
            with self._lock:
                self._round, self._noted = self._noted, {}
            self._next_round = now + PERIOD_S
        names = list(islice(self._round, MAXIMUM_UNITS))
        return self._messages(
            [name for name in names if self._read(name, self._round.pop(name), now)]
        )

    def _read(self, control_unit: str, unit: ControlUnit, now: float) -> bool:
        """Reads the values of a unit; whether they are others than before."""
        known = self._units.get(control_unit)
        if known is None:
            known = self._units[control_unit] = _Unit()
        before = known.values
        found: dict[str, _Value] = {}
        values = unit.values()
        for name, description in unit.attributes.items():
            if description.direction is not Direction.OUTPUT and name in values:
                text = _text_of(control_unit, description, values[name], known.unwritable)
                if text is None:
                    continue
                value = before.get(name)
                if value is None or (value.type, value.text) != (description.type, text):
                    value = _Value(description.type, text, now)
                found[name] = value
        left_out = _shorten(found)
        if left_out - known.left_out:
            log.warning("values_too_long", control_unit=control_unit, attributes=sorted(left_out))
        known.left_out = left_out
        if known.sequence and found == before:
            return False
        self._sequence += 1
        known.values, known.sequence = found, self._sequence
        return True

    def _messages(self, control_units: Iterable[str]) -> list[registration_pb2.ValueReports]:
        messages: list[registration_pb2.ValueReports] = []
        characters = 0
        for name in control_units:
            unit = self._units[name]
            try:
                told = self._to_wire(name, unit)
            except Exception:  # the other units must not go silent because of one
                log.exception("values_left_out", control_unit=name)
                continue
            characters += unit.characters
            is_full = characters > MESSAGE_CHARACTERS
            if not messages or is_full or len(messages[-1].units) == MAXIMUM_UNITS:
                messages.append(registration_pb2.ValueReports())
                characters = unit.characters
            messages[-1].units.append(told)
        return messages

    def _to_wire(self, control_unit: str, unit: _Unit) -> registration_pb2.UnitValues:
        return registration_pb2.UnitValues(
            control_unit=f"control_units/{control_unit}",
            sequence=unit.sequence,
            values=[
                registration_pb2.ReportedValue(
                    attribute=name,
                    type=dataset_pb2.ValueType.ValueType(value.type),
                    value=value.text,
                    age=self._age(value.since),
                )
                for name, value in unit.values.items()
            ],
        )

    def _age(self, since: float) -> Duration:
        age = Duration()
        age.FromNanoseconds(max(0, round((self._clock() - since) * 1e9)))
        return age


def _text_of(
    control_unit: str, description: Description, value: object, unwritable: set[str]
) -> str | None:
    """The text of a value; None where it has none, which is noted and said once. A value was checked
    when it was set, but its author may have changed it since."""
    name = description.name
    try:
        text = text_of(value, description.type, description.shape)
    except Exception as error:  # noqa: BLE001  # what is written is of the author's making
        if name not in unwritable:
            log.warning(
                "value_unwritable", control_unit=control_unit, attribute=name, error=repr(error)
            )
        unwritable.add(name)
        return None
    unwritable.discard(name)
    return text


def _shorten(values: dict[str, _Value]) -> frozenset[str]:
    """Takes out the longest values until the rest may be told; which."""
    left_out: set[str] = set()
    size = {name: len(name) + len(value.text) for name, value in values.items()}
    total = sum(size.values())
    for name in sorted(size, key=size.__getitem__, reverse=True):
        if total <= MESSAGE_CHARACTERS:
            break
        total -= size[name]
        del values[name]
        left_out.add(name)
    return frozenset(left_out)
