"""Tables read: what each row says of its unit, and everything that cannot be taken, cell by cell."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from control_units.importers.facility.documents import Document
from control_units.importers.findings import Findings
from control_units.importers.json_text import Broken, Value, write
from control_units.importers.places import element, member
from control_units.importers.tables.cells import Wrong, is_nothing, said, value_of
from control_units.importers.tables.columns import meaning_of
from control_units.importers.tables.flattening import flattened
from control_units.importers.tables.records import Record, records_of, text_of

_LISTS = frozenset({"requires", "after"})


@dataclass(frozen=True, slots=True)
class Cell:
    """Where something stands.

    Attributes:
        row: as a spreadsheet counts, or the number of the entry, from 1; 0: all of the file.
        line: of the file, from 1; 0: it does not tell.
        head: of the column; empty: the whole row.
    """

    row: int
    line: int
    head: str


@dataclass(frozen=True, slots=True)
class Row:
    """What one row says.

    Attributes:
        place: of the row.
        fields: by path; None: it is cleared.
    """

    id: str
    number: int
    line: int
    place: str
    fields: Mapping[str, str | None]


@dataclass(slots=True)
class Sheet:
    """A table that was read.

    Attributes:
        file: as it was named; empty: nobody needs to be told.
        rows: those without problems.
        heads: of columns, by the path of their field.
        cells: where the problems stand, by their places.
        ignored: heads of columns that nobody can change.
    """

    file: str = ""
    rows: list[Row] = field(default_factory=list)
    findings: Findings = field(default_factory=Findings)
    heads: dict[str, str] = field(default_factory=dict)
    cells: dict[str, Cell] = field(default_factory=dict)
    ignored: list[str] = field(default_factory=list)

    @property
    def names(self) -> list[str]:
        """Of the units."""
        return [f"control_units/{row.id}" for row in self.rows]

    def problem(self, place: str, cell: Cell, expected: str, value: str, **more: str) -> None:
        self.cells[place] = cell
        self.findings.problem(place, expected, value=value, **more)


@dataclass(frozen=True, slots=True)
class Entry:
    """A row that is being read: the texts under heads, each with where it stands; not sound
    where something in it stands under no head."""

    number: int
    line: int
    place: str
    texts: Sequence[tuple[str, str, str]]  # head, text, place
    is_sound: bool = True


def read_table(data: bytes, file: str = "") -> Sheet:
    """The rows of a CSV file. Pure: no server is asked."""
    sheet = Sheet(file)
    try:
        records = records_of(text_of(data))
        heads = next(records, None)
        if heads is None:
            sheet.problem("the file", Cell(0, 0, ""), "a row of heads, and rows below it", "")
            return sheet
        names = _checked_heads(sheet, heads)
        if "id" in sheet.heads:
            _take(sheet, (_entry(sheet, each, names) for each in records))
    except Broken as broken:
        place = f"{file}:{broken.line}" if file else f"line {broken.line}"
        message = f"{file or 'This file'} cannot be read from here on: {broken}"
        cell = Cell(0, broken.line, "")
        sheet.problem(place, cell, broken.expected, broken.found, message=message)
    return sheet


def read_entries(document: Document) -> Sheet:
    """The entries of a list of flat objects, as rows."""
    sheet = Sheet(document.file)
    entries = document.value if isinstance(document.value, list) else []
    known: set[str] = set()
    read = []
    for index, entry in enumerate(entries):
        path = element("", index)
        if not isinstance(entry, dict):
            cell = Cell(index + 1, document.line(path), "")
            expected = "an object with the fields of a control unit"
            sheet.problem(document.place(path), cell, expected, write(entry))
            continue
        flat = flattened(entry)
        for head in [head for head in flat if head not in known]:
            at = member(path, head)
            _learn(sheet, head, document.place(at), Cell(index + 1, document.line(at), head))
        known |= flat.keys()
        read.append(_flat(sheet, document, index, flat))
    _take(sheet, read)
    return sheet


def _checked_heads(sheet: Sheet, heads: Record) -> list[str]:
    """The heads, of which those are empty that mean nothing."""
    names = []
    for head in heads.cells:
        place = _place(sheet, heads, f"column {head.strip()}" if head.strip() else "")
        names.append(head.strip())
        _learn(sheet, head.strip(), place, Cell(heads.number, heads.line, head.strip()))
    if "id" not in sheet.heads:
        cell = Cell(heads.number, heads.line, "")
        expected = "a column 'id', with the ids of control units"
        sheet.problem(_place(sheet, heads, ""), cell, expected, ", ".join(names)[:200])
    return names


def _learn(sheet: Sheet, head: str, place: str, cell: Cell) -> None:
    """Notes the field that a head means, or the problem where it means none."""
    meaning = meaning_of(head)
    if meaning.expected:
        sheet.problem(place, cell, meaning.expected, head)
    elif meaning.path in sheet.heads:
        expected = f"each field in one column; {sheet.heads[meaning.path]!r} is the same"
        sheet.problem(place, cell, expected, head)
    elif meaning.path:
        sheet.heads[meaning.path] = head
    elif head:
        sheet.ignored.append(head)


def cell_place(row: str, head: str) -> str:
    """The place of a cell in the row at a place; the rows of lists have a place in brackets."""
    return member(row, head) if row.endswith("]") else f"{row}, column {head}"


def _place(sheet: Sheet, record: Record, more: str) -> str:
    row = f"row {record.number}" + (f", {more}" if more else "")
    return f"{sheet.file}:{record.line} {row}" if sheet.file else row


def _entry(sheet: Sheet, record: Record, names: Sequence[str]) -> Entry:
    place = _place(sheet, record, "")
    texts = [
        (names[index], cell, cell_place(place, names[index]))
        for index, cell in enumerate(record.cells)
        if index < len(names)
    ]
    beyond = [cell for cell in record.cells[len(names) :] if cell.strip()]
    nameless = [cell for name, cell, _ in texts if not name and cell.strip()]
    for cell in beyond + nameless:
        expected = f"at most {len(names)} cells, each under a head"
        sheet.problem(place, Cell(record.number, record.line, ""), expected, cell)
    return Entry(record.number, record.line, place, texts, not (beyond or nameless))


def _flat(sheet: Sheet, document: Document, index: int, entry: Mapping[str, Value]) -> Entry:
    path = element("", index)
    texts, is_sound = [], True
    for head, value in entry.items():
        at = member(path, head)
        place = document.place(at)
        text = _text(value, is_list=meaning_of(head).path in _LISTS)
        if text is not None:
            texts.append((head, text, place))
        elif meaning_of(head).path:
            is_sound = False
            cell = Cell(index + 1, document.line(at), head)
            sheet.problem(place, cell, "a text or a number; a field for each", write(value))
    return Entry(index + 1, document.line(path), document.place(path), texts, is_sound)


def _text(value: Value, *, is_list: bool) -> str | None:
    """A value as a cell has it; None: it is more than a cell has."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if is_list and isinstance(value, list) and all(isinstance(each, str) for each in value):
        return ", ".join(map(str, value))
    return str(value) if isinstance(value, str) else None


def _take(sheet: Sheet, entries: Iterable[Entry]) -> None:
    """Rows of entries, each unit once."""
    paths = {head: path for path, head in sheet.heads.items()}
    seen: dict[str, str] = {}
    for entry in entries:
        before = len(sheet.findings.problems)
        fields = _fields(sheet, entry, paths)
        id = fields.pop("id", None)
        is_right = entry.is_sound and before == len(sheet.findings.problems)
        cell = Cell(entry.number, entry.line, sheet.heads.get("id", "id"))
        if id is None:
            if is_right:
                sheet.problem(entry.place, cell, "the id of a control unit", "")
            continue
        first = seen.setdefault(id, entry.place)
        if first != entry.place:
            expected = f"each unit once; the first is {first}"
            sheet.problem(entry.place, cell, expected, id, reason="ALREADY_EXISTS")
        elif is_right:
            sheet.rows.append(Row(id, entry.number, entry.line, entry.place, fields))


def _fields(sheet: Sheet, entry: Entry, paths: Mapping[str, str]) -> dict[str, str | None]:
    """What a row says, by path; problems of cells that cannot be taken."""
    fields: dict[str, str | None] = {}
    for head, text, place in entry.texts:
        path = paths.get(head, "")
        if not path or is_nothing(text):
            continue
        try:
            fields[path] = value_of(path, said(text))
        except Wrong as wrong:
            cell = Cell(entry.number, entry.line, head)
            reason = "INVALID_ID" if path == "id" else "INVALID_FIELD"
            sheet.problem(place, cell, str(wrong), text, reason=reason)
    return fields
