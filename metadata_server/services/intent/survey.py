"""Looks over decisions: who changed last what they touch, and which units run meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from metadata_server.domain.intent.bundle import Decision, ItemAction
from metadata_server.domain.names import Kind
from metadata_server.store.intent.authorship import UNKNOWN, authorships
from metadata_server.store.life.running import running_units
from metadata_server.store.unit_of_work import UnitOfWork

TOUCHING = frozenset({ItemAction.CHANGED, ItemAction.REMOVED, ItemAction.SKIPPED})


def surveyed(unit: UnitOfWork, decisions: Sequence[Decision]) -> list[Decision]:
    """The decisions, those about what is there with its last author, and whether it runs."""
    there = [d.before for d in decisions if d.before is not None and d.action in TOUCHING]
    authors = authorships(unit, (each.meta.revision for each in there))
    running = running_units(
        unit, (each.meta.key for each in there if each.kind is Kind.CONTROL_UNIT)
    )
    return [
        replace(
            each,
            last_author=authors.get(each.before.meta.revision, UNKNOWN).author,
            is_running=each.before.meta.key in running,
        )
        if each.before is not None and each.action in TOUCHING
        else each
        for each in decisions
    ]
