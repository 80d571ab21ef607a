"""Whatever a row holds comes back, from each kind of database to the other."""

import io
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import Boolean, Integer, String, Text, insert

from metadata_server.domain.backup import Header
from metadata_server.services.backups.backup_file import BackupReader, BackupWriter
from metadata_server.store.backups.layout import LEFT_OUT, kept_tables, layout_of
from metadata_server.store.database import Database
from metadata_server.store.schema import history, metadata, name
from metadata_server.store.schema_steps import known_schema
from tests.backups.conftest import Open, backed_up, restored, rows_of
from tests.stages.layout import SQLiteLayout

HEADER = Header(
    store_id="a", epoch=1, revision=2, revision_time_us=3, schema="0001", time_us=4,
    product="test", family="sqlite",
)  # fmt: skip
LARGE = 2**63 - 1
ODD = ["", "\0", "\\", "'\"`", "[1]\n{}", "𝄞é\u2028", " a ", "%s", ":name"]
TEXT = st.text(max_size=30)
NUMBER = st.integers(-LARGE - 1, LARGE)
NOTHING = st.none()


@given(st.lists(st.lists(TEXT | NUMBER | NOTHING, min_size=3, max_size=3).map(tuple), max_size=40))
def test_a_file_gives_back_what_was_written(rows: list[tuple[Any, ...]]) -> None:
    out = io.BytesIO()
    writer = BackupWriter(out, HEADER)
    writer.begin("first", ("a", "b", "c"))
    writer.add(rows)
    writer.begin("empty", ("a",))
    trailer = writer.end()
    reader = BackupReader(io.BytesIO(out.getvalue()), "it")
    assert reader.header == HEADER
    assert [tuple(row) for piece in reader.pieces() for row in piece.rows] == rows
    assert reader.trailer == trailer
    assert trailer.rows == {"first": len(rows), "empty": 0}


def fill(database: Database, documents: list[str], numbers: list[int]) -> None:
    changes = [
        {"revision": revision, "key": numbers[revision % len(numbers)], "image": document}
        for revision, document in enumerate(documents, 1)
    ]
    names = [{"id": f"id{each['revision']}", "from_revision": each["revision"]} for each in changes]
    with database.writing.begin() as connection:
        connection.execute(insert(history).values(ordinal=0, kind="k", action="a"), changes)
        connection.execute(insert(name).values(kind="k", key=1), names)


# Without shrinking: an example takes seconds.
@settings(
    max_examples=2,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(
    documents=st.lists(TEXT, min_size=5, max_size=10),
    numbers=st.lists(NUMBER, min_size=1, max_size=5),
)
def test_rows_are_the_same_in_the_other_family_and_back(
    documents: list[str], numbers: list[int], opens: Open, tmp_path_factory: pytest.TempPathFactory,
    sqlite_layout: SQLiteLayout, empty_mariadb_database: str,
) -> None:  # fmt: skip
    folder = tmp_path_factory.mktemp("rows")
    sqlite_layout.copy_to(folder / "a.db")
    first, last = (opens(f"sqlite:///{folder / each}") for each in ("a.db", "b.db"))
    between = opens(empty_mariadb_database)
    fill(first, (documents + ODD) * 60, [*numbers, LARGE, -LARGE, 0])  # more than one piece
    backup = backed_up(first)
    with between.writing.begin() as connection:
        for table in metadata.tables.values():
            table.drop(connection, checkfirst=True)
    restored(between, backup)
    restored(last, backed_up(between))
    wanted, there, back = rows_of(first), rows_of(between), rows_of(last)
    for each in ("history", "name"):
        assert there[each] == back[each] == wanted[each]


def test_every_column_holds_numbers_or_text() -> None:
    """Other values would need another version of the format."""
    for table in metadata.tables.values():
        for column in table.columns:
            assert isinstance(column.type, Integer | String | Text | Boolean), column


def test_a_table_is_in_the_backup_or_left_out_on_purpose() -> None:
    tables = {each.name for each in kept_tables(known_schema())}
    assert tables.isdisjoint(LEFT_OUT)
    assert tables | LEFT_OUT == set(layout_of(known_schema()))
    assert set(layout_of("0001")) < set(layout_of(known_schema()))
