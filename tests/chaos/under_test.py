"""Which programs a round is of: a result counts for as long as they are the same."""

import hashlib
import subprocess
from pathlib import Path
from typing import NamedTuple

UNDER_TEST = (
    "proto", "metadata_server", "control_units", "webui", "setup.cfg", "docker-compose.yml", "deploy",
    "tests/chaos", "tests/watch/__init__.py", "tests/watch/records.py", "tests/watch/validators.py",
)  # fmt: skip
"""What decides how a round ends: the programs, their cluster, the faults and their checker."""
PAGES = (
    "agents", "datasets", "importing", "lists", "maintenances", "operations", "snapshots", "units",
)  # fmt: skip
TELLING = ("__main__", "goals", "report", "soak", "soak_report", "samples")
"""Modules that choose rounds, or tell of what they have shown; and all of the soak."""
NOT_ASKED_FOR = (
    *(f"webui/{each}" for each in ("static", "locale", "package.json", "package-lock.json")),
    *(f"webui/{place}{each}" for place in ("", "templates/") for each in PAGES),
    *(f"deploy/{each}" for each in ("kustomize", "systemd", "prometheus", "grafana", "README.md")),
    "deploy/galera/Dockerfile", "deploy/processes/__main__.py",
    *(f"tests/chaos/{each}.py" for each in TELLING),
    "tests/chaos/test_*.py", "tests/chaos/planted", "tests/chaos/valid_histories.py",
)  # fmt: skip
"""Of that, what no round meets. Of the page it asks for the overview."""
PLACES = (*UNDER_TEST, *(f":(exclude){each}" for each in NOT_ASKED_FOR))


class Version(NamedTuple):
    """
    Attributes:
        commit: the last one that changed what is under test, short; with a + where something of
            that is not committed.
        content: of all that is under test; the same when commits are joined into one.
    """

    commit: str
    content: str


def version_of(folder: Path) -> Version:
    """What is under test in a work tree: a word in the documentation makes no round worthless."""
    last = _git(folder, "log", "-1", "--format=%h", "--abbrev=10", "--", *PLACES)
    if not last:
        return Version("unknown", "unknown")
    files = _git(folder, "ls-files", "--stage", "--", *PLACES)
    content = hashlib.sha256(files.encode()).hexdigest()[:12]
    mark = "+" * bool(_git(folder, "status", "--porcelain", "--", *PLACES))
    return Version(f"{last}{mark}", f"{content}{mark}")


def _git(folder: Path, *words: str) -> str:
    told = subprocess.run(
        ["git", "-C", str(folder), *words], capture_output=True, text=True, check=False
    )
    return told.stdout.strip()
