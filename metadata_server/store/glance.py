"""Where the database stands, in one statement on a connection of its own."""

from __future__ import annotations

from sqlalchemy import Engine, select
from sqlalchemy.engine import Connection

from metadata_server.domain.change import Position
from metadata_server.store.schema import revision

WHERE_IT_STANDS = select(revision.c.store_id, revision.c.epoch, revision.c.value).where(
    revision.c.one == 1
)


class Glance:
    """For one thread. Each look is a transaction by itself, which needs no begin and no end: of
    the few statements that a look takes otherwise, this is one."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection: Connection | None = None

    def position(self) -> Position:
        """
        Raises:
            DBAPIError: the next call tries on a fresh connection.
        """
        if self._connection is None:
            self._connection = self._engine.connect()
        try:
            store_id, epoch, value = self._connection.execute(WHERE_IT_STANDS).one()
        except BaseException:  # whatever broke off, the connection may be in the middle of a reply
            broken, self._connection = self._connection, None
            broken.invalidate()
            broken.close()
            raise
        return Position(store_id, epoch, value)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
