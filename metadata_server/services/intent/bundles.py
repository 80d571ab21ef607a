"""Bundles: many resources of mixed kinds, taken or refused as a whole; and their export."""

from __future__ import annotations

from collections.abc import Sequence

from metadata_server.domain.change import Caller, Position
from metadata_server.domain.intent.bundle import Item
from metadata_server.domain.moment import moment_of
from metadata_server.domain.names import DECLARED, Kind
from metadata_server.domain.resource import Resource
from metadata_server.services.intent.exports import declared_at
from metadata_server.services.intent.plans import Applied, Applying, carry_out
from metadata_server.services.intent.progress import ApplyProgress
from metadata_server.store.past.moments import position_at
from metadata_server.store.store import Answer, Store, told_at
from metadata_server.store.unit_of_work import UnitOfWork


class Bundles:
    """Applies and exports bundles."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def apply(
        self, caller: Caller, items: Sequence[Item], how: Applying, progress: ApplyProgress
    ) -> Answer[Applied]:
        """Applies a bundle in one transaction.

        Raises:
            Refused: REQUEST_ID_REUSED, PLAN_MOVED, HISTORY_RESET, CONTENTION. Problems of items
                are not raised: they stand in the decisions.
        """
        return await self._store.transact(
            lambda unit: carry_out(unit, lambda _: items, how, progress), caller=caller
        )

    async def export(
        self, kinds: Sequence[Kind], id_prefix: str, *, as_of: str = ""
    ) -> Answer[Sequence[Resource]]:
        """All resources of some kinds (none: all) as of a moment (empty: now), in the order in
        which `apply` takes them; of templates every version in use, oldest first.

        Raises:
            Refused: INVALID_FIELD, HISTORY_RESET, HISTORY_TRIMMED.
        """

        def work(unit: UnitOfWork) -> tuple[Sequence[Resource], Position]:
            needed = {*(kinds or DECLARED)}
            if Kind.TEMPLATE in needed:
                needed.add(Kind.CONTROL_UNIT)  # which versions were in use
            position = position_at(unit, moment_of(as_of), needed)
            return list(declared_at(unit, kinds, id_prefix, position)), position

        return told_at(await self._store.read(work))
