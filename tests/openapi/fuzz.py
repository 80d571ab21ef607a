"""Sends a replica whatever its document allows, and what it does not: schemathesis.

`python -m tests.openapi.fuzz --minutes 10 [--database mariadb]` fuzzes a replica of its own, with a
small facility that runs. Tests do the same for a moment.
"""

from __future__ import annotations

import argparse
import asyncio
import copy
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.openapi.chaos_fuzz import fuzz_chaos
from tests.openapi.conftest import DOCUMENT
from tests.openapi.endless import ENDLESS, fuzz_streams
from tests.openapi.facility import Names, facility
from tests.openapi.known import narrowed
from tests.openapi.likely import likelier
from tests.openapi.lives import linked
from tests.stages.layout import lay_out
from tests.stages.mariadb import MariaDB
from tests.stages.replica import Replica

ROOT = DOCUMENT.parents[3]
SEED = 20261121
NOT_CHECKED = ("positive_data_acceptance", "negative_data_rejection")
"""What fits a schema may still be refused by what is there; `fuzz_checks` has the other one."""
SHARES = {"alone": 0.4, "known": 0.2, "lives": 0.3, "streams": 0.05, "chaos": 0.05}
"""What each part gets of the time."""


@dataclass(frozen=True)
class Fuzz:
    """
    Attributes:
        folder: gets what was said, and a line for each answer.
        phases: of schemathesis, for operations alone.
    """

    base: str
    folder: Path
    document: Any
    seconds: int
    phases: str
    seed: int
    parts: Sequence[str]

    def all(self, names: Names) -> str:
        """What is wrong; empty: nothing is."""
        alone = copy.deepcopy(self.document)
        likelier(alone, names)
        positive = ("--mode", "positive")
        # What makes resources in their lives is like the examples: less than the schemas allow.
        known, lives = narrowed(self.document, names), linked(self.document)
        seconds = {name: self._seconds(name) for name in self.parts}
        parts = {
            "alone": lambda: self.run("alone", alone, self.phases),
            "known": lambda: self.run("known", known, "fuzzing", *positive),
            "lives": lambda: self.run("lives", lives, "stateful", *positive),
            "streams": lambda: fuzz_streams(
                self.base, self.document, names, seconds["streams"], self.seed
            ),
            "chaos": lambda: fuzz_chaos(self.base, seconds["chaos"], self.seed),
        }
        return "".join(parts[name]() for name in self.parts)

    def run(self, name: str, document: Any, phases: str, *more: str) -> str:
        """What schemathesis says of what is wrong."""
        schema = self.folder / f"{name}.json"
        schema.write_text(json.dumps(document), encoding="utf-8")
        arguments = [
            *("run", str(schema), "--url", self.base, "--phases", phases, *more),
            *("--max-time", str(self._seconds(name)), "--seed", str(self.seed)),
            *("--request-timeout", "30", "--generation-database", "none", "--no-shrink"),
            *("--exclude-checks", ",".join(NOT_CHECKED), "--continue-on-failure"),
            *("--no-color", "--warnings", "off", "--suppress-health-check", "all"),
        ]
        for endless in ENDLESS:
            arguments += ["--exclude-operation-id", endless]
        hooks = {
            "SCHEMATHESIS_HOOKS": "tests.openapi.fuzz_checks",
            "PYTHONPATH": os.pathsep.join((str(ROOT), os.environ.get("PYTHONPATH", ""))),
            "MDS_FUZZ_SEEN": str(self.folder / "seen"),
        }
        done = subprocess.run(
            [str(Path(sys.executable).parent / "schemathesis"), *arguments],
            cwd=self.folder,
            env={**os.environ, **hooks},
            capture_output=True,
            text=True,
            check=False,
        )
        said = done.stdout + done.stderr
        with (self.folder / "said.txt").open("a", encoding="utf-8") as file:
            file.write(said)
        return said if done.returncode else ""

    def _seconds(self, part: str) -> int:
        shares = sum(SHARES[each] for each in self.parts)
        return max(1, round(self.seconds * SHARES[part] / shares))

    def never_done(self) -> list[str]:
        """Operations that have met nothing but refusals, or nothing at all."""
        seen = (self.folder / "seen").read_text(encoding="utf-8").split("\n")
        done = Counter(line.split()[0] for line in seen if line and line.split()[1][0] in "23")
        told = [
            operation["operationId"]
            for item in self.document["paths"].values()
            for operation in item.values()
        ]
        return [name for name in told if not done[name] and name not in ENDLESS]


def without_waiting(document: Any) -> Any:
    """A document by which no revision is waited for, for 5 s, that nobody has written yet."""
    schema = {"type": "string", "pattern": "^[0-9]?$"}
    parameters = document["components"]["parameters"]
    parameters["minRevision"] = parameters["minRevision"] | {"schema": schema}
    return document


async def fuzzed(
    folder: Path,
    *,
    seconds: int,
    phases: str,
    seed: int,
    database: str = "",
    parts: Sequence[str] = tuple(SHARES),
) -> tuple[str, list[str]]:
    """Fuzzes a replica of its own.

    Args:
        database: its URL; empty: an SQLite file.

    Returns:
        What is wrong, and which operations have met nothing but refusals.
    """
    replica = Replica(
        database or f"sqlite:///{folder / 'mds.sqlite'}",
        folder,
        environment={"MDS_CHAOS_FACADE": "write"},
    )
    document = without_waiting(json.loads(DOCUMENT.read_text(encoding="utf-8")))
    try:
        await replica.start()
        fuzz = Fuzz(replica.http, folder, document, seconds, phases, seed, parts)
        async with facility(replica, folder, document) as names:
            found = await asyncio.to_thread(fuzz.all, names)
        replica.program.check_running()
        return found, fuzz.never_done()
    finally:
        replica.program.clear()


@contextmanager
def a_database(kind: str, folder: Path) -> Iterator[str]:
    """The URL of one that has the schema; empty for SQLite, which the replica makes by itself."""
    if kind == "sqlite":
        yield ""
        return
    server = MariaDB(folder)
    try:
        server.install()
        url = server.url(server.create_database())
        lay_out(url)
        yield url
    finally:
        server.clear()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--phases", default="examples,coverage,fuzzing")
    parser.add_argument("--parts", nargs="+", default=list(SHARES), choices=SHARES)
    parser.add_argument("--database", choices=("sqlite", "mariadb"), default="sqlite")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        seconds = max(1, round(asked.minutes * 60))
        with a_database(asked.database, folder) as url:
            fuzzing = fuzzed(
                folder,
                seconds=seconds,
                phases=asked.phases,
                seed=asked.seed,
                database=url,
                parts=asked.parts,
            )
            found, never_done = asyncio.run(fuzzing)
        sys.stdout.write(found or (folder / "said.txt").read_text(encoding="utf-8"))
        sys.stdout.write(f"Met nothing but refusals: {', '.join(never_done) or 'none'}\n")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
