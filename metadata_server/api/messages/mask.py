"""Update masks: which fields of a resource a call changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeVar

from metadata_server.api.messages.declared import read_message
from metadata_server.api.messages.resource import SET_BY_SERVER
from metadata_server.domain.refused import Refused, WrongField
from metadata_server.domain.resource import Resource

R = TypeVar("R", bound=Resource)

RENAMED = {
    "taken_time": "taken_time_us",
    "begin_time": "begin_time_us",
    "end_time": "end_time_us",
    "due_time": "due_time_us",
}
"""Fields that the domain calls otherwise, for their unit."""


def apply_mask(before: R, message: Any, paths: Sequence[str]) -> R:
    """The resource with the fields that `paths` name as the message has them; one that is
    named and not set is cleared. `*` names all.

    Raises:
        Refused: INVALID_FIELD, naming paths that cannot be changed and those that can; what
            cannot be read of the fields that are named.
    """
    changeable = sorted(
        field.name for field in message.DESCRIPTOR.fields if field.name not in SET_BY_SERVER
    )
    names = set(changeable) if "*" in paths else set(paths)
    wrong = [path for path in paths if path != "*" and path not in changeable]
    if wrong or not names:
        expected = f"fields that can be changed, or *: {', '.join(changeable)}"
        raise Refused.wrong_fields(
            [WrongField("update_mask", path, expected) for path in wrong or [""]]
        )
    wanted, reading = read_message(before.kind, message)
    reading.finish(only=names)
    fields = (RENAMED.get(name, name) for name in names)
    return replace(before, **{field: getattr(wanted, field) for field in fields})
