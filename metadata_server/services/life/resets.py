"""Sessions of a history that was reset."""

from __future__ import annotations

from metadata_server.domain.change import Position
from metadata_server.domain.horizon import check_position
from metadata_server.domain.life.session import EndReason, Session
from metadata_server.domain.refused import Refused
from metadata_server.store.life.endings import end_now
from metadata_server.store.store import Store
from metadata_server.store.unit_of_work import UnitOfWork


async def check_history(store: Store, session: Session, position: Position) -> None:
    """Passes when what a unit server has seen is of this history; else its session ends.

    Raises:
        Refused: HISTORY_RESET.
    """

    def work(unit: UnitOfWork) -> Refused | None:
        try:
            check_position(position, unit.position)
        except Refused as reset:
            end_now(unit, session.id, EndReason.SUPERSEDED)
            return reset
        return None

    reset = (await store.transact(work)).value
    if reset is not None:
        raise reset
