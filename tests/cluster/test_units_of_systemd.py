"""The units of systemd, held against systemd itself where it is."""

import shutil
import subprocess
from pathlib import Path

import pytest

UNITS = sorted((Path(__file__).parents[2] / "deploy" / "systemd").glob("*.service"))


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_takes_it(unit: Path, tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze is not here")
    # The programs and the user are those of the host that it is installed on.
    text = unit.read_text().replace("/opt/mds/bin/mds", "/bin/true").replace("User=control\n", "")
    name = unit.name.replace("@", "@CRATE-7")
    (tmp_path / name).write_text(text)
    done = subprocess.run(
        [program, "verify", str(tmp_path / name)],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    complaints = [line for line in done.stderr.splitlines() if name in line]
    assert not complaints
