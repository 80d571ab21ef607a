"""Snapshots: values set by hand, and compared; one method a call."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import cast

from metadata_server.domain.change import Caller
from metadata_server.domain.intent.attribute import Attribute
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.facility import SavedUnit, Snapshot
from metadata_server.domain.names import Kind
from metadata_server.domain.refused import Refused, WrongField
from metadata_server.domain.resource import Resource
from metadata_server.domain.values.live_values import gaps_of
from metadata_server.domain.values.set_point import SetPoint, set_point_faults, typed, with_values
from metadata_server.domain.values.snapshot_comparison import SnapshotComparison, compared, intended
from metadata_server.domain.values.tolerance import Tolerance
from metadata_server.services.intent.answers import first_answer
from metadata_server.services.intent.etags import check_etag
from metadata_server.services.intent.single import decide_change, finish
from metadata_server.services.life.configurations import Configurations, version_of
from metadata_server.services.values.live_values import live_values_of
from metadata_server.store.life.published import published_hashes
from metadata_server.store.store import Answer, Store
from metadata_server.store.unit_of_work import UnitOfWork


class Side(Enum):
    """What a snapshot is compared with, besides another one."""

    INTENDED = auto()
    LIVE = auto()


@dataclass(frozen=True, slots=True)
class Compared:
    """What came of a comparison.

    Attributes:
        not_in_touch: with live values: ids of units whose values may be others by now.
    """

    comparison: SnapshotComparison
    not_in_touch: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparing:
    """What is to be compared.

    Attributes:
        other: id of another snapshot, or something else.
        id_prefix: only units whose ids begin with this text.
    """

    id: str
    other: str | Side
    tolerance: Tolerance
    id_prefix: str = ""


class Snapshots:
    """What can be done to snapshots besides the standard methods."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._configurations = Configurations()

    async def set_values(
        self,
        caller: Caller,
        id: str,
        points: Sequence[SetPoint],
        *,
        etag: str,
        validate_only: bool,
    ) -> Answer[Snapshot]:
        """Sets single values; the others stay as they are.

        Args:
            etag: empty: whatever is there.

        Raises:
            Refused: SNAPSHOT_NOT_FOUND, ETAG_MISMATCH; what is wrong with the values, all at once.
        """

        def work(unit: UnitOfWork) -> Snapshot:
            if (first := first_answer(unit, validate_only=validate_only)) is not None:
                return cast("Snapshot", first)
            read = unit.resources.get(Snapshot, id)
            wanted = self._checked(unit, points)

            def change(before: Snapshot) -> Snapshot:
                return with_values(before, wanted)

            def changed(before: Resource) -> Resource:
                there = cast("Snapshot", before)
                check_etag(unit, there, etag or "*", change=change)
                return change(there)

            decision = decide_change(unit, read, changed)
            return cast("Snapshot", finish(unit, decision, validate_only=validate_only))

        return await self._store.transact(work, caller=caller)

    async def compare(self, comparing: Comparing) -> Answer[Compared]:
        """Compares a snapshot with another one, or with what is intended or reported.

        Raises:
            Refused: SNAPSHOT_NOT_FOUND.
        """

        def work(unit: UnitOfWork) -> Compared:
            units = saved_units(unit, comparing.id, comparing.id_prefix)
            ids = [each.control_unit for each in units]
            silent: tuple[str, ...] = ()
            if comparing.other is Side.INTENDED:
                found = attributes_of(unit, self._configurations, ids)
                others = [intended(id, attributes.values()) for id, attributes in found.items()]
            elif comparing.other is Side.LIVE:
                keys = unit.keys.find(Kind.CONTROL_UNIT, ids)
                live = live_values_of(unit, dict(sorted(keys.items())))
                others = [each.saved() for each in live]
                silent = gaps_of(live)[1]
            else:
                others = saved_units(unit, comparing.other, comparing.id_prefix)
            return Compared(compared(units, others, comparing.tolerance), silent)

        return await self._store.read(work)

    def _checked(self, unit: UnitOfWork, points: Sequence[SetPoint]) -> list[SetPoint]:
        """Values with the types that they have.

        Raises:
            Refused: with all that is wrong with them.
        """
        ids = (each.control_unit for each in points)
        known = attributes_of(unit, self._configurations, ids)
        faults = list(twice(points))
        for position, point in enumerate(points):
            attributes = known.get(point.control_unit)
            faults += set_point_faults(point, attributes, path=f"values[{position}]")
        if not points:
            faults.append(WrongField("values", "", "at least one value"))
        if faults:
            raise Refused.wrong_fields(faults)
        return [typed(point, known.get(point.control_unit)) for point in points]


def attributes_of(
    unit: UnitOfWork, configurations: Configurations, ids: Iterable[str]
) -> dict[str, Mapping[str, Attribute]]:
    """What units shall use, by name of the attribute, of those units that are declared."""
    units = unit.resources.find(ControlUnit, ids)
    hashes = published_hashes(unit, (each.meta.key for each in units.values()))
    starts = {
        id: (*version_of(unit, each), hashes.get(each.meta.key, "")) for id, each in units.items()
    }
    bases = configurations.bases(unit, starts.values())
    found: dict[str, Mapping[str, Attribute]] = {}
    for id, each in units.items():
        attributes, _ = bases[starts[id]].narrowing.overridden(each.overrides)
        found[id] = {attribute.name: attribute for attribute in attributes}
    return found


def saved_units(unit: UnitOfWork, id: str, id_prefix: str) -> list[SavedUnit]:
    """The units of a snapshot whose ids begin with a text.

    Raises:
        Refused: SNAPSHOT_NOT_FOUND.
    """
    snapshot = unit.resources.get(Snapshot, id)
    return [each for each in snapshot.units if each.control_unit.startswith(id_prefix)]


def twice(points: Sequence[SetPoint]) -> Iterable[WrongField]:
    """Values that stand at an earlier place already."""
    first: dict[tuple[str, str], int] = {}
    for position, point in enumerate(points):
        before = first.setdefault((point.control_unit, point.attribute), position)
        if before != position:
            expected = f"an attribute that values[{before}] does not set"
            yield WrongField(f"values[{position}].attribute", point.attribute, expected)
