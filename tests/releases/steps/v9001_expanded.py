"""A step of a release that does not exist yet: it only adds."""

from pathlib import Path

import sqlalchemy as sa

from metadata_server.store.migrations import versions
from metadata_server.store.migrations.repeatable import add_column, create_index, create_table
from metadata_server.store.migrations.versions.v0001_first_tables import KEY, OPTIONS, WORD

revision = "9001"
down_revision = max(path.name[1:5] for path in Path(versions.__path__[0]).glob("v[0-9]*.py"))
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_table(
        "rack",
        sa.Column("key", KEY, nullable=False),
        sa.Column("room", WORD, nullable=False),
        sa.PrimaryKeyConstraint("key"),
        **OPTIONS,
    )
    add_column("control_unit", sa.Column("rack_key", KEY, nullable=True))
    create_index("control_unit_rack", "control_unit", ["rack_key", "id"], unique=False)
    add_column("session", sa.Column("room", WORD, nullable=False, server_default=""))
    create_index("history_kind", "history", ["kind", "revision"], unique=False)
