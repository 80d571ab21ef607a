"""What the sweeps over the leases know of themselves: one row for all replicas."""

from __future__ import annotations

from sqlalchemy import select

from metadata_server.domain.session import Observer
from metadata_server.store import schema
from metadata_server.store.unit_of_work import UnitOfWork


def observer(unit: UnitOfWork) -> Observer:
    table = schema.observer
    columns = (table.c.sweep_us, table.c.node, table.c.blind_since_us, table.c.blind_until_us)
    row = unit.connection.execute(select(*columns).where(table.c.one == 1)).one()
    return Observer(row.sweep_us, row.node, row.blind_since_us, row.blind_until_us)
