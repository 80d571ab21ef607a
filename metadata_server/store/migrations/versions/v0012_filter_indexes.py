"""Indexes for lists that are filtered or sorted by what people ask most often: when units were
changed or created, their template, and since when they have been in their state.

Without them a page of such a list would read all units. Nothing else changes, so the release
before runs on this schema too.
"""

from metadata_server.store.migrations.repeatable import create_index

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name, table, columns in (
        ("control_unit_template_id", "control_unit", ["template_key", "id"]),
        ("control_unit_update_time", "control_unit", ["update_time_us", "id"]),
        ("control_unit_create_time", "control_unit", ["create_time_us", "id"]),
        ("control_unit_status_state_time", "control_unit_status", ["state_time_us"]),
    ):
        create_index(name, table, columns, unique=False)
