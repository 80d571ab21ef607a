"""What the sweeps over the leases know of themselves: one row for all replicas."""

from __future__ import annotations

from sqlalchemy import select

from metadata_server.domain.life.session import Observer
from metadata_server.store import schema
from metadata_server.store.unit_of_work import UnitOfWork

table = schema.observer


def observer(unit: UnitOfWork) -> Observer:
    return observer_and_node(unit)[0]


def observer_and_node(unit: UnitOfWork) -> tuple[Observer, str]:
    """What the last sweep left, and the node of the database that answers now."""
    columns = (table.c.sweep_us, table.c.node, table.c.blind_since_us, table.c.blind_until_us)
    present = unit.database.node.label("present")
    row = unit.connection.execute(select(*columns, present).where(table.c.one == 1)).one()
    return (
        Observer(row.sweep_us, row.node, row.blind_since_us, row.blind_until_us),
        str(row.present)[:255],
    )


def claim_sweep(unit: UnitOfWork, before: Observer, after: Observer) -> bool:
    """Takes the next sweep; False: another replica has taken it."""
    taking = (
        table.update()
        .where(table.c.one == 1, table.c.sweep_us == before.sweep_us)
        .values(
            sweep_us=after.sweep_us,
            node=after.node,
            blind_since_us=after.blind_since_us,
            blind_until_us=after.blind_until_us,
        )
    )
    return unit.connection.execute(taking).rowcount == 1
