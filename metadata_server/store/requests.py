"""Requests that came with an id: the first answer is given again, another payload refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from metadata_server.domain.refused import Refused
from metadata_server.store.codec import data_of, text_of
from metadata_server.store.schema import request
from metadata_server.store.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class FirstAnswer:
    """What the first call of a request id did.

    Attributes:
        revision: that it wrote; where it wrote nothing, the one it was read at.
        answer: what it gave, as builtins small enough to keep.
    """

    revision: int
    answer: Mapping[str, Any]


def repeated(unit: UnitOfWork) -> FirstAnswer | None:
    """The answer of the first call with this request id, at whose position the unit of work then
    is; None: this is the first.

    Inserts the request's row before anything else is read, so that a repetition that comes at
    the same time waits for the first call and then finds its answer.

    Raises:
        Refused: REQUEST_ID_REUSED, when the first call asked for something else.
    """
    caller = unit.caller
    if caller is None or not caller.request_id or not caller.is_repeatable:
        return None
    mine = (request.c.principal == caller.principal.name) & (
        request.c.request_id == caller.request_id
    )
    row = unit.connection.execute(select(request).where(mine).with_for_update()).one_or_none()
    if row is None:
        unit.connection.execute(
            request.insert().values(
                principal=caller.principal.name,
                request_id=caller.request_id,
                method=caller.method,
                payload_hash=caller.payload_hash,
                revision=0,
                answer="{}",
                time_us=unit.now_us,
            )
        )
        return None
    if (row.method, row.payload_hash) != (caller.method, caller.payload_hash):
        raise Refused.precondition(
            "REQUEST_ID_REUSED",
            f"The request id {caller.request_id!r} came before, with another payload for "
            f"{row.method}. Use a new id for each intent.",
            request_id=caller.request_id,
            method=row.method,
        )
    # Not where this call began: the first may have been waited for since.
    unit.answer_again(row.revision)
    return FirstAnswer(row.revision, data_of(row.answer))


def remember(unit: UnitOfWork, answer: Mapping[str, Any]) -> None:
    """Keeps what this call answers, in the same transaction."""
    caller = unit.caller
    if caller is None or not caller.request_id or not caller.is_repeatable:
        return
    unit.connection.execute(
        request.update()
        .where(
            request.c.principal == caller.principal.name,
            request.c.request_id == caller.request_id,
        )
        .values(revision=unit.position.revision, answer=text_of(answer))
    )


def forget(unit: UnitOfWork) -> None:
    """Has the same request be taken for a first one when it comes again: it has done nothing."""
    caller = unit.caller
    if caller is None or not caller.request_id or not caller.is_repeatable:
        return
    unit.connection.execute(
        request.delete().where(
            request.c.principal == caller.principal.name,
            request.c.request_id == caller.request_id,
        )
    )
