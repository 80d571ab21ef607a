"""All of a backup is restored, or nothing: whatever becomes of the restore."""

import gzip
import io
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from metadata_server.domain.backup import BackupFailed
from metadata_server.domain.intent.template import Template
from metadata_server.domain.refused import Refused
from metadata_server.services.backups.restoring import check_target, restore
from metadata_server.services.intent.resources import Resources
from metadata_server.store.backups.target import Target
from metadata_server.store.database import Database
from metadata_server.store.migration import migrate, present_schema
from metadata_server.store.schema_steps import CannotMigrate, known_schema
from metadata_server.store.store import Store
from tests.backups.conftest import CALLER, Open, backed_up, restored, rows_of
from tests.services.lively import SUPPLY
from tests.stages.opened_store import opened_store


class Killed(BaseException):
    """Nothing of ours catches it."""


@pytest.fixture
async def backup(tmp_path_factory: pytest.TempPathFactory, opens: Open) -> bytes:
    """Of an SQLite store with one template."""
    url = f"sqlite:///{tmp_path_factory.mktemp('source') / 'mds.sqlite'}"
    with opened_store(url) as store:
        await Resources(store).create(CALLER, SUPPLY, validate_only=False)
    return backed_up(opens(url))


async def templates(database: Database) -> list[str]:
    store = Store(database)
    answer = await store.read(lambda unit: [each.id for each in unit.resources.where(Template)])
    return answer.value


async def test_a_database_that_has_data_is_refused_and_left_alone(
    database: str, backup: bytes, opens: Open
) -> None:
    target = opens(database)
    await Resources(Store(target)).create(CALLER, SUPPLY, validate_only=False)
    before = rows_of(target)
    with pytest.raises(BackupFailed, match="has data"):
        restored(target, backup)
    assert rows_of(target) == before
    with target.writing.begin() as connection:
        connection.execute(text("DELETE FROM revision"))  # also where its counter is gone
    with pytest.raises(BackupFailed, match=r"has data, in .*template"):
        check_target(target)


def test_a_database_with_tables_of_something_else_is_refused(
    empty_sqlite_database: str, backup: bytes, opens: Open
) -> None:
    target = opens(empty_sqlite_database)
    with target.writing.begin() as connection:
        connection.execute(text("CREATE TABLE invoices (one INTEGER)"))
    with pytest.raises(BackupFailed, match="invoices"):
        restored(target, backup)
    assert present_schema(target) is None


@pytest.mark.parametrize(
    ("step", "family"),
    [
        ("lay_out", "sqlite"),
        ("_migrate", "mariadb"),
        ("load", "mariadb"),
        ("bring_up", "mariadb"),
        ("open", "sqlite"),
    ],
)
async def test_a_restore_that_was_killed_serves_nobody_and_is_begun_again(
    step: str,
    family: str,
    backup: bytes,
    opens: Open,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    target = opens(request.getfixturevalue(f"{family}_database"))
    done: Callable[..., object] = getattr(Target, step)

    def killed(self: Target, *arguments: object) -> None:
        done(self, *arguments)
        raise Killed

    before: Callable[..., object] = killed if step != "open" else broken_off
    with monkeypatch.context() as patch:
        patch.setattr(Target, step, before)
        with pytest.raises(Killed):
            restored(target, backup)
    for refused in (lambda: backed_up(target), lambda: migrate(target)):
        with pytest.raises((BackupFailed, CannotMigrate), match=r"restore|no tables"):
            refused()
    with pytest.raises(Refused) as unserved:
        await Store(target).read(lambda unit: unit.position)
    assert unserved.value.reason == "SCHEMA_UNKNOWN"
    check_target(target)
    restored(target, backup)
    assert await templates(target) == [SUPPLY.id]


def broken_off(*_: object) -> None:
    raise Killed


async def test_a_backup_that_is_cut_off_on_its_way_leaves_nothing_to_serve(
    sqlite_database: str, backup: bytes, opens: Open
) -> None:
    target = opens(sqlite_database)
    with pytest.raises(BackupFailed, match="cut off"):
        restored(target, backup[:-30])
    with pytest.raises(Refused, match="being restored"):
        await Store(target).read(lambda unit: unit.position)
    restored(target, backup)


def test_of_two_restores_at_once_the_later_one_goes_on(
    database: str, backup: bytes, opens: Open
) -> None:
    target, same = opens(database), opens(database)
    began: list[bool] = []

    def told(*_: object) -> None:
        if not began:
            began.append(True)
            restored(same, backup)

    with pytest.raises(BackupFailed, match=r"Another mds restore|has data"):
        restore(target, io.BytesIO(backup), "it", caller=CALLER, told=told)
    assert present_schema(same) == known_schema()
    backed_up(same)


async def test_a_backup_of_an_older_schema_is_brought_up(
    database: str, opens: Open, tmp_path: Path
) -> None:
    old = opens(f"sqlite:///{tmp_path / 'old.sqlite'}")
    migrate(old, to="0016")
    with old.writing.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO template (`key`, id, generation, revision, create_time_us, "
                "update_time_us, body, version, published_version) "
                "VALUES (7, 'Old', 1, 1, 1, 1, '{}', 1, 1)"
            )
        )
    target = opens(database)
    restored(target, backed_up(old))
    assert present_schema(target) == known_schema()
    assert [row[:2] for row in rows_of(target)["template"]] == [(7, "Old")]


def test_a_backup_of_a_newer_schema_is_refused(
    sqlite_database: str, backup: bytes, opens: Open
) -> None:
    newer = gzip.decompress(backup).replace(
        f'"schema":"{known_schema()}"'.encode(), b'"schema":"9999"', 1
    )
    with pytest.raises(BackupFailed, match="schema 9999 is of another release"):
        restored(opens(sqlite_database), gzip.compress(newer))
