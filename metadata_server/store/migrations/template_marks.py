"""Gives the templates of the first schema the marks of their versions, all of them published:
those that are there, and their images in the history."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import msgspec
import sqlalchemy as sa
from alembic import op

Added = Mapping[int, int]
"""Revision that added a version, by version."""


def mark_versions() -> None:
    """Marks what has no marks; it may run again."""
    names = ("template_key", "version", "revision")
    table = sa.table("template_version", *map(sa.column, names))
    added: dict[int, dict[int, int]] = defaultdict(dict)
    for key, version, revision in op.get_bind().execute(sa.select(table)):
        added[key][version] = revision
    for key, versions in sorted(added.items()):
        mark_present(key, versions)
        mark_images(key, versions)


def mark_present(key: int, versions: Added) -> None:
    template = sa.table("template", *map(sa.column, ("key", "body", "published_version")))
    of_key = template.c.key == key
    body = op.get_bind().scalar(sa.select(template.c.body).where(of_key))
    if body is not None:
        change = {"body": marked(body, versions), "published_version": max(versions)}
        op.execute(sa.update(template).where(of_key).values(**change))


def mark_images(key: int, versions: Added) -> None:
    history = sa.table("history", *map(sa.column, ("revision", "key", "action", "image")))
    images = sa.select(history).where(history.c.key == key, history.c.action != "DELETED")
    for revision, _, _, image in op.get_bind().execute(images).all():
        known = {v: since for v, since in versions.items() if since <= revision}
        op.execute(
            sa.update(history)
            .where(history.c.key == key, history.c.revision == revision)
            .values(image=marked(image, known))
        )


def marked(text: str, versions: Added) -> str:
    content: dict[str, Any] = msgspec.json.decode(text)
    if versions and "versions" not in content:
        content["versions"] = [
            {"version": version, "version_state": "PUBLISHED"} for version in sorted(versions)
        ]
    return msgspec.json.encode(content).decode()
