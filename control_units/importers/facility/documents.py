"""The documents of files in our own format, and where in them something stands."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from control_units.importers.facility.yaml_reading import LinedKeys, parse_yaml
from control_units.importers.findings import Findings
from control_units.importers.json_text import Broken, Value, parse

_STEP = re.compile(r'\[(\d+)\]|\["((?:[^"\\]|\\.)*)"\]|([^.\[]+)')


@dataclass(frozen=True, slots=True)
class Document:
    """One document of a file.

    Attributes:
        file: as it was named; empty: it has no name that anybody needs to be told.
        number: in its file, from 1.
    """

    file: str
    number: int
    value: Value

    def place(self, path: str) -> str:
        """Where something stands: `site/units.yaml:12 control_units[3]`."""
        if not self.file:
            return path if self.number == 1 else f"document {self.number} {path}"
        line = self.line(path)
        return f"{self.file}{f':{line}' if line else ''} {path}"

    def line(self, path: str) -> int:
        """The line of what stands at a path; 0: the file does not tell."""
        return _line_of(self.value, path) or 0


def documents_of(file: str, data: bytes, findings: Findings) -> Iterator[Document]:
    """The documents of a file; none, and a problem, of one that cannot be read."""
    try:
        values = [parse(data)] if data.lstrip()[:1] in {b"{", b"["} else parse_yaml(data)
    except Broken as broken:
        at = f"line {broken.line}, column {broken.column}"
        findings.problem(
            f"{file}:{broken.line} column {broken.column}" if file else at,
            broken.expected,
            value=broken.found,
            message=f"{file or 'This file'} cannot be read: {broken}",
        )
        return
    for number, value in enumerate(values, start=1):
        yield Document(file, number, value)


def _line_of(value: Value, path: str) -> int | None:
    """The line of what stands at a path, or of the innermost thing around it that is there;
    None: the file does not tell lines."""
    line: int | None = None
    for index, quoted, key in _STEP.findall(path):
        if isinstance(value, list) and index and int(index) < len(value):
            value = value[int(index)]
            if isinstance(value, LinedKeys):
                line = next(iter(value.lines.values()), line)
        elif isinstance(value, LinedKeys) and (quoted or key) in value:
            line = value.lines[quoted or key]
            value = value[quoted or key]
        else:
            break
    return line
