"""What history, plans and conditions need: spans of references, policies, conditions of units,
horizons of trimmed histories, the newest version that units may use."""

from collections.abc import Iterable
from typing import Any

import msgspec
import sqlalchemy as sa
from alembic import op

from metadata_server.store.migrations.repeatable import (
    add_column,
    create_index,
    create_table,
    insert_row,
)
from metadata_server.store.migrations.template_marks import mark_versions
from metadata_server.store.migrations.versions.v0001_first_tables import (
    DOCUMENT,
    ID,
    KEY,
    OPTIONS,
    WORD,
    ascii_text,
)

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

REFERENCES = ("template_key", "unit_server_key")
BATCH = 500


def upgrade() -> None:
    client = sa.Column("client", sa.String(length=255), nullable=False, server_default="")
    add_column("change_set", client)
    add_spans()
    published = sa.Column("published_version", sa.Integer(), nullable=False, server_default="0")
    add_column("template", published)
    mark_versions()
    create_policies()
    create_table(
        "unit_condition",
        sa.Column("key", KEY, nullable=False),
        sa.Column("type", WORD, nullable=False),
        sa.Column("status", WORD, nullable=False),
        sa.Column("reason", WORD, nullable=False),
        sa.Column("message", DOCUMENT, nullable=False),
        sa.Column("fields", DOCUMENT, nullable=False),
        sa.Column("since_us", KEY, nullable=False),
        sa.Column("evidence", ascii_text(160), nullable=False, server_default=""),
        sa.PrimaryKeyConstraint("key", "type"),
        **OPTIONS,
    )
    insert_row("chore", {"name": "conditions", "due_us": 0})
    create_index("unit_condition_type", "unit_condition", ["type", "key"], unique=False)
    create_table(
        "horizon",
        sa.Column("kind", WORD, nullable=False),
        sa.Column("revision", KEY, nullable=False),
        sa.Column("time_us", KEY, nullable=False),
        sa.PrimaryKeyConstraint("kind"),
        **OPTIONS,
    )
    note_trimmed_reports()


def note_trimmed_reports() -> None:
    """Writes down up to where reports had been trimmed: revisions have no gaps, so where one is
    missing before the oldest report that is there, its reports are gone."""
    bind = op.get_bind()
    oldest = bind.scalar(sa.text("SELECT MIN(revision) FROM status_history"))
    if oldest is None:
        return
    declared = (
        "SELECT COUNT(*) FROM (SELECT revision FROM change_set WHERE revision < :oldest "
        "UNION SELECT revision FROM history WHERE revision < :oldest) AS declared"
    )
    count = bind.scalar(sa.text(declared), {"oldest": oldest})
    if count == oldest - 1:
        return
    for kind in ("control_unit_status", "unit_server_status"):
        insert_row("horizon", {"kind": kind, "revision": oldest - 1, "time_us": 0})


def create_policies() -> None:
    create_table(
        "policy",
        sa.Column("key", KEY, autoincrement=False, nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("generation", KEY, nullable=False),
        sa.Column("revision", KEY, nullable=False),
        sa.Column("create_time_us", KEY, nullable=False),
        sa.Column("update_time_us", KEY, nullable=False),
        sa.Column("body", DOCUMENT, nullable=False),
        sa.Column("template_key", KEY, nullable=True),
        sa.PrimaryKeyConstraint("key"),
        sa.UniqueConstraint("id", name="policy_id"),
        **OPTIONS,
    )


def add_spans() -> None:
    """Names of control units tell what the unit referred to; their past is in the history."""
    for column in REFERENCES:
        add_column("name", sa.Column(column, KEY, nullable=True))
    create_index("name_template", "name", ["template_key", "id"], unique=False)
    create_index("name_unit_server", "name", ["unit_server_key", "id"], unique=False)
    name = sa.table("name", *map(sa.column, ("kind", "key", "template_key")))
    units = sa.select(name.c.key).where(
        name.c.kind == "control_unit", name.c.template_key.is_(None)
    )
    keys = sorted(set(op.get_bind().scalars(units)))
    for start in range(0, len(keys), BATCH):
        rewrite_spans(keys[start : start + BATCH])


def rewrite_spans(keys: list[int]) -> None:
    """Makes the spans of some control units again, from their images."""
    columns = ("kind", "id", "from_revision", "to_revision", "key", *REFERENCES)
    name = sa.table("name", *map(sa.column, columns))
    history = sa.table("history", *map(sa.column, ("revision", "key", "action", "image")))
    images = sa.select(history).where(history.c.key.in_(keys)).order_by(history.c.key, "revision")
    rows = spans_of(op.get_bind().execute(images).all())
    op.get_bind().execute(sa.delete(name).where(name.c.key.in_(keys)))
    if rows:
        op.bulk_insert(name, rows)


def spans_of(images: Iterable[Any]) -> list[dict[str, Any]]:
    """One span for as long as a unit had the same id and the same references."""
    rows: list[dict[str, Any]] = []
    for revision, key, action, text in images:
        last = rows[-1] if rows and rows[-1]["key"] == key else None
        is_open = last is not None and last["to_revision"] is None
        image = msgspec.json.decode(text)
        said = {"id": image.get("id"), **{column: image.get(column) for column in REFERENCES}}
        if last is not None and is_open:
            if action != "DELETED" and all(last[field] == said[field] for field in said):
                continue
            last["to_revision"] = revision
        if action != "DELETED":
            span = {"kind": "control_unit", "from_revision": revision, "to_revision": None}
            rows.append({**span, "key": key, **said})
    return rows
