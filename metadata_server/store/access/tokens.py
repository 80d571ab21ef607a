"""Tokens in the database."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict

from sqlalchemy import select, tuple_
from sqlalchemy.engine import RowMapping

from metadata_server.domain.access.role import Role
from metadata_server.domain.access.token import Token
from metadata_server.store.access.token_table import token as table
from metadata_server.store.keys import batches
from metadata_server.store.unit_of_work import UnitOfWork
from metadata_server.store.upsert import insert_rows


def add_token(unit: UnitOfWork, token: Token) -> None:
    insert_rows(unit.connection, table, [asdict(token)])


def token_of(unit: UnitOfWork, id: str, *, lock: bool = False) -> Token | None:
    """The token of an id; None: there is none."""
    query = select(table).where(table.c.id == id)
    if lock:
        query = query.with_for_update()
    row = unit.connection.execute(query).mappings().one_or_none()
    return None if row is None else token_from(row)


def unrevoked_tokens(unit: UnitOfWork, *, expired_since_us: int) -> list[Token]:
    """All that are good, and those that have expired since a time."""
    is_open = (table.c.expire_time_us == 0) | (table.c.expire_time_us > expired_since_us)
    query = select(table).where(table.c.revoke_time_us == 0, is_open)
    return [token_from(row) for row in unit.connection.execute(query).mappings()]


def tokens_after(
    unit: UnitOfWork,
    place: Sequence[int | str],
    *,
    principal: str,
    active_only: bool,
    limit: int,
) -> list[Token]:
    """Tokens, the newest first.

    Args:
        place: time of creation and id of the last one before them; empty: from the newest on.
        principal: only this name's; empty: all.
    """
    query = select(table).order_by(table.c.create_time_us.desc(), table.c.id.desc())
    if place:
        query = query.where(tuple_(table.c.create_time_us, table.c.id) < tuple(place))
    if principal:
        query = query.where(table.c.principal == principal)
    if active_only:
        is_open = (table.c.expire_time_us == 0) | (table.c.expire_time_us > unit.now_us)
        query = query.where(table.c.revoke_time_us == 0, is_open)
    return [token_from(row) for row in unit.connection.execute(query.limit(limit)).mappings()]


def write_revocation(unit: UnitOfWork, token: Token) -> None:
    ending = table.update().where(table.c.id == token.id, table.c.revoke_time_us == 0)
    unit.connection.execute(
        ending.values(
            revoke_time_us=token.revoke_time_us,
            revoker=token.revoker,
            revoke_reason=token.revoke_reason,
        )
    )


def note_use(unit: UnitOfWork, ids: Iterable[str], hour_us: int) -> None:
    """Takes down the hour in which tokens were used; no revision, for nobody watches that."""
    for some in batches(sorted(ids)):
        used = table.update().where(table.c.id.in_(some), table.c.last_use_time_us < hour_us)
        unit.connection.execute(used.values(last_use_time_us=hour_us))


def token_from(row: RowMapping) -> Token:
    return Token(**{**row, "role": Role(row["role"])})
