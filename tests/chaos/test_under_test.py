"""What makes rounds worthless when it changes, and what does not."""

import ast
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

from deploy.processes.topology import COMPOSE
from tests.chaos.under_test import PLACES, TELLING, Version, version_of

ROOT = Path(__file__).parents[2]
A_ROUND = ("tests.chaos.matrix", "tests.chaos.lanes", "tests.chaos.loads.unit_servers")


def test_only_what_is_under_test_makes_rounds_worthless(tmp_path: Path) -> None:
    def git(*words: str) -> None:
        who = ["-c", "user.name=x", "-c", "user.email=x"]
        subprocess.run(["git", "-C", tmp_path, *who, *words], check=True, capture_output=True)

    def commit(file: str) -> Version:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text("x")
        git("add", file)
        git("commit", "--message", file)
        return version_of(tmp_path)

    git("init", "--quiet")
    assert version_of(tmp_path) == ("unknown", "unknown")
    first = commit("proto/a.proto")
    assert "".join(first).isalnum()
    for elsewhere in (
        "docs/a.md", "webui/static/a.js", "webui/templates/units/a.html", "deploy/prometheus/a.yml",
        "tests/watch/rounds.py", "tests/chaos/goals.py", "tests/chaos/soak.py",
    ):  # fmt: skip
        assert commit(elsewhere) == first
    second = commit("tests/chaos/a.py")
    assert not set(second) & set(first)
    git("commit", "--amend", "--message", "joined", "--date", "2001-01-01T00:00:00Z")
    assert version_of(tmp_path).commit != second.commit
    assert version_of(tmp_path).content == second.content
    (tmp_path / "proto" / "a.proto").write_text("y")
    assert version_of(tmp_path).content == f"{second.content}+"


def test_all_that_a_round_is_made_of_is_under_test_and_of_the_tests_nothing_else() -> None:
    used = _imported(A_ROUND)
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *PLACES],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    assert {"tests/watch/validators.py", "deploy/processes/cluster.py"} < used, "it sees nothing"
    assert sorted(used - set(listed)) == []
    assert COMPOSE.name in listed
    own = {each for each in listed if each.startswith(("tests/", "deploy/processes"))}
    assert sorted(own - used) == []


def _imported(modules: Iterable[str]) -> set[str]:
    """Files of these modules and of all that they import, outside of the programs, which are under
    test as a whole."""
    waiting, found = list(modules), set[str]()
    while waiting:
        stem = Path(*waiting.pop().split("."))
        files = [stem.with_suffix(".py"), *(each / "__init__.py" for each in (stem, *stem.parents))]
        for each in files:
            if (ROOT / each).exists() and str(each) not in found:
                found.add(str(each))
                waiting += _imports_of(ROOT / each)
    return found


def _imports_of(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        names = [each.name for each in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.module is not None:
            names = [node.module, *(f"{node.module}.{each.name}" for each in node.names)]
        yield from (each for each in names if each.startswith(("tests.", "deploy.")))


def test_modules_that_only_tell_are_there() -> None:
    assert [each for each in TELLING if not (ROOT / f"tests/chaos/{each}.py").exists()] == []
