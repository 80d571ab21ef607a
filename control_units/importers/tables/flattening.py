"""Objects with a field for each column, made of those that have others within them."""

import re
from collections.abc import Iterator, Mapping

from control_units.importers.json_text import Value

_MAPS = ("labels", "parameters")
_HUMP = re.compile(r"(?<=[a-z])([A-Z])")
# What the protocol tells of a unit besides what a table can say.
_TOLD = frozenset(
    {"etag", "revision", "create_time", "update_time", "generation", "recover_count", "zone",
     "drivers", "properties", "status"}
)  # fmt: skip


def flattened(entry: Mapping[str, Value]) -> dict[str, Value]:
    """An entry by the heads of its fields. One that the protocol tells, with a `name` and words
    like `templateVersion`, as lists are taken as JSON, is one with an `id`, too."""
    name = entry.get("name")
    if "id" not in entry and isinstance(name, str) and name.startswith("control_units/"):
        words = {_snake(key): value for key, value in entry.items() if key != "name"}
        told = {key: value for key, value in words.items() if key not in _TOLD}
        return dict(_flat({"id": name, **told}))
    return dict(_flat(entry))


def _flat(entry: Mapping[str, Value]) -> Iterator[tuple[str, Value]]:
    for key, value in entry.items():
        if key in _MAPS and isinstance(value, dict):
            yield from ((f"{key}[{inner}]", text) for inner, text in value.items())
        elif key == "overrides" and isinstance(value, list):
            for each in value:
                yield from _override(each)
        else:
            yield key, value


def _override(value: Value) -> Iterator[tuple[str, Value]]:
    attribute = value.get("attribute") if isinstance(value, dict) else None
    if isinstance(value, dict) and isinstance(attribute, str):
        for key, text in value.items():
            if key != "attribute":
                yield f"overrides[{attribute}].{_snake(key)}", text


def _snake(key: str) -> str:
    return _HUMP.sub(r"_\1", key).lower() if _HUMP.search(key) else key
