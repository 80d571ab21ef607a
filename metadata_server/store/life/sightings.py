"""Unit servers that knocked and that nobody declared."""

from __future__ import annotations

from sqlalchemy import select

from metadata_server.domain.filter.asked_list import AskedList
from metadata_server.domain.life.sighting import Sighting
from metadata_server.store.codec import data_of, text_of
from metadata_server.store.filter.record_sources import SIGHTINGS
from metadata_server.store.schema import sighting
from metadata_server.store.unit_of_work import UnitOfWork
from metadata_server.store.upsert import insert_missing


def record_sighting(unit: UnitOfWork, seen: Sighting) -> None:
    """Counts one more knock, with what was said last."""
    said = {
        "host": seen.host,
        "address": seen.address,
        "pid": seen.pid,
        "classes": text_of({"classes": list(seen.classes)}),
        "last_time_us": unit.now_us,
    }
    first = {"unit_server": seen.unit_server, "first_time_us": unit.now_us, "count": 0, **said}
    insert_missing(unit.connection, sighting, [first])
    unit.connection.execute(
        sighting.update()
        .where(sighting.c.unit_server == seen.unit_server)
        .values(count=sighting.c.count + 1, **said)
    )


def sightings(unit: UnitOfWork, asked: AskedList) -> list[Sighting]:
    """The first of a list; those that have been declared since are left out by the caller."""
    found = SIGHTINGS.page(unit, select(sighting), asked).items
    return [
        Sighting(
            unit_server=row["unit_server"],
            host=row["host"],
            address=row["address"],
            pid=row["pid"],
            classes=tuple(data_of(row["classes"])["classes"]),
            first_time_us=row["first_time_us"],
            last_time_us=row["last_time_us"],
            count=row["count"],
        )
        for row in found
    ]
