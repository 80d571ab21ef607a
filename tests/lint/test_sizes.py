"""Sizes and names of things, as docs/adr and CONTRIBUTING.md say them."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = ("metadata_server", "control_units", "webui", "benchmarks", "tools", "examples")
MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 40
# A test tells a whole story, with its data in sight.
MAX_TEST_LINES = 60
# Names that say nothing about what is inside.
EMPTY_NAMES = {"utils", "util", "helpers", "helper", "manager", "managers", "common", "misc"}


def modules(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


# A migration is one step, written once: it is as long as the step is.
ALL = [path for path in modules(*PROGRAMS, "tests") if "migrations" not in path.parts]


def test_a_file_has_one_idea() -> None:
    lines = {name_of(path): len(path.read_text().splitlines()) for path in ALL}
    long = {name: count for name, count in lines.items() if count > MAX_FILE_LINES}
    assert not long, f"split what has more than {MAX_FILE_LINES} lines: {long}"
    empty = [name_of(path) for path in ALL if path.stem in EMPTY_NAMES]
    assert not empty, f"name them by what is inside: {empty}"


def test_a_function_fits_on_a_screen() -> None:
    long = {
        f"{name_of(path)} {node.name}": lines
        for path in ALL
        for node in functions_in(ast.parse(path.read_text()))
        if (lines := body_lines(node)) > limit_in(path)
    }
    assert not long, f"functions of too many lines: {long}"


def functions_in(node: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Also those within others. None stands in an expression, which most of a tree is."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield child
        if isinstance(child, ast.stmt | ast.ExceptHandler | ast.match_case):
            yield from functions_in(child)


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def limit_in(path: Path) -> int:
    return MAX_TEST_LINES if (ROOT / "tests") in path.parents else MAX_FUNCTION_LINES


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines from `def` to its end, without its docstring."""
    first = function.body[0]
    documented = ast.get_docstring(function) is not None
    docstring = (first.end_lineno or 0) - first.lineno + 1 if documented else 0
    return (function.end_lineno or 0) - function.lineno + 1 - docstring
