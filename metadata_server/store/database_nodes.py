"""The nodes of the database, as the one that answers knows them."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sqlalchemy import text

from metadata_server.domain.replica import DatabaseNode, DatabaseRole
from metadata_server.store.unit_of_work import UnitOfWork

NODE = text("SELECT @@hostname, @@version")
# Not as @@wsrep_on: MySQL refuses words that it does not know, where this leaves them out.
CLUSTER = text("SHOW VARIABLES WHERE Variable_name IN ('wsrep_on', 'wsrep_node_name')")
STATUS = text(
    "SHOW GLOBAL STATUS WHERE Variable_name IN "
    "('wsrep_local_state_comment', 'wsrep_incoming_addresses', 'wsrep_cluster_status', "
    "'wsrep_local_recv_queue', 'wsrep_flow_control_active')"
)
NOT_PRIMARY = "non-Primary"


def database_nodes(unit: UnitOfWork) -> list[DatabaseNode]:
    """The node that is written to first, then those that stand by."""
    if unit.database.is_sqlite:
        file = Path(unit.database.url.database or "").name
        return [DatabaseNode(file, DatabaseRole.WRITER, f"SQLite {sqlite3.sqlite_version}")]
    host, release = unit.connection.execute(NODE).one()
    kind = "MariaDB" if "MariaDB" in release else "MySQL"
    version = f"{kind} {release.partition('-')[0]}"
    cluster = {row[0]: row[1] for row in unit.connection.execute(CLUSTER)}
    if cluster.get("wsrep_on") != "ON":
        return [DatabaseNode(host, DatabaseRole.WRITER, version)]
    status = {row[0]: row[1] for row in unit.connection.execute(STATUS)}
    state = status.get("wsrep_local_state_comment", "")
    if status.get("wsrep_cluster_status") == NOT_PRIMARY:
        state = NOT_PRIMARY
    queue = status.get("wsrep_local_recv_queue", "")
    own = DatabaseNode(
        cluster.get("wsrep_node_name") or host,
        DatabaseRole.WRITER,
        version,
        state,
        waiting=int(queue) if queue.isdecimal() else None,
        is_held_up=status.get("wsrep_flow_control_active") == "true",
    )
    return [own, *standbys(status.get("wsrep_incoming_addresses", ""), own_port(unit))]


def own_port(unit: UnitOfWork) -> int:
    return int(unit.connection.execute(text("SELECT @@port")).scalar_one())


def standbys(addresses: str, port: int) -> list[DatabaseNode]:
    """The other members of a cluster, by the addresses at which they take clients.

    Args:
        addresses: `host:port` with commas, as Galera tells them; `AUTO` is one that says none.
        port: of the node that answers; of its own addresses the first with it is left out.
    """
    found = [each.strip() for each in addresses.split(",") if each.strip()]
    own = next((each for each in found if each.rpartition(":")[2] == str(port)), None)
    if own is None:
        own = next(iter(found), "")
    if own in found:
        found.remove(own)
    return [DatabaseNode(each, DatabaseRole.STANDBY) for each in found]
