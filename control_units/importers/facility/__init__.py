"""Our own format: readable YAML or JSON, a list for each kind, fields as in the protocol."""

from control_units.importers.facility.reading import read_documents, read_facility, read_files
from control_units.importers.facility.writing import write_facility

__all__ = ["read_documents", "read_facility", "read_files", "write_facility"]
