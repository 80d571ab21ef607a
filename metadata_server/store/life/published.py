"""What the code of units has published: their datasets, by the key of the unit."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select

from metadata_server.store.keys import batches
from metadata_server.store.life.datasets import Attributes, datasets_of
from metadata_server.store.schema import control_unit_status
from metadata_server.store.unit_of_work import UnitOfWork


def published_attributes(unit: UnitOfWork, keys: Iterable[int]) -> dict[int, Attributes]:
    """Attributes of the datasets that units published, by key, of those that did."""
    hashes = published_hashes(unit, keys)
    datasets = datasets_of(unit, hashes.values())
    return {key: datasets[name].attributes for key, name in hashes.items() if name in datasets}


def published_hashes(unit: UnitOfWork, keys: Iterable[int]) -> dict[int, str]:
    """Hashes of the datasets that units published, by key, of those that did."""
    status = control_unit_status
    hashes: dict[int, str] = {}
    for some in batches(sorted(set(keys))):
        query = select(status.c.key, status.c.dataset).where(
            status.c.key.in_(some), status.c.dataset != ""
        )
        hashes |= {row.key: row.dataset for row in unit.connection.execute(query)}
    return hashes
