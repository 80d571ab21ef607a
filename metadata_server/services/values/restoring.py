"""Restoring values of a snapshot: what has to be edited for it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from metadata_server.domain.intent.edit import UnitSelection
from metadata_server.domain.intent.facility import SavedUnit
from metadata_server.domain.names import Kind
from metadata_server.domain.values.restore import Restore, Values
from metadata_server.domain.values.tolerance import Tolerance
from metadata_server.services.life.configurations import Configurations
from metadata_server.services.values.live_values import check_there, live_values_of
from metadata_server.services.values.snapshots import attributes_of, saved_units
from metadata_server.store.intent.unit_selections import selected_units
from metadata_server.store.store import Answer, Store
from metadata_server.store.unit_of_work import UnitOfWork

ALL = UnitSelection()


@dataclass(frozen=True, slots=True, kw_only=True)
class Restoring:
    """What is to be restored.

    Attributes:
        id: of the snapshot.
        selection: units of it; one that says nothing: all, also those that are not declared.
        attributes: none: all.
    """

    id: str
    selection: UnitSelection
    attributes: Collection[str]
    tolerance: Tolerance


class SnapshotRestoring:
    """Plans to restore snapshots; operations carry them out."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._configurations = Configurations()

    async def plan(self, restoring: Restoring) -> Answer[Restore]:
        """What has to be edited so that units shall use the values of a snapshot.

        Raises:
            Refused: SNAPSHOT_NOT_FOUND, CONTROL_UNIT_NOT_FOUND.
        """

        def work(unit: UnitOfWork) -> Restore:
            units = chosen(unit, restoring)
            ids = [each.control_unit for each in units]
            attributes = attributes_of(unit, self._configurations, ids)
            live = reported_values(unit, ids)
            found = Restore(restoring.tolerance)
            for each in sorted(units, key=lambda each: each.control_unit):
                found.look_at(
                    each,
                    attributes.get(each.control_unit),
                    live.get(each.control_unit, {}),
                    wanted=restoring.attributes,
                )
            return found

        return await self._store.read(work)


def chosen(unit: UnitOfWork, restoring: Restoring) -> list[SavedUnit]:
    """The units of a snapshot that are to be restored."""
    units = saved_units(unit, restoring.id, "")
    if restoring.selection == ALL:
        return units
    check_there(unit, restoring.selection)
    selected = {each.id for each in selected_units(unit, restoring.selection)}
    return [each for each in units if each.control_unit in selected]


def reported_values(unit: UnitOfWork, ids: Sequence[str]) -> Mapping[str, Values]:
    """What units last reported, by id."""
    keys = unit.keys.find(Kind.CONTROL_UNIT, ids)
    return {
        each.control_unit: {value.attribute: value for value in each.saved().values}
        for each in live_values_of(unit, keys)
    }
