"""Signs of life of the replicas: one row each, which costs no revision."""

from __future__ import annotations

from sqlalchemy import Column, Integer, String, Table, select

from metadata_server.domain.replica import SHOWN_US, Replica, ReplicaState, Sign
from metadata_server.store.chores import trim
from metadata_server.store.schema import KEY, OPTIONS, WORD, metadata
from metadata_server.store.schema_steps import known_schema
from metadata_server.store.unit_of_work import UnitOfWork
from metadata_server.store.upsert import upsert_rows

replica = Table(
    "replica",
    metadata,
    Column("id", String(255), primary_key=True),
    Column("state", WORD, nullable=False),
    Column("version", String(255), nullable=False),
    Column("host", String(255), nullable=False),
    Column("pid", KEY, nullable=False),
    Column("grpc_port", Integer, nullable=False),
    Column("http_port", Integer, nullable=False),
    Column("lag_us", KEY, nullable=False),
    Column("followers", Integer, nullable=False),
    Column("start_us", KEY, nullable=False),
    Column("seen_us", KEY, nullable=False),
    Column("database_node", String(255), nullable=False),
    Column("schema_step", WORD, nullable=False, server_default=""),
    **OPTIONS,
)


def write_sign(unit: UnitOfWork, sign: Sign, *, start_us: int) -> None:
    """Writes what a replica says of itself, by the database's clock."""
    node = unit.connection.execute(select(unit.database.node)).scalar_one()
    row = {
        "id": sign.id[:255],
        "state": sign.state.value,
        "version": sign.version[:255],
        "host": sign.host[:255],
        "pid": sign.pid,
        "grpc_port": sign.grpc_port,
        "http_port": sign.http_port,
        "lag_us": sign.lag_us,
        "followers": sign.followers,
        "start_us": start_us,
        "seen_us": unit.now_us,
        "database_node": str(node)[:255],
        "schema_step": known_schema(),
    }
    upsert_rows(unit.connection, replica, [row])


def replicas(unit: UnitOfWork) -> list[Replica]:
    """Those that serve, or lately did, by id."""
    query = (
        select(replica).where(replica.c.seen_us >= unit.now_us - SHOWN_US).order_by(replica.c.id)
    )
    return [
        Replica(
            sign=Sign(
                id=row["id"],
                state=ReplicaState(row["state"]),
                version=row["version"],
                host=row["host"],
                pid=row["pid"],
                grpc_port=row["grpc_port"],
                http_port=row["http_port"],
                lag_us=row["lag_us"],
                followers=row["followers"],
            ),
            start_us=row["start_us"],
            seen_us=row["seen_us"],
            database_node=row["database_node"],
        )
        for row in unit.connection.execute(query).mappings()
    ]


def trim_replicas(unit: UnitOfWork, before_us: int) -> int:
    return trim(unit, replica, replica.c.seen_us, before_us)
