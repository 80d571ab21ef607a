"""What knocked and was not declared; one method a call."""

from __future__ import annotations

from metadata_server.domain.filter.asked_list import AskedList
from metadata_server.domain.life.sighting import Sighting
from metadata_server.domain.names import Kind
from metadata_server.store.life.sightings import sightings
from metadata_server.store.store import Answer, Store
from metadata_server.store.unit_of_work import UnitOfWork


class Sightings:
    """Reads sightings."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def list(self, asked: AskedList) -> Answer[list[Sighting]]:
        """The first of those that are asked for, without those that have been declared since.

        Raises:
            Refused: INVALID_FIELD, INVALID_FILTER.
        """

        def work(unit: UnitOfWork) -> list[Sighting]:
            found = sightings(unit, asked)
            declared = unit.keys.find(Kind.UNIT_SERVER, (each.unit_server for each in found))
            return [each for each in found if each.unit_server not in declared]

        return await self._store.read(work)
