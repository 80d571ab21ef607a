"""The lives of control units, now and long ago; one method a call."""

from __future__ import annotations

from dataclasses import dataclass, replace

from metadata_server.domain.filter.asked_list import AskedList, ListPage
from metadata_server.domain.life.instantiation import Instantiation, LifeKey
from metadata_server.domain.names import Kind
from metadata_server.domain.refused import Refused, WrongField
from metadata_server.store.life.life_lists import LifeFilter, keys_ever_named, life, life_page
from metadata_server.store.store import Answer, Store
from metadata_server.store.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True, kw_only=True)
class LifeSelection:
    """Which lives to list: of a unit, of a unit server, or of one in the other; of none, where
    a filter tells.

    Attributes:
        control_unit: id, of today or of some time before; empty: any.
        unit_server: likewise.
        since_us: only lives that had not ended before this time; None: from the first on.
        until_us: only lives that had begun by this time; None: up to now.
    """

    control_unit: str = ""
    unit_server: str = ""
    since_us: int | None = None
    until_us: int | None = None


class Instantiations:
    """Reads lives."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def get(self, key: LifeKey) -> Answer[Instantiation]:
        """One life.

        Raises:
            Refused: INSTANTIATION_NOT_FOUND.
        """

        def work(unit: UnitOfWork) -> Instantiation:
            found = life(unit, key)
            if found is None:
                raise Refused.not_found(
                    "INSTANTIATION_NOT_FOUND", "There is no such instantiation."
                )
            return found

        return await self._store.read(work)

    async def list(
        self, selection: LifeSelection, asked: AskedList
    ) -> Answer[ListPage[Instantiation]]:
        """One page.

        Raises:
            Refused: INVALID_FIELD, INVALID_FILTER, INVALID_PAGE_TOKEN, CONTROL_UNIT_NOT_FOUND,
                UNIT_SERVER_NOT_FOUND.
        """
        if not (selection.control_unit or selection.unit_server or asked.filter.strip()):
            expected = "the name of a control unit, or of a unit server in unit_server, or a filter"
            raise Refused.wrong_fields([WrongField("control_unit", "", expected)])
        own = replace(asked, of=repr(selection))

        def work(unit: UnitOfWork) -> ListPage[Instantiation]:
            wanted = LifeFilter(
                control_units=keys_of(unit, Kind.CONTROL_UNIT, selection.control_unit),
                unit_servers=keys_of(unit, Kind.UNIT_SERVER, selection.unit_server),
                since_us=selection.since_us,
                until_us=selection.until_us,
            )
            return life_page(unit, wanted, own)

        return await self._store.read(work)


def keys_of(unit: UnitOfWork, kind: Kind, resource_id: str) -> list[int] | None:
    """Keys that an id has named; None: no id was given.

    Raises:
        Refused: the kind's NOT_FOUND.
    """
    if not resource_id:
        return None
    keys = keys_ever_named(unit, kind, resource_id)
    if not keys:
        raise Refused.not_found(
            kind.not_found,
            f"There is no {kind.words} {resource_id!r}, and never was.",
            name=kind.name_of(resource_id),
        )
    return keys
