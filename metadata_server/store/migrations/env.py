"""Alembic's entry: runs the steps on the connection that `store.migration` hands over."""

from alembic import context

from metadata_server.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=None,
    render_as_batch=False,
)
with context.begin_transaction():
    context.run_migrations()
