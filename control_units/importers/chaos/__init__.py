"""Exports of !CHAOS sites, of both generations, and catalogues by themselves."""

from control_units.importers.chaos.document import read_chaos

__all__ = ["read_chaos"]
