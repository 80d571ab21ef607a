"""Which releases may use the database, and on which step each replica stands.

So the release before runs on a schema that has grown since, and a step that takes something away
waits until nobody needs it.
"""

import sqlalchemy as sa

from metadata_server.store.migrations.repeatable import add_column, create_table, insert_first
from metadata_server.store.migrations.versions.v0001_first_tables import OPTIONS, WORD

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_table(
        "compatibility",
        sa.Column("one", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("oldest", WORD, nullable=False),
        sa.PrimaryKeyConstraint("one"),
        **OPTIONS,
    )
    insert_first("compatibility", {"one": 1, "oldest": "0018"})
    add_column("replica", sa.Column("schema_step", WORD, nullable=False, server_default=""))
