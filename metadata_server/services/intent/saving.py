"""Writes what was decided, in the one transaction in which it was decided."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from metadata_server.domain.deliveries.webhook import Webhook
from metadata_server.domain.intent.bundle import WRITING, Decision, ItemAction
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.template import Template, VersionState, marks_of, states_of
from metadata_server.domain.names import DECLARED
from metadata_server.domain.resource import Resource
from metadata_server.store.deliveries.webhooks import begin_again, remove_webhooks
from metadata_server.store.intent.removal import check_all_locked, remove_units
from metadata_server.store.intent.template_versions import (
    drop_draft,
    version_states,
    write_versions,
)
from metadata_server.store.life.instantiations import begin_leaving
from metadata_server.store.life.statuses import statuses_of
from metadata_server.store.unit_of_work import UnitOfWork


def save_all(unit: UnitOfWork, decisions: Iterable[Decision]) -> list[Resource]:
    """Saves what the decisions say shall be there, in the order of references, and deletes what
    shall not.

    Returns:
        The resources as they are now, stamped with the revision.
    """
    wanted = [d for d in decisions if d.action in WRITING]
    gone = [d.before for d in wanted if d.action is ItemAction.REMOVED and d.before is not None]
    gone_keys = [each.meta.key for each in gone if isinstance(each, ControlUnit)]
    moved = moved_units(wanted)
    leaving = [*moved, *gone_keys]
    # Before the revision is claimed: reports lock statuses, then claim theirs.
    locked = statuses_of(unit, leaving, lock=True)
    saved: list[Resource] = []
    for kind in DECLARED:
        of_kind = [d for d in wanted if d.after is not None and d.after.kind is kind]
        if kind is Template.kind:
            saved += save_templates(unit, of_kind)
        else:
            back = [d for d in of_kind if comes_back(d)]
            saved += unit.restore(d.after for d in back if d.after is not None)
            if kind is Webhook.kind:
                begin_again(unit, [d.after.meta.key for d in back if d.after is not None])
            saved += [unit.save(d.after) for d in of_kind if d.after and not comes_back(d)]
    for each in gone:
        unit.delete(each)
    check_all_locked(unit, leaving, locked)
    begin_leaving(unit, moved)
    remove_units(unit, gone_keys)
    remove_webhooks(unit, [each.meta.key for each in gone if isinstance(each, Webhook)])
    return saved


def comes_back(decision: Decision) -> bool:
    """Whether something that was deleted is created again, under the key that it had."""
    after = decision.after
    return decision.action is ItemAction.CREATED and after is not None and after.meta.key != 0


def save_templates(unit: UnitOfWork, decisions: Iterable[Decision]) -> list[Resource]:
    """Saves versions, and as the template itself the newest of each."""
    by_id: dict[str, list[Template]] = {}
    for decision in decisions:
        if isinstance(decision.after, Template):
            by_id.setdefault(decision.after.id, []).append(decision.after)
    present = unit.resources.find(Template, by_id)
    keys = {after.meta.key for versions in by_id.values() for after in versions} - {0}
    states = version_states(unit, keys)
    return [
        save_template(unit, versions, present.get(id), states)
        for id, versions in sorted(by_id.items())
    ]


def save_template(
    unit: UnitOfWork,
    versions: Sequence[Template],
    before: Template | None,
    states: Mapping[int, Mapping[int, VersionState]],
) -> Resource:
    """Saves versions of one template. A draft that the marks of one of them do not have any more
    is dropped; such a version says nothing else, and less than another of its number.

    Args:
        before: the template as it is there.
        states: where all versions stand that are there, by key of the template.
    """
    known = states.get(versions[0].meta.key, {})
    drafts = {v for v, state in known.items() if before and state is VersionState.DRAFT}

    def keeps_drafts(version: Template) -> bool:
        return drafts <= states_of(version.versions).keys()

    wanted = {each.version: each for each in sorted(versions, key=keeps_drafts)}
    marks = {**known, **{number: each.version_state for number, each in wanted.items()}}
    dropped = {v for each in versions for v in drafts - states_of(each.versions).keys()}
    for version in dropped:
        del marks[version]
    there = [before] if before and before.version not in dropped else []
    newest = max([*wanted.values(), *there], key=lambda each: each.version)
    stamped = replace(newest, versions=marks_of(marks), meta=versions[0].meta)
    if before is None and stamped.meta.key:
        (head,) = unit.restore([stamped])
    else:
        head = unit.save(stamped)
    write_versions(unit, (replace(each, meta=head.meta) for each in wanted.values()), known)
    for version in dropped:
        drop_draft(unit, head.meta.key, version)
    return head


def moved_units(decisions: Iterable[Decision]) -> list[int]:
    """Keys of units that leave their unit server."""
    return [
        d.before.meta.key
        for d in decisions
        if isinstance(d.before, ControlUnit)
        and isinstance(d.after, ControlUnit)
        and d.before.unit_server != d.after.unit_server
    ]
