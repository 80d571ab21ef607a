"""The units of systemd, held against systemd itself where it is, and run as plain processes."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path

import pytest

from tests.stages.requirements import needs

FOLDER = Path(__file__).parents[2] / "deploy" / "systemd"
UNITS = sorted(FOLDER.glob("*.service"))
BIN = Path(sys.executable).parent
OF_THE_SITE = "control"
"""Whom agents run as: the site's own user, who may reach its devices."""


def settings(unit: str) -> dict[str, list[str]]:
    """What a unit says, by key; most keys may be there more than once."""
    found = defaultdict(list)
    for line in (FOLDER / unit).read_text().splitlines():
        if line and not line.startswith(("#", "[")):
            key, _, value = line.partition("=")
            found[key].append(value)
    return found


def run(command: str, unit: str, var_lib: Path, programs: Path = BIN) -> None:
    """Runs a command in the environment of a unit, with other folders instead of /var/lib and
    /opt/mds/bin."""

    def here(text: str) -> str:
        placed = text.replace("/var/lib", str(var_lib)).replace("/opt/mds/bin", str(programs))
        return placed.replace("$$", "$").replace("%%", "%")

    of_unit = dict(each.partition("=")[::2] for each in settings(unit)["Environment"])
    plain = {name: value for name, value in os.environ.items() if not name.startswith("MDS_")}
    done = subprocess.run(
        shlex.split(here(command)),
        env=plain | {"HOME": str(var_lib)} | {name: here(value) for name, value in of_unit.items()},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_takes_it(unit: Path, tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    needs("" if program else "systemd-analyze is not here (Debian: systemd).")
    # The programs and the users are those of the host that it is installed on.
    text = unit.read_text().replace("/opt/mds/bin/mds", "/bin/true")
    name = unit.name.replace("@", "@CRATE-7")
    (tmp_path / name).write_text(re.sub("^User=.*\n", "", text, flags=re.MULTILINE))
    done = subprocess.run(
        ["systemd-analyze", "verify", str(tmp_path / name)],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    complaints = [line for line in done.stderr.splitlines() if name in line]
    assert not complaints


def test_users_are_those_that_are_made() -> None:
    lines = (FOLDER / "mds.sysusers.conf").read_text().splitlines()
    made = {line.split()[1] for line in lines if line.startswith("u ")}
    wanted = {user for unit in UNITS for user in settings(unit.name)["User"]}
    assert wanted == made | {OF_THE_SITE}


def test_the_backup_finds_the_embedded_database_of_the_server(
    tmp_path: Path, warm_bin: Path
) -> None:
    run("/opt/mds/bin/mds migrate", "mds-server.service", tmp_path, warm_bin)
    folder = tmp_path / "mds-backup"
    folder.mkdir()
    start = settings("mds-backup.service")["ExecStart"][0]
    run(start, "mds-backup.service", tmp_path, warm_bin)
    (made,) = folder.iterdir()
    assert made.suffix == ".mdsbackup"  # under this name it is whole


def test_the_backup_may_read_and_mark_the_embedded_database_of_the_server() -> None:
    server, backup = settings("mds-server.service"), settings("mds-backup.service")
    assert server["User"] == backup["User"]
    assert not server["DynamicUser"] + backup["DynamicUser"]
    # SQLite writes beside its file also to read it; ProtectSystem=strict forbids it elsewhere.
    assert {*server["StateDirectory"]} <= {*backup["StateDirectory"][0].split()}
    assert server["StateDirectoryMode"] == backup["StateDirectoryMode"] == ["0700"]


def test_backups_are_kept_for_thirty_days(tmp_path: Path) -> None:
    folder = tmp_path / "mds-backup"
    folder.mkdir()
    for name, days in {"a.mdsbackup": 29, "b.mdsbackup": 32, ".c.part": 3, ".d.part": 0}.items():
        file = folder / name
        file.touch()
        then = time.time() - days * 86400
        os.utime(file, (then, then))
    run(settings("mds-backup.service")["ExecStartPost"][0], "mds-backup.service", tmp_path)
    assert {each.name for each in folder.iterdir()} == {"a.mdsbackup", ".d.part"}


@pytest.mark.parametrize("unit", ["mds-server.service", "mds-web.service"])
def test_whoever_announces_or_looks_for_servers_may_ask_for_addresses(unit: str) -> None:
    # With announcements, and without this one: "Address family not supported by protocol".
    assert "AF_NETLINK" in settings(unit)["RestrictAddressFamilies"][0].split()


@pytest.mark.parametrize("unit", ["mds-server.service", "mds-web.service", "mds-agent@.service"])
def test_systemd_never_gives_up_on_what_shall_always_run(unit: str) -> None:
    assert settings(unit)["Restart"] == ["always"]
    assert settings(unit)["StartLimitIntervalSec"] == ["0"]


def test_an_agent_runs_under_the_id_that_was_typed() -> None:
    agent = settings("mds-agent@.service")
    # %I, which undoes escaping, would start the agent CRATE/7 of mds-agent@CRATE-7.
    assert agent["Environment"] == ["AGENT=%i"]
    assert agent["ExecStart"] == ["/opt/mds/bin/mds agent run ${AGENT}"]
    # What comes later wins: an id with a slash stands in a file of its instance.
    assert agent["EnvironmentFile"][-1] == "-/etc/mds/agent@%i.env"
