"""Questions for the end of a log: put by whichever replica was asked, answered through whichever
the agent reports to."""

from __future__ import annotations

import uuid

from sqlalchemy import select

from metadata_server.domain.life.agent_report import LogRequest
from metadata_server.domain.names import Kind
from metadata_server.store.agents.agent_tables import log_request
from metadata_server.store.chores import trim
from metadata_server.store.codec import data_of, text_of
from metadata_server.store.unit_of_work import UnitOfWork
from metadata_server.store.upsert import insert_rows

KEPT_US = 60_000_000
"""Nobody waits for an answer for so long."""
MOST_ASKED = 100
"""Questions that one agent is told of at once."""


def ask(unit: UnitOfWork, agent_key: int, unit_server_key: int, line_count: int) -> str:
    """Puts a question; its id."""
    trim(unit, log_request, log_request.c.time_us, unit.now_us - KEPT_US)
    row = {
        "id": str(uuid.uuid4()),
        "agent_key": agent_key,
        "unit_server_key": unit_server_key,
        "line_count": line_count,
        "time_us": unit.now_us,
        "answer": None,
    }
    insert_rows(unit.connection, log_request, [row])
    return str(row["id"])


def asked_of(unit: UnitOfWork, agent_key: int) -> list[LogRequest]:
    """What an agent has not answered yet, oldest first."""
    query = (
        select(log_request)
        .where(
            log_request.c.agent_key == agent_key,
            log_request.c.answer.is_(None),
            log_request.c.time_us > unit.now_us - KEPT_US,
        )
        .order_by(log_request.c.time_us)
        .limit(MOST_ASKED)
    )
    rows = unit.connection.execute(query).mappings().all()
    return [
        LogRequest(
            row["id"],
            unit.keys.id_of(Kind.UNIT_SERVER, row["unit_server_key"]),
            row["line_count"],
        )
        for row in rows
    ]


def answer(unit: UnitOfWork, request_id: str, lines: list[str]) -> None:
    """Takes an answer down; a question that is gone is passed over."""
    if not request_id.isascii():  # none is; MariaDB would refuse to compare it
        return
    unit.connection.execute(
        log_request.update()
        .where(log_request.c.id == request_id, log_request.c.answer.is_(None))
        .values(answer=text_of({"lines": lines}))
    )


def answer_of(unit: UnitOfWork, request_id: str) -> list[str] | None:
    """The lines; None: there is no answer yet."""
    query = select(log_request.c.answer).where(log_request.c.id == request_id)
    text = unit.connection.execute(query).scalar_one_or_none()
    return None if text is None else list(data_of(text)["lines"])


def forget(unit: UnitOfWork, request_id: str) -> None:
    unit.connection.execute(log_request.delete().where(log_request.c.id == request_id))
