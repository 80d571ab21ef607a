"""What is wrong with what was typed."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from control_units.client import Refused


@dataclass(frozen=True, slots=True)
class Problem:
    """One of them.

    Attributes:
        path: which field; empty: something else.
        message: what would be right, for people.
    """

    path: str
    message: str


def without_field(field: str, description: str) -> str:
    """A violation where its field stands beside it."""
    return re.sub(rf"^{re.escape(field)}( \(of '.*?'\))? is ", "", description)


def field_of(refused: Refused) -> str:
    """The field that all forms of changes have, where a refusal is about it; else empty."""
    return "reason" if refused.reason == "REASON_REQUIRED" else ""


def by_path(problems: Iterable[Problem]) -> dict[str, str]:
    """What is wrong with each field, for people."""
    told: dict[str, str] = {}
    for problem in problems:
        told[problem.path] = " ".join(filter(None, (told.get(problem.path), problem.message)))
    return told
