"""What is committed holds everywhere, not just where it was written."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def tracked_files() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode != 0:
        pytest.skip("not a git work tree")
    return [ROOT / name for name in listed.stdout.decode().split("\0") if name]


def test_no_file_names_the_folder_that_this_project_lies_in() -> None:
    here = str(ROOT).encode()
    naming = [
        str(path.relative_to(ROOT))
        for path in tracked_files()
        if path.is_file() and here in path.read_bytes()
    ]
    assert not naming
