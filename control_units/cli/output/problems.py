"""What stands against a bundle, for people and for scripts."""

from collections.abc import Iterator, Sequence

from mds.v1.bundle_pb2 import Problem

from control_units.importers.findings import shown


def counted(count: int, kind: str) -> str:
    """`1 control unit`, `2 control units`."""
    words = kind.replace("_", " ")
    if count == 1:
        return f"{count} {words}"
    return f"{count} {words[:-1]}ies" if words.endswith("y") else f"{count} {words}s"


def problem_lines(problems: Sequence[Problem]) -> Iterator[str]:
    """All of them, each with its place, what was read and what would be right."""
    if problems:
        yield f"{counted(len(problems), 'problem')}:"
    for problem in problems:
        place = "  ".join(part for part in (problem.source, _named(problem)) if part)
        yield f"  {place}"
        if not problem.expected:
            yield f"      {problem.message}"
            continue
        yield f"      read   {shown(problem.value) if problem.value else 'nothing'}"
        yield f"      right  {problem.expected}"


def _named(problem: Problem) -> str:
    if not problem.name:
        return ""
    # Without a file the field is nowhere else.
    field = f" {problem.field}" if problem.field and not problem.source else ""
    return f"({problem.name}{field})" if problem.source else f"{problem.name}{field}"


def problem_fields(problem: Problem) -> dict[str, str]:
    fields = ("source", "name", "reason", "field", "value", "expected", "message")
    return {name: getattr(problem, name) for name in fields}
