"""What people declare of a unit server as a form has it: a text for each field, by its path."""

from collections.abc import Mapping

from mds.v1.unit_server_pb2 import UnitServer

from webui.datasets.plain import Plain
from webui.datasets.problem import Problem, without_field

_LAUNCH = (
    "launch.agent",
    "launch.command",
    "launch.configuration",
    "launch.working_directory",
    "launch.environment",
    "launch.auto_start",
    "launch.keep_alive",
    "launch.log_on_console",
    "launch.level",
)
PLAIN = Plain(("description", *_LAUNCH, "labels"), {"launch.agent": "agents"})


def is_field(path: str) -> bool:
    return path in PLAIN.paths


def words_of(path: str) -> str:
    return path.removeprefix("launch.").replace("_", " ")


def fields_of(server: UnitServer) -> dict[str, str]:
    """All fields that are set."""
    return PLAIN.fields_of(server)


def declare(server: UnitServer, changed: Mapping[str, str]) -> list[str]:
    """Changes fields of a unit server; an empty text takes the field away.

    Returns:
        the update mask.

    Raises:
        Misread: a field cannot be what was typed.
    """
    mask = {path.partition(".")[0] for path in PLAIN.declare(server, changed)}
    if not server.launch.ListFields():
        server.ClearField("launch")
    return sorted(mask)


def problem_of(field: str, description: str) -> Problem:
    """A violation as the form has it."""
    path = PLAIN.path_of(field)
    return Problem(path, without_field(field, description) if path else description)
