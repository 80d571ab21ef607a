"""What `mds admin-token` says on standard output is a token, or nothing."""

import os
import subprocess
from pathlib import Path

from tests.stages.nursery import BIN


def test_nothing_but_a_token_is_written_to_standard_output(tmp_path: Path) -> None:
    done = subprocess.run(
        [BIN / "mds", "admin-token", "anna"],
        env=os.environ | {"MDS_DATABASE_URL": f"sqlite:///{tmp_path / 'empty.db'}"},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 1
    assert "mds migrate" in done.stderr
    assert done.stdout == ""
