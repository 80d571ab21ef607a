"""A column that tells units that depend on others, with an index.

Plans of orders ask for all of them; without it they would read the bodies of all units. The
database computes it, so the release before runs on this schema too.
"""

import sqlalchemy as sa
from alembic import op

from metadata_server.store.migrations.repeatable import add_column, create_index

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

DEPENDS = """instr(body, '"requires":') > 0 OR instr(body, '"after":') > 0"""


def upgrade() -> None:
    # Where InnoDB has an index of a column that it only computes, it locks writers out of the table
    # while a later step adds a column, and rebuilds it. SQLite cannot add one that is stored.
    stored = op.get_bind().dialect.name != "sqlite"
    depends = sa.Column("depends", sa.SmallInteger(), sa.Computed(DEPENDS, persisted=stored))
    add_column("control_unit", depends)
    create_index("control_unit_depends", "control_unit", ["depends", "id"], unique=False)
