"""What people changed: its lists. Nothing here writes; see `services/revert` and `services/undo`."""

from __future__ import annotations

from metadata_server.domain.change_set import (
    ChangeListing,
    ChangeSelection,
    ChangeSet,
    ChangeSetSelection,
)
from metadata_server.domain.page import Listing
from metadata_server.store.past.change_lists import change_page
from metadata_server.store.past.change_sets import change_set_page, get_change_set
from metadata_server.store.past.tallies import Tallies
from metadata_server.store.store import Answer, Store


class History:
    """Reads what was changed, by whom, when and why."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._tallies = Tallies()

    async def list_changes(
        self, selection: ChangeSelection, *, size: int, token: str
    ) -> Answer[ChangeListing]:
        """One page of changes, newest first. A page can be short and still have a next one.

        Raises:
            Refused: INVALID_FIELD, INVALID_PAGE_TOKEN, HISTORY_RESET, HISTORY_TRIMMED, the
                kind's NOT_FOUND.
        """
        return await self._store.read(
            lambda unit: change_page(unit, selection, size=size, token=token)
        )

    async def list_change_sets(
        self, selection: ChangeSetSelection, *, size: int, token: str
    ) -> Answer[Listing[ChangeSet]]:
        """One page of change sets, newest first.

        Raises:
            Refused: INVALID_FIELD, INVALID_PAGE_TOKEN, HISTORY_RESET.
        """
        return await self._store.read(
            lambda unit: change_set_page(unit, selection, self._tallies, size=size, token=token)
        )

    async def get_change_set(self, revision: int) -> Answer[ChangeSet]:
        """Raises:
        Refused: CHANGE_SET_NOT_FOUND.
        """
        return await self._store.read(lambda unit: get_change_set(unit, revision, self._tallies))
