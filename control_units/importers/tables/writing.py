"""Units as a table that a spreadsheet opens, and that is read back as it was."""

import csv
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import SpooledTemporaryFile
from typing import IO

from mds.v1.control_unit_pb2 import ControlUnit
from mds.v1.state_pb2 import State

from control_units.client.words import word_of
from control_units.importers.tables.cells import written
from control_units.importers.tables.columns import FACETS, head_of

# What comes first, whether or not any unit has it.
_ALWAYS = ("id", "template", "template_version", "unit_server", "desired_state")
_OFTEN = ("description", "level", "requires", "after")
_IN_MEMORY_BYTES = 4_000_000
_CHUNK_ROWS = 500


@contextmanager
def table_writer() -> Iterator["TableWriter"]:
    """A writer that keeps what has come in a file, once it is much."""
    with SpooledTemporaryFile(_IN_MEMORY_BYTES, mode="w+", encoding="utf-8") as kept:
        yield TableWriter(kept)


class TableWriter:
    """Takes units one after the other, and then writes them: which columns there are is known
    only when all have come."""

    def __init__(self, kept: IO[str]) -> None:
        self._kept = kept
        self._paths: dict[str, None] = {}

    def add(self, unit: ControlUnit) -> None:
        fields = fields_of(unit)
        self._paths.update(dict.fromkeys(fields))
        self._kept.write(json.dumps(fields) + "\n")

    def lines(self) -> Iterator[str]:
        """The text of the file, some rows at a time, the heads first."""
        paths = _in_order(self._paths)
        yield _text([[head_of(path) for path in paths]])
        self._kept.seek(0)
        rows: list[list[str]] = []
        for line in self._kept:
            fields: dict[str, str] = json.loads(line)
            rows.append([written(fields[path]) if path in fields else "" for path in paths])
            if len(rows) == _CHUNK_ROWS:
                yield _text(rows)
                rows = []
        if rows:
            yield _text(rows)


def fields_of(unit: ControlUnit) -> dict[str, str]:
    """What a unit declares, by path; what does not fit into cells is left out, and stays as it
    is when the table is read."""
    fields = {"id": _id(unit.name), "template": _id(unit.template)}
    plain = {
        "template_version": str(unit.template_version or ""),
        "unit_server": _id(unit.unit_server),
        "desired_state": word_of(State, unit.desired_state),
        "description": unit.description,
        "level": str(unit.level or ""),
        "requires": ", ".join(map(_id, unit.requires)),
        "after": ", ".join(map(_id, unit.after)),
    }
    if not unit.desired_state:
        del plain["desired_state"]
    fields |= {path: text for path, text in plain.items() if text}
    fields |= {f"labels[{key}]": value for key, value in unit.labels.items()}
    fields |= {f"parameters[{key}]": value for key, value in unit.parameters.items()}
    for override in unit.overrides:
        for field, value in override.ListFields():
            if field.name in FACETS:
                fields[f"overrides[{override.attribute}].{field.name}"] = value
    return fields


def _id(name: str) -> str:
    return name.partition("/")[2]


def _in_order(paths: dict[str, None]) -> list[str]:
    plain = [*_ALWAYS, *(path for path in _OFTEN if path in paths)]
    others = sorted(path for path in paths if path not in plain)
    kinds = ("labels[", "overrides[", "parameters[")
    return [*plain, *(path for kind in kinds for path in others if path.startswith(kind))]


def _text(rows: list[list[str]]) -> str:
    lines = io.StringIO()
    csv.writer(lines).writerows(rows)
    return lines.getvalue()
