"""Tables of control units: CSV as spreadsheets write it, and lists of flat objects. A row changes
fields of one unit; what it does not say stays as it is."""

from control_units.importers.tables.merging import merged
from control_units.importers.tables.rows import Sheet, read_entries, read_table
from control_units.importers.tables.writing import TableWriter, table_writer

__all__ = ["Sheet", "TableWriter", "merged", "read_entries", "read_table", "table_writer"]
