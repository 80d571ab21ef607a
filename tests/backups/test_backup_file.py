"""A backup that is not whole is refused before anything is written."""

import gzip
import io
import resource
import stat
from pathlib import Path

import pytest

from metadata_server.domain.backup import BackupFailed
from metadata_server.services.backups.backing_up import back_up_to, read_back
from metadata_server.services.backups.backup_file import BackupReader, checked
from metadata_server.services.intent.resources import Resources
from tests.backups.conftest import Open, backed_up
from tests.services.lively import CALLER, SUPPLY
from tests.stages.opened_store import opened_store


def read(data: bytes) -> object:
    return checked(BackupReader(io.BytesIO(data), "it"))


@pytest.fixture
async def backup(sqlite_database: str, opens: Open) -> bytes:
    with opened_store(sqlite_database) as store:
        await Resources(store).create(CALLER, SUPPLY, validate_only=False)
    return backed_up(opens(sqlite_database))


def test_it_is_refused_wherever_it_is_cut_off(backup: bytes) -> None:
    whole = read(backup)
    for length in (0, 1, 15, *range(20, len(backup) - 8, 97)):
        with pytest.raises(BackupFailed, match=r"no backup|cut off"):
            read(backup[:length])
    assert read(backup) == whole


def test_it_is_refused_wherever_a_byte_is_another(backup: bytes) -> None:
    whole = read(backup)
    for place in range(10, len(backup), 41):
        altered = bytes([*backup[:place], backup[place] ^ 0x10, *backup[place + 1 :]])
        try:
            assert read(altered) == whole, "a byte that says nothing"
        except BackupFailed:
            continue


def test_a_line_that_was_left_out_or_changed_is_missed(backup: bytes) -> None:
    lines = gzip.decompress(backup).splitlines(keepends=True)
    row = next(place for place, line in enumerate(lines) if line.startswith(b"["))
    changed = lines[row].replace(b"tester", b"nobody").replace(b"lab::", b"bal::")
    for wrong in (
        lines[:row] + lines[row + 1 :],
        [*lines[: row + 1], *lines[row:]],
        [*lines[:row], changed, *lines[row + 1 :]],
        [*lines, b"more\n"],
    ):
        if wrong == lines:
            continue
        with pytest.raises(BackupFailed, match=r"damaged|altered"):
            read(gzip.compress(b"".join(wrong)))


def test_other_files_and_newer_formats_are_told_apart(backup: bytes) -> None:
    for other in (b"", b"hello", gzip.compress(b"hello\n"), gzip.compress(b"{}\n")):
        with pytest.raises(BackupFailed, match="no backup"):
            read(other)
    newer = gzip.decompress(backup).replace(b'"version":1', b'"version":2', 1)
    with pytest.raises(BackupFailed, match="version 2"):
        read(gzip.compress(newer))


def test_only_its_owner_may_read_it_and_it_takes_nobodys_place(
    sqlite_database: str, opens: Open, tmp_path: Path
) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    path = folder / "monday"
    database = opens(sqlite_database)

    def make(*, overwrite: bool) -> object:
        return back_up_to(database, path, product="test", overwrite=overwrite, told=lambda *_: None)

    made = make(overwrite=False)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_back(path) == made
    with pytest.raises(BackupFailed, match="--overwrite"):
        make(overwrite=False)
    make(overwrite=True)
    assert [each.name for each in folder.iterdir()] == ["monday"]


def test_a_full_disk_leaves_nothing_behind(
    sqlite_database: str, opens: Open, tmp_path: Path
) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    database = opens(sqlite_database)
    backed_up(database)  # what SQLite writes beside its file is there by now
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (600, hard))
    try:
        with pytest.raises(BackupFailed, match="no room"):
            back_up_to(
                database, folder / "monday", product="test", overwrite=False,
                told=lambda *_: None,
            )  # fmt: skip
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not list(folder.iterdir())
