"""Writes what was decided, in the one transaction in which it was decided."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from metadata_server.domain.bundle import Decision, ItemAction
from metadata_server.domain.control_unit import ControlUnit
from metadata_server.domain.names import DECLARED
from metadata_server.domain.resource import Meta, Resource
from metadata_server.domain.session import EndReason
from metadata_server.domain.template import Template
from metadata_server.store.instantiations import end_lives
from metadata_server.store.unit_of_work import UnitOfWork

WRITING = frozenset({ItemAction.CREATED, ItemAction.CHANGED})


def save_all(unit: UnitOfWork, decisions: Iterable[Decision]) -> list[Resource]:
    """Saves what the decisions say shall be there; the order of kinds is that of references.

    Returns:
        The resources as they are now, stamped with the revision.
    """
    wanted = [d for d in decisions if d.action in WRITING and d.after is not None]
    saved: list[Resource] = []
    for kind in DECLARED:
        of_kind = [d for d in wanted if d.after is not None and d.after.kind is kind]
        if kind is Template.kind:
            saved += save_templates(unit, of_kind)
        else:
            back = [d for d in of_kind if comes_back(d)]
            saved += unit.restore(d.after for d in back if d.after is not None)
            saved += [unit.save(d.after) for d in of_kind if d.after and not comes_back(d)]
    end_lives(unit, moved_units(wanted), EndReason.REMOVED)
    return saved


def comes_back(decision: Decision) -> bool:
    """Whether something that was deleted is created again, under the key that it had."""
    after = decision.after
    return decision.action is ItemAction.CREATED and after is not None and after.meta.key != 0


def save_templates(unit: UnitOfWork, decisions: Iterable[Decision]) -> list[Resource]:
    """Saves new versions, and as the template itself the newest of each."""
    by_id: dict[str, list[Template]] = {}
    for decision in decisions:
        if isinstance(decision.after, Template):
            by_id.setdefault(decision.after.id, []).append(decision.after)
    present = unit.resources.find(Template, by_id)
    heads = []
    for id, versions in sorted(by_id.items()):
        before = present.get(id)
        newest = max([*versions, *([before] if before else [])], key=lambda t: t.version)
        head = unit.save(replace(newest, meta=before.meta if before else Meta()))
        unit.resources.add_versions(replace(version, meta=head.meta) for version in versions)
        heads.append(head)
    return heads


def moved_units(decisions: Iterable[Decision]) -> list[int]:
    """Keys of units that leave their unit server."""
    return [
        d.before.meta.key
        for d in decisions
        if isinstance(d.before, ControlUnit)
        and isinstance(d.after, ControlUnit)
        and d.before.unit_server != d.after.unit_server
    ]
