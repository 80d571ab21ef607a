"""What is kept of a release is that release, and not what it was once thought to be."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.releases.make import ROOT, check, committed_configuration, pack, what_differs
from tests.releases.release import CODE

OWN = {"mds/server.py": b"new", "mds/client.py": b"same"}
RELEASE = re.compile(r"v?(\d+(?:\.\d+)+)")


def test_nothing_is_tagged_as_a_release_that_is_not_kept_as_it_is() -> None:
    tags = subprocess.run(
        ["git", "tag", "--points-at", "HEAD"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if tags.returncode != 0:
        pytest.skip("not a git work tree")
    for release in filter(None, map(RELEASE.fullmatch, tags.stdout.split())):
        assert release[1] == committed_configuration()["metadata"]["version"]
        assert not check()


@pytest.mark.parametrize(
    ("kept", "differing"),
    [
        (OWN, []),
        (OWN | {"mds/server.py": b"old"}, ["mds/server.py"]),
        (OWN | {"mds/gone.py": b""}, ["mds/gone.py"]),
        ({"mds/server.py": b"new"}, ["mds/client.py"]),
        (None, ["mds/client.py", "mds/server.py"]),
    ],
)
def test_what_differs_is_told(
    kept: dict[str, bytes] | None, differing: list[str], tmp_path: Path
) -> None:
    if kept is not None:
        pack(kept, tmp_path / CODE)
    assert what_differs(tmp_path, OWN) == differing
