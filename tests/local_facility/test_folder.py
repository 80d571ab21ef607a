"""The folder of a local facility: one for each file, held by one process."""

import os
from pathlib import Path

import pytest

from control_units.local_facility.folder import Folder, RunsAlready


@pytest.fixture(autouse=True)
def data_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path / "data"


def test_files_of_the_same_name_have_folders_of_their_own(tmp_path: Path) -> None:
    here, there = Folder.of(tmp_path / "a" / "site.json"), Folder.of(tmp_path / "b" / "site.json")
    assert here.path != there.path
    assert here.database_url != there.database_url
    assert here.path.name.startswith("site-")


def test_a_file_is_known_by_any_way_to_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert Folder.of(Path("site.json")) == Folder.of(tmp_path / "x" / ".." / "site.json")


def test_the_second_to_come_is_told_who_holds_it(tmp_path: Path) -> None:
    folder = Folder.of(tmp_path / "site.json")
    with (
        folder.taken("http://127.0.0.1:7402/"),
        pytest.raises(RunsAlready) as told,
        folder.taken("http://127.0.0.1:9999/"),
    ):
        pass
    assert told.value.pid == os.getpid()
    assert told.value.page == "http://127.0.0.1:7402/"


def test_it_is_free_again_when_its_holder_has_gone(tmp_path: Path) -> None:
    folder = Folder.of(tmp_path / "site.json")
    with folder.taken("http://127.0.0.1:7402/"):
        pass
    with folder.taken("http://127.0.0.1:7402/"):
        pass


def test_logs_of_all_unit_servers_have_names_of_files(tmp_path: Path) -> None:
    folder = Folder.of(tmp_path / "site.json")
    log = folder.log("BTF/c8:1f:66")
    assert log.parent == folder.logs
    log.touch()
    names = ("A/B", "A_B", "A:B", "A%2FB", "/" * 255, "/" * 254 + "a")
    logs = {folder.log(name) for name in names}
    assert len(logs) == len(names)
    for log in logs:
        log.touch()


def test_an_import_is_remembered(tmp_path: Path) -> None:
    folder = Folder.of(tmp_path / "site.json")
    assert folder.imported() == ""
    folder.remember_import("store digest\n")
    assert Folder.of(tmp_path / "site.json").imported() == "store digest\n"
