"""Snapshots taken of what units last reported that their inputs are set to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from metadata_server.domain.change import Caller
from metadata_server.domain.intent.bundle import ItemAction
from metadata_server.domain.intent.edit import UnitSelection
from metadata_server.domain.intent.facility import Snapshot
from metadata_server.domain.refused import RefusalKind, Refused, WrongField
from metadata_server.domain.values.live_values import UnitLiveValues, gaps_of
from metadata_server.services.intent.answers import answer_of, first_answer
from metadata_server.services.intent.saving import save_all
from metadata_server.services.intent.single import decide
from metadata_server.services.values.live_values import selected_values
from metadata_server.store import requests
from metadata_server.store.store import Answer, Store
from metadata_server.store.unit_of_work import UnitOfWork

NAMED = 10
"""Units that the message of a refusal names; its violations name more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taking:
    """What a snapshot is to be taken of.

    Attributes:
        even_so: leaves out units without values, and takes the last ones of units that are not in
            touch.
    """

    id: str
    selection: UnitSelection
    description: str = ""
    marks: tuple[str, ...] = ()
    even_so: bool = False


@dataclass(frozen=True, slots=True)
class Taken:
    """A snapshot that was taken.

    Attributes:
        without_values: ids of units that were left out, for they have reported none.
        not_in_touch: ids of units whose values may be others by now.
    """

    snapshot: Snapshot
    without_values: tuple[str, ...] = ()
    not_in_touch: tuple[str, ...] = ()


class SnapshotTaking:
    """Takes snapshots."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def take(self, caller: Caller, taking: Taking, *, validate_only: bool) -> Answer[Taken]:
        """Saves what units last reported under a new name.

        Raises:
            Refused: ALREADY_EXISTS, INVALID_ID, INVALID_FIELD, CONTROL_UNIT_NOT_FOUND,
                NOTHING_SELECTED, VALUES_MISSING.
        """

        def work(unit: UnitOfWork) -> Taken:
            first = None if validate_only else requests.repeated(unit)
            if first is not None:
                return repeated(unit, first.answer)
            units = selected_values(unit, taking.selection)
            if not units:
                message = "No control unit passes the selection; there is nothing to take."
                raise Refused.invalid("NOTHING_SELECTED", message)
            gaps = gaps_of(units)
            if any(gaps) and not taking.even_so:
                raise values_missing(*gaps)
            decision = decide(unit, snapshot_of(taking, units, unit.now_us))
            if decision.before is not None:
                message = f"{decision.before.name} is there already; take it under another name."
                raise Refused.exists(message, name=decision.before.name)
            taken = cast("Snapshot", decision.after)
            if not validate_only:
                assert decision.action is ItemAction.CREATED
                (taken,) = cast("list[Snapshot]", save_all(unit, [decision]))
                requests.remember(unit, kept_answer(taken, gaps))
            return Taken(taken, *gaps)

        return await self._store.transact(work, caller=caller)


def snapshot_of(taking: Taking, units: Sequence[UnitLiveValues], now_us: int) -> Snapshot:
    """Units without inputs have nothing to save."""
    return Snapshot(
        id=taking.id,
        description=taking.description,
        taken_time_us=now_us,
        units=tuple(each.saved() for each in units if each.values),
        marks=tuple(sorted(set(taking.marks))),
    )


def values_missing(without: Sequence[str], silent: Sequence[str]) -> Refused:
    """That values of units are missing, or may be others by now."""
    sentences, fields = [], []
    for ids, what, expected in (
        (without, "have reported no values", "a unit that has reported its values"),
        (silent, "are not in touch", "a unit that is in touch"),
    ):
        if ids:
            more = f" and {len(ids) - NAMED} more" if len(ids) > NAMED else ""
            sentences.append(f"{', '.join(ids[:NAMED])}{more} {what}.")
            fields += [WrongField("selection", id, expected, "VALUES_MISSING") for id in ids]
    sentences.append("Say even_so to take the others, and what the silent ones said last.")
    return Refused(RefusalKind.PRECONDITION, "VALUES_MISSING", " ".join(sentences), fields=fields)


def kept_answer(snapshot: Snapshot, gaps: tuple[tuple[str, ...], ...]) -> Mapping[str, Any]:
    without, silent = gaps
    return {**answer_of(snapshot), "without_values": without, "not_in_touch": silent}


def repeated(unit: UnitOfWork, answer: Mapping[str, Any]) -> Taken:
    """What the first call with the same request id answered."""
    snapshot = cast("Snapshot", first_answer(unit, validate_only=False))
    return Taken(snapshot, tuple(answer["without_values"]), tuple(answer["not_in_touch"]))
