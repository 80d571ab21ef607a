"""The contents of versions of templates: of a draft until it is published, and then for ever.

The statements themselves see to that: each tests where the version stands before it writes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import func, select

from metadata_server.domain.intent.template import Template, VersionState
from metadata_server.store.codec import plain, text_of
from metadata_server.store.keys import batches
from metadata_server.store.newer import newer_content
from metadata_server.store.schema import control_unit, template_version
from metadata_server.store.unit_of_work import LostRace, UnitOfWork
from metadata_server.store.upsert import insert_rows

States = Mapping[int, VersionState]
NOT_IN_BODY = ("id", "meta", "version", "version_state", "versions")


def version_states(unit: UnitOfWork, keys: Iterable[int]) -> dict[int, dict[int, VersionState]]:
    """Where each version stands, by key of the template and version."""
    table = template_version
    found: dict[int, dict[int, VersionState]] = defaultdict(dict)
    for some in batches(sorted(set(keys))):
        query = select(table.c.template_key, table.c.version, table.c.version_state)
        for row in unit.connection.execute(query.where(table.c.template_key.in_(some))):
            found[row.template_key][row.version] = VersionState(row.version_state)
    return found


def write_versions(unit: UnitOfWork, versions: Iterable[Template], present: States) -> None:
    """Stores versions of one template: new ones, drafts with what they have become, and of
    others only where they stand.

    Raises:
        LostRace: a version does not stand any more where `present` says.
        Refused: NEWER_CONTENT: what is written comes of what this release does not know wholly.
    """
    rows = []
    for each in versions:
        state = present.get(each.version)
        if each.meta.key in unit.resources.newer and state in {None, VersionState.DRAFT}:
            raise newer_content(f"what version {each.version} of {each.name} is made of")
        if state is None:
            rows.append(row_of(each))
        elif state is VersionState.DRAFT:
            change_version(unit, each, row_of(each), was_draft=True)
        else:
            mark = {"version_state": each.version_state.value}
            change_version(unit, each, mark, was_draft=False)
    insert_rows(unit.connection, template_version, rows)


def change_version(
    unit: UnitOfWork, version: Template, values: Mapping[str, Any], *, was_draft: bool
) -> None:
    table = template_version
    is_draft = table.c.version_state == VersionState.DRAFT.value
    statement = table.update().where(
        table.c.template_key == version.meta.key,
        table.c.version == version.version,
        is_draft if was_draft else ~is_draft,
    )
    if unit.connection.execute(statement.values(**values)).rowcount != 1:
        raise LostRace


def drop_draft(unit: UnitOfWork, key: int, version: int) -> None:
    """Forgets a draft.

    Raises:
        LostRace: it is none any more.
    """
    table = template_version
    statement = table.delete().where(
        table.c.template_key == key,
        table.c.version == version,
        table.c.version_state == VersionState.DRAFT.value,
    )
    if unit.connection.execute(statement).rowcount != 1:
        raise LostRace


def unit_counts(unit: UnitOfWork, key: int) -> dict[int, int]:
    """How many control units stand on each version of a template."""
    table = control_unit
    query = (
        select(table.c.template_version, func.count())
        .where(table.c.template_key == key)
        .group_by(table.c.template_version)
    )
    return {row[0]: row[1] for row in unit.connection.execute(query)}


def row_of(version: Template) -> dict[str, Any]:
    body = plain(version)
    for name in NOT_IN_BODY:
        body.pop(name, None)
    return {
        "template_key": version.meta.key,
        "version": version.version,
        "version_state": version.version_state.value,
        "revision": version.meta.revision,
        "body": text_of(body),
    }
