"""Takes back what a change set did to a template, version by version.

What was published is never changed and never a draft again: to take it back is to deprecate it,
so that new units use the version before. What was deprecated is published again; a draft goes
back field by field, or away.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from metadata_server.domain.intent.bundle import Decision, Item, ItemAction
from metadata_server.domain.intent.merge import Contested
from metadata_server.domain.intent.template import Template, VersionState, states_of
from metadata_server.domain.intent.undo import taken_back
from metadata_server.services.intent.template_versions import without_draft
from metadata_server.store.unit_of_work import UnitOfWork

DRAFT, PUBLISHED, DEPRECATED = VersionState.DRAFT, VersionState.PUBLISHED, VersionState.DEPRECATED
States = Mapping[int, VersionState]


@dataclass(slots=True)
class TemplateBack:
    """What takes a change of a template back.

    Attributes:
        decisions: what no item can say: that a draft goes.
    """

    items: list[Item] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    contested: list[Contested] = field(default_factory=list)


def template_back(
    unit: UnitOfWork, base: Template, target: Template, now: Template
) -> TemplateBack:
    """What takes the change from `target` to `base` back.

    Args:
        now: the template as it is there, locked.
    """
    versions = {each.version: each for each in unit.resources.all_versions(now)}
    present = {number: each.version_state for number, each in versions.items()}
    found = TemplateBack()
    was, made = states(target), states(base)
    for number, state in made.items():
        before = was.get(number)
        if state is DRAFT:
            draft_back(found, base, target if before is DRAFT else None, now, versions)
        elif before is not state:
            wanted = PUBLISHED if before is PUBLISHED else DEPRECATED
            state_back(found, versions[number], base=state, wanted=wanted, now=present[number])
    if draft_gone(was, made):
        draft_restored(found, target, now)
    if not (found.items or found.decisions or found.contested):
        found.items.append(Item("", now.name, versions[now.version]))
    return found


def states(template: Template) -> States:
    """Where the versions stand; an image of an early release knows of one."""
    return states_of(template.versions) or {template.version: template.version_state}


def state_back(
    found: TemplateBack,
    version: Template,
    *,
    base: VersionState,
    wanted: VersionState,
    now: VersionState,
) -> None:
    if now is wanted:
        return
    if now is not base:
        path = f"versions[{version.version}].version_state"
        found.contested.append(Contested(path, base, wanted, now))
        return
    found.items.append(Item("", version.name, replace(version, version_state=wanted)))


def draft_back(
    found: TemplateBack,
    base: Template,
    target: Template | None,
    now: Template,
    versions: Mapping[int, Template],
) -> None:
    """Takes a change of a draft back.

    Args:
        target: the draft before the change; None: there was none.
    """
    present = versions.get(base.version)
    if present is None:
        if target is not None:
            found.contested.append(Contested("version", str(base.version), str(base.version), None))
        return
    if present.version_state is not DRAFT:
        path = f"versions[{base.version}].version_state"
        found.contested.append(
            Contested(path, DRAFT, DRAFT if target else None, present.version_state)
        )
        return
    bare, draft = content(base), content(present)
    back = taken_back(bare, content(target) if target else None, draft)
    found.contested += back.contested
    if back.contested:
        return
    if isinstance(back.after, Template):
        found.items.append(Item("", now.name, replace(back.after, version=base.version)))
        return
    below = [versions[number] for number in sorted(versions) if number < base.version]
    after = without_draft(now, below[-1])
    item = Item("", now.name, None)
    found.decisions.append(Decision(item, ItemAction.CHANGED, now, after))


def content(version: Template) -> Template:
    """A draft without the marks of other versions, which are no part of it."""
    return replace(version, versions=(), version=0)


def draft_gone(was: States, made: States) -> bool:
    return any(state is DRAFT and number not in made for number, state in was.items())


def draft_restored(found: TemplateBack, target: Template, now: Template) -> None:
    """Begins the draft again that was thrown away, unless another has been begun since."""
    if now.version_state is not DRAFT:
        found.items.append(Item("", now.name, replace(target, version=0, versions=())))
    elif not now.has_content_of(target):
        found.contested.append(
            Contested("version_state", None, f"a draft of version {target.version}", "a draft")
        )
