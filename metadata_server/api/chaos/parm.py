"""The JSON of `parm`, read with its faults told."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import json5

from metadata_server.api.rest.decoding import no_constant
from metadata_server.api.rest.encoding import Json
from metadata_server.domain.refused import Refused, WrongField

LONGEST_RELAXED = 500
"""Characters. Pages write searches with single quotes, or names without any; reading that takes
a hundred times as long as reading JSON."""
EXTENDED = {"$numberDouble": float, "$numberLong": int, "$numberInt": int}
"""How MongoDB writes numbers in JSON, and !CHAOS with it."""
CANNOT_READ = (ValueError, RecursionError, ArithmeticError)


def json_of(text: str) -> Json:
    """
    Raises:
        Refused: INVALID_FIELD.
    """
    try:
        found = read(text)
        # What cannot be written cannot be kept: halves of characters, what is deeper than deep.
        json.dumps(found, ensure_ascii=False, allow_nan=False).encode()
    except CANNOT_READ:
        raise wrong("", text, "JSON, each text in UTF-8, each number finite") from None
    return found


def read(text: str) -> Json:
    try:
        return json.loads(text, object_hook=without_extensions, parse_constant=no_constant)
    except CANNOT_READ:
        if len(text) > LONGEST_RELAXED:
            raise
    return json5.loads(text)


def without_extensions(found: dict[str, Json]) -> Json:
    if len(found) == 1:
        ((name, value),) = found.items()
        if name in EXTENDED and isinstance(value, str):
            return EXTENDED[name](value)
    return found


def wrong(path: str, value: object, expected: str) -> Refused:
    """The refusal of one value of it."""
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    field = f"parm.{path}" if path else "parm"
    return Refused.wrong_fields([WrongField(field, text[:200], expected)])


@dataclass(frozen=True, slots=True)
class Parm:
    """The members of an object in `parm`."""

    members: dict[str, Any]

    @classmethod
    def of(cls, text: str) -> Parm:
        """
        Raises:
            Refused: INVALID_FIELD.
        """
        found = json_of(text) if text.strip() else {}
        if not isinstance(found, dict):
            raise wrong("", found, "a JSON object")
        return cls(found)

    def text(self, name: str) -> str:
        """A text without white space around it; empty: it is not there."""
        value = self.members.get(name)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise wrong(name, value, "a text")
        return value.strip()

    def needed(self, name: str) -> str:
        found = self.text(name)
        if not found:
            raise wrong(name, "", "a text that is not empty")
        return found

    def flag(self, name: str, *, default: bool) -> bool:
        value = self.members.get(name)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise wrong(name, value, "true or false")
        return value

    def number(self, name: str) -> int | None:
        """A whole number from 0; None: it is not there."""
        value = self.members.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**53:
            raise wrong(name, value, "a whole number, from 0")
        return value

    def texts(self, name: str) -> list[str]:
        value = self.members.get(name)
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise wrong(name, value, "a list of texts")
        return [each.strip() for each in value]

    def object(self, name: str) -> dict[str, Any]:
        """An object, or a text that says one."""
        value = self.members.get(name)
        if isinstance(value, str):
            value = json_of(value)
        if not isinstance(value, dict):
            raise wrong(name, value, "a JSON object")
        return value
