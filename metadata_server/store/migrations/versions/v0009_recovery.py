"""Statuses of control units tell how often they were tried again, and in which hook they hang."""

import sqlalchemy as sa

from metadata_server.store.migrations.repeatable import add_column

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    recovery = sa.Column("recovery", sa.String(length=255), nullable=False, server_default="")
    add_column("control_unit_status", recovery)
