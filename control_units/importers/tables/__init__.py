"""Tables of control units: CSV as spreadsheets write it, and lists of flat objects. A row changes
fields of one unit; what it does not say stays as it is."""

from control_units.importers.tables.merging import merged
from control_units.importers.tables.rows import Cell, Sheet, read_entries, read_table
from control_units.importers.tables.writing import TableWriter, fields_of, table_writer

__all__ = [
    "Cell",
    "Sheet",
    "TableWriter",
    "fields_of",
    "merged",
    "read_entries",
    "read_table",
    "table_writer",
]
