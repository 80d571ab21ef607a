"""The nodes of the database, as the one that answers knows them."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from pathlib import Path

from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from metadata_server.domain.replica import DatabaseNode, DatabaseRole
from metadata_server.store.mysql_connections import share_tls_context
from metadata_server.store.unit_of_work import UnitOfWork

NODE = text("SELECT @@hostname, @@version")
# Not as @@wsrep_on: MySQL refuses words that it does not know, where this leaves them out.
CLUSTER = text(
    "SHOW VARIABLES WHERE Variable_name IN ('wsrep_on', 'wsrep_node_name', 'wsrep_node_address')"
)
STATUS = text(
    "SHOW GLOBAL STATUS WHERE Variable_name IN "
    "('wsrep_local_state_comment', 'wsrep_incoming_addresses', 'wsrep_cluster_status', "
    "'wsrep_local_recv_queue', 'wsrep_flow_control_active')"
)
NOT_PRIMARY = "non-Primary"
# Whoever stands by and is well answers at once, in s.
ASK_S = 1


def database_nodes(unit: UnitOfWork) -> list[DatabaseNode]:
    """The node that is written to first, then those that stand by, of which it knows no more than
    that they are there."""
    if unit.database.is_sqlite:
        file = Path(unit.database.url.database or "").name
        return [DatabaseNode(file, DatabaseRole.WRITER, f"SQLite {sqlite3.sqlite_version}")]
    host, release = unit.connection.execute(NODE).one()
    cluster = {row[0]: row[1] for row in unit.connection.execute(CLUSTER)}
    if cluster.get("wsrep_on") != "ON":
        return [DatabaseNode(host, DatabaseRole.WRITER, version_of(release))]
    status = {row[0]: row[1] for row in unit.connection.execute(STATUS)}
    own = _member(cluster.get("wsrep_node_name") or host, DatabaseRole.WRITER, release, status)
    own_address = cluster.get("wsrep_node_address", "").partition(":")[0]
    addresses = status.get("wsrep_incoming_addresses", "")
    return [own, *standbys(addresses, own_port(unit), own_address)]


def version_of(release: str) -> str:
    """`MariaDB 10.11.14` of `10.11.14-MariaDB-log`."""
    return f"{'MariaDB' if 'MariaDB' in release else 'MySQL'} {release.partition('-')[0]}"


def _member(id: str, role: DatabaseRole, release: str, status: Mapping[str, str]) -> DatabaseNode:
    """What a node of a cluster says of itself."""
    state = status.get("wsrep_local_state_comment", "")
    if status.get("wsrep_cluster_status") == NOT_PRIMARY:
        state = NOT_PRIMARY
    queue = status.get("wsrep_local_recv_queue", "")
    return DatabaseNode(
        id,
        role,
        version_of(release),
        state,
        waiting=int(queue) if queue.isdecimal() else None,
        is_held_up=status.get("wsrep_flow_control_active") == "true",
    )


class StandBy:
    """One that stands by, asked past whatever balances.

    Args:
        url: of the database.
        address: `host:port`.
    """

    def __init__(self, url: URL, address: str) -> None:
        self._address = address
        host, _, port = address.rpartition(":")
        timeouts = ("connect_timeout", "read_timeout", "write_timeout")
        self._engine = create_engine(
            url.set(host=host.strip("[]"), port=int(port)),
            poolclass=NullPool,
            hide_parameters=True,
            isolation_level="AUTOCOMMIT",
            connect_args=dict.fromkeys(timeouts, ASK_S),
        )
        share_tls_context(self._engine)

    def ask(self) -> DatabaseNode | None:
        """What it says of itself; None: it does not answer, or takes nobody at this moment."""
        try:
            with self._engine.connect() as connection:
                _, release = connection.execute(NODE).one()
                status = {row[0]: row[1] for row in connection.execute(STATUS)}
        except DBAPIError:
            return None
        return _member(self._address, DatabaseRole.STANDBY, release, status)


def own_port(unit: UnitOfWork) -> int:
    return int(unit.connection.execute(text("SELECT @@port")).scalar_one())


def standbys(addresses: str, port: int, host: str = "") -> list[DatabaseNode]:
    """The other members of a cluster, by the addresses at which they take clients.

    Args:
        addresses: `host:port` with commas, as Galera tells them; `AUTO` is one that says none.
        port, host: of the node that answers, which is left out; where none is just there, the
            first with its port is, or the first of all.
    """
    found = [each.strip() for each in addresses.split(",") if each.strip()]
    alike = [each for each in found if each.rpartition(":")[2] == str(port)]
    own = f"{host}:{port}"
    if own not in found:
        own = next(iter(alike or found), "")
    if own in found:
        found.remove(own)
    return [DatabaseNode(each, DatabaseRole.STANDBY) for each in found]
