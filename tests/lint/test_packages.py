"""What is installed is what stands here."""

from configparser import ConfigParser
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = ("metadata_server", "control_units", "webui")


def test_each_package_is_installed() -> None:
    setup = ConfigParser(interpolation=None)
    setup.read(ROOT / "setup.cfg")
    named = set(setup["options"]["packages"].split()) - {"mds", "mds.v1"}
    there = {
        ".".join(file.parent.relative_to(ROOT).parts)
        for program in PROGRAMS
        for file in (ROOT / program).rglob("*.py")
    }
    assert named == there
