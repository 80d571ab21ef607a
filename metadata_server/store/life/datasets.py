"""Published datasets, stored once for each content."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from metadata_server.domain.intent.attribute import Attribute
from metadata_server.store.codec import build, data_of, plain, text_of
from metadata_server.store.keys import batches
from metadata_server.store.schema import dataset
from metadata_server.store.unit_of_work import UnitOfWork
from metadata_server.store.upsert import insert_missing

Attributes = tuple[Attribute, ...]


@dataclass(frozen=True, slots=True)
class Dataset:
    """A published dataset; its attributes are sorted by name."""

    hash: str
    attributes: Attributes
    create_time_us: int


def datasets_of(unit: UnitOfWork, hashes: Iterable[str]) -> dict[str, Dataset]:
    """Datasets by hash, of those that are there."""
    found = {}
    for some in batches(sorted(set(hashes) - {""})):
        for row in unit.connection.execute(select(dataset).where(dataset.c.hash.in_(some))):
            content = data_of(row.attributes)["attributes"]
            attributes = tuple(build(Attribute, each) for each in content)
            found[row.hash] = Dataset(row.hash, attributes, row.create_time_us)
    return found


def stored_among(unit: UnitOfWork, hashes: Iterable[str]) -> set[str]:
    """Those of some hashes whose datasets are there."""
    found: set[str] = set()
    for some in batches(sorted(set(hashes) - {""})):
        query = select(dataset.c.hash).where(dataset.c.hash.in_(some))
        found.update(unit.connection.scalars(query))
    return found


def store_datasets(unit: UnitOfWork, published: Mapping[str, Sequence[Attribute]]) -> None:
    """Stores what is not there yet; the hashes have been checked."""
    rows = [
        {
            "hash": name,
            "attributes": text_of({"attributes": [plain(each) for each in attributes]}),
            "create_time_us": unit.now_us,
        }
        for name, attributes in published.items()
    ]
    insert_missing(unit.connection, dataset, rows)
