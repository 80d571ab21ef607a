"""Bundles: many resources of mixed kinds, taken or refused as a whole; and their export."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Collection, Sequence

from metadata_server.domain.change import Caller, Position
from metadata_server.domain.horizon import check_position
from metadata_server.domain.intent.bundle import Item
from metadata_server.domain.moment import moment_of
from metadata_server.domain.names import Kind
from metadata_server.domain.refused import Refused
from metadata_server.domain.resource import Resource
from metadata_server.services.intent.exports import (
    Piece,
    Place,
    needed_for,
    piece_at,
    place_of,
)
from metadata_server.services.intent.plans import Applied, Applying, carry_out
from metadata_server.services.intent.progress import ApplyProgress
from metadata_server.store.past.moments import check_kept, position_at
from metadata_server.store.store import Answer, Store
from metadata_server.store.unit_of_work import UnitOfWork

TRIES = 10
"""So often a piece of an export that has begun is asked for, with the pauses that are told."""


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
    ) -> AsyncGenerator[Answer[Sequence[Resource]], None]:
        """All resources of some kinds (none: all) as of a moment (empty: now), in the order in
        which `apply` takes them; of templates every version in use, oldest first. In pieces, each
        read when it is asked for; there is one at least.

        Raises:
            Refused: INVALID_FIELD, HISTORY_RESET, HISTORY_TRIMMED.
        """
        needed = needed_for(kinds)

        def begin(unit: UnitOfWork) -> tuple[Piece, Position]:
            position = position_at(unit, moment_of(as_of), needed)
            return piece_at(unit, place_of(kinds, id_prefix, position)), position

        (piece, place), position = (await self._store.read(begin)).value
        yield Answer(piece, position)
        while place is not None:
            piece, place = await self._next(place, needed)
            yield Answer(piece, position)

    async def _next(self, place: Place, needed: Collection[Kind]) -> Piece:
        """The next piece; who has begun waits for it while the database is busy or away."""

        def work(unit: UnitOfWork) -> Piece:
            check_position(place.position, unit.position)
            check_kept(unit, place.position.revision, needed)
            return piece_at(unit, place)

        for _ in range(TRIES - 1):
            try:
                return (await self._store.read(work)).value
            except Refused as refused:
                if refused.retry_after_ms is None:
                    raise
                await asyncio.sleep(refused.retry_after_ms / 1000)
        return (await self._store.read(work)).value
