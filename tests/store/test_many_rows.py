"""Rows that are written in one statement are what they were, whatever stands in them."""

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from metadata_server.store import many_rows
from metadata_server.store.database import open_database
from metadata_server.store.migration import migrate
from metadata_server.store.schema import dataset
from metadata_server.store.upsert import insert_rows, upsert_rows

TEXTS = [
    "",
    "plain",
    "it's",
    '"quoted"',
    "back\\slash",
    "\\",
    "ends with \\'",
    "'); DROP TABLE dataset; --",
    "), (1, 2",
    " VALUES (%s, %(hash)s)",
    "100 %",
    "%s %(attributes)s %%",
    "zero \0 inside",
    "line\r\nand\ttab\x1a",
    "µA, Größe, 磁石, 🧲",
    "`tick` /* comment */ # -- ",
]
FEWEST = many_rows.FEW


def rows_with(*texts: str) -> list[dict[str, object]]:
    return [
        {"hash": f"{number:04}", "attributes": text, "create_time_us": number % 2}
        for number, text in enumerate(texts)
    ]


@pytest.mark.parametrize("count", [len(TEXTS), FEWEST - 1], ids=["many", "few"])
def test_texts_come_back_as_they_were(database: str, count: int) -> None:
    opened = open_database(database)
    migrate(opened)
    expected = rows_with(*TEXTS[-count:])
    with opened.writing.connect() as connection:
        upsert_rows(connection, dataset, rows_with(*["before"] * count))
        upsert_rows(connection, dataset, expected)
        connection.commit()
        found = connection.execute(select(dataset).order_by(dataset.c.hash)).mappings().all()
    opened.dispose()
    assert [dict(row) for row in found] == expected


def test_a_column_may_have_the_same_text_in_all_rows(database: str) -> None:
    opened = open_database(database)
    migrate(opened)
    with opened.writing.connect() as connection:
        for text in TEXTS:
            upsert_rows(connection, dataset, rows_with(*[text] * FEWEST))
            found = connection.scalars(select(dataset.c.attributes)).all()
            assert found == [text] * FEWEST
        connection.commit()
    opened.dispose()


def test_a_long_statement_is_divided(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(many_rows, "MOST_CHARACTERS", 100)
    opened = open_database(database)
    migrate(opened)
    texts = ["x" * length for length in (10, 90, 150, 1, 2, 3, 100, 60, 60, 1)]
    with opened.writing.connect() as connection:
        insert_rows(connection, dataset, rows_with(*texts))
        connection.commit()
        query = select(dataset.c.attributes).order_by(dataset.c.hash)
        assert connection.scalars(query).all() == texts
    opened.dispose()


def test_an_error_does_not_tell_all_that_was_to_be_written(mariadb_database: str) -> None:
    opened = open_database(mariadb_database)
    migrate(opened)
    rows = rows_with(*["secret"] * 1000)
    with opened.writing.connect() as connection:
        insert_rows(connection, dataset, rows)
        with pytest.raises(IntegrityError) as caught:
            insert_rows(connection, dataset, rows)
        connection.rollback()
    opened.dispose()
    assert len(str(caught.value)) < 1000
    assert "secret" not in str(caught.value)
