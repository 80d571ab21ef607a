"""From the first schema to the second: templates learn where their versions stand."""

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from metadata_server.domain.intent.template import Template, VersionMark, VersionState
from metadata_server.domain.names import Kind
from metadata_server.store.database import Database
from metadata_server.store.migration import migrate
from metadata_server.store.past.history import image_at
from metadata_server.store.store import Store
from metadata_server.store.unit_of_work import UnitOfWork
from tests.store.first_schema import insert, on_first_schema

KEY = 21
META = {"generation": 2, "create_time_us": 1, "update_time_us": 2}
FIRST, SECOND = (VersionMark(version, VersionState.PUBLISHED) for version in (1, 3))


@pytest.fixture
def opened(empty_database: str) -> Iterator[Database]:
    """A database on the first schema, with a template of versions 1 and 3."""
    with on_first_schema(empty_database, fill) as opened:
        yield opened


def fill(connection: sa.Connection) -> None:
    body = '{"implementation":"::Supply"}'
    row = {"key": KEY, "id": "Supply", "revision": 7, "version": 3, "body": body, **META}
    insert(connection, "template", row)
    for version, revision in ((1, 4), (3, 7)):
        row = {"template_key": KEY, "version": version, "version_state": "PUBLISHED"}
        insert(connection, "template_version", row | {"revision": revision, "body": body})
        image = f'{{"id":"Supply","generation":1,"create_time_us":1,"update_time_us":2,"version":{version}}}'
        row = {"revision": revision, "ordinal": 0, "kind": "template", "key": KEY}
        insert(connection, "history", row | {"action": "UPDATED", "image": image})
    connection.execute(sa.text("UPDATE revision SET value = 8"))


@pytest.mark.parametrize("times", [1, 2])
def test_old_versions_are_published_now_and_in_the_past(opened: Database, times: int) -> None:
    for _ in range(times):
        migrate(opened)
        with opened.writing.connect() as connection:
            if times == 2:
                connection.execute(sa.text("UPDATE alembic_version SET version_num = '0001'"))
                connection.commit()
    migrate(opened)

    def work(unit: UnitOfWork) -> list[Any]:
        images = [image_at(unit, Kind.TEMPLATE, KEY, revision) for revision in (5, 8)]
        published = unit.connection.scalar(sa.text("SELECT published_version FROM template"))
        return [unit.resources.get(Template, "Supply"), *images, published]

    present, early, late, published = Store(opened).read_now(work).value
    assert (present.versions, published) == ((FIRST, SECOND), 3)
    assert early.versions == (FIRST,)
    assert late.versions == (FIRST, SECOND)
