"""The copy on disk is whole or not there."""

import stat
from pathlib import Path

import pytest
from mds.v1 import registration_pb2

from control_units.disk_copy import DiskCopy, default_folder

KEPT = registration_pb2.RegisterResponse(
    assignments=[registration_pb2.Assignment(control_unit="control_units/A", generation=3)]
)


def test_what_was_kept_comes_back(tmp_path: Path) -> None:
    DiskCopy(tmp_path / "deep", "BTF/DAQ").save(KEPT)
    assert DiskCopy(tmp_path / "deep", "BTF/DAQ").load() == KEPT


def test_servers_whose_ids_are_like_paths_do_not_meet(tmp_path: Path) -> None:
    DiskCopy(tmp_path, "BTF/DAQ").save(KEPT)
    assert DiskCopy(tmp_path, "BTF").load() is None
    assert DiskCopy(tmp_path, "BTF_DAQ").load() is None
    assert DiskCopy(tmp_path, "../BTF/DAQ").path.parent == tmp_path


@pytest.mark.parametrize("keep", [0, 10, -1])
def test_a_damaged_copy_is_not_used(tmp_path: Path, keep: int) -> None:
    copy = DiskCopy(tmp_path, "A")
    copy.save(KEPT)
    copy.path.write_bytes(copy.path.read_bytes()[:keep])
    assert copy.load() is None


def test_only_its_user_can_read_it(tmp_path: Path) -> None:
    copy = DiskCopy(tmp_path / "state", "A")
    copy.save(KEPT)
    assert stat.S_IMODE(copy.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(copy.path.parent.stat().st_mode) == 0o700


def test_saving_again_replaces_it_and_leaves_nothing_beside(tmp_path: Path) -> None:
    copy = DiskCopy(tmp_path, "A")
    copy.save(KEPT)
    copy.save(registration_pb2.RegisterResponse())
    assert copy.load() == registration_pb2.RegisterResponse()
    assert list(tmp_path.iterdir()) == [copy.path]


def test_the_folder_can_be_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MDS_STATE_FOLDER", str(tmp_path))
    assert default_folder() == tmp_path
