"""What waits to be told to one unit server: by level, so that it cannot grow without end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace

from metadata_server.domain.change import Position
from metadata_server.domain.life.registration import Assignment
from metadata_server.domain.refused import Refused

MAXIMUM_REFUSALS = 2_000
"""That are kept; a unit server that earns more is told the first of them."""


@dataclass(frozen=True, slots=True)
class NotTaken:
    """A report, values or a dataset that were refused; one of the first two is empty."""

    control_unit: str
    dataset: str
    refused: Refused
    of_values: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """What is told at once.

    Attributes:
        position: everything up to here has been told with this word.
        lease_us: how long the lease runs at least, from `lease_from_us`; None: it was not renewed.
        lease_from_us: when the sign of life was sent that has renewed it, by the unit server's
            steady clock; 0: it did not say, and the lease runs from now.
        acknowledged: reports up to this sequence are written for good; 0: nothing new.
        removed: ids of units that are not hosted here any more.
        removal: number of this word among those that have such ids; 0: it has none.
        missing_datasets: hashes.
        report_all: every unit shall be reported again.
    """

    position: Position
    lease_us: int | None = None
    lease_from_us: int = 0
    acknowledged: int = 0
    assignments: tuple[Assignment, ...] = ()
    removed: tuple[str, ...] = ()
    removal: int = 0
    not_taken: tuple[NotTaken, ...] = ()
    missing_datasets: tuple[str, ...] = ()
    report_all: bool = False


@dataclass(frozen=True, slots=True)
class Renewed:
    """A lease that was renewed.

    Attributes:
        asked: when the database was asked, by the steady clock, s: it runs from then at least.
        lease_us: for how long.
        sent_us: when the unit server sent what has renewed it, by its own clock; 0: unknown.
    """

    asked: float
    lease_us: int
    sent_us: int = 0

    def told_us(self, now: float) -> int | None:
        """How long it runs from `sent_us`, or else from now; None where it may have run out."""
        left_us = self.lease_us - round((now - self.asked) * 1_000_000)
        if left_us <= 0:
            return None
        return self.lease_us if self.sent_us else left_us


class Outbox:
    """Gathers what is to be told until somebody takes it; `waiting` is set while there is
    something."""

    def __init__(self) -> None:
        self.waiting = asyncio.Event()
        self._renewed: Renewed | None = None
        self._acknowledged = 0
        self._assignments: dict[str, Assignment] = {}
        self._removed: set[str] = set()
        self._not_taken: dict[tuple[str, str, bool], NotTaken] = {}
        self._missing: set[str] = set()
        self._report_all = False

    def touch(self) -> None:
        """Lets a word go out, though there may be nothing new."""
        self.waiting.set()

    def renewed(self, renewed: Renewed) -> None:
        """The lease was renewed: a word that waits, as in a replica that stands still, promises no
        more for that."""
        self._renewed = renewed
        self.touch()

    def acknowledge(self, sequence: int) -> None:
        if sequence > self._acknowledged:
            self._acknowledged = sequence
            self.touch()

    def assign(self, assignments: Iterable[Assignment]) -> None:
        """Has units told as they are now; of a renamed one also by which id the process knows
        it, however often it was renamed since the last word."""
        assignments = list(assignments)
        renamed = {each.former_id for each in assignments} - {""}
        waiting = {id: self._assignments.pop(id, None) for id in renamed}
        self._removed |= renamed
        for each in assignments:
            before = waiting.get(each.former_id)
            known = before.former_id if before and before.former_id else each.former_id
            told = replace(each, former_id="" if known == each.unit.id else known)
            self._assignments[told.unit.id] = told
            self._removed.discard(told.unit.id)
            self.touch()

    def remove(self, ids: Iterable[str]) -> None:
        for unit_id in ids:
            self._assignments.pop(unit_id, None)
            self._removed.add(unit_id)
            self.touch()

    def refuse(self, not_taken: NotTaken) -> None:
        if len(self._not_taken) < MAXIMUM_REFUSALS:
            self._not_taken[not_taken.control_unit, not_taken.dataset, not_taken.of_values] = (
                not_taken
            )
            self.touch()

    def ask_for(self, hashes: Iterable[str]) -> None:
        self._missing.update(hashes)
        if self._missing:
            self.touch()

    def ask_for_reports(self) -> None:
        """Asks for a report of every unit."""
        self._report_all = True
        self.touch()

    def take(self, position: Position) -> Word:
        """Everything that waits, as one word."""
        renewed = self._renewed
        word = Word(
            position=position,
            lease_us=renewed.told_us(time.monotonic()) if renewed else None,
            lease_from_us=renewed.sent_us if renewed else 0,
            acknowledged=self._acknowledged,
            assignments=tuple(self._assignments[name] for name in sorted(self._assignments)),
            removed=tuple(sorted(self._removed)),
            not_taken=tuple(self._not_taken.values()),
            missing_datasets=tuple(sorted(self._missing)),
            report_all=self._report_all,
        )
        self._renewed = None
        self._report_all = False
        for waiting in (self._assignments, self._removed, self._not_taken, self._missing):
            waiting.clear()
        self.waiting.clear()
        return word
