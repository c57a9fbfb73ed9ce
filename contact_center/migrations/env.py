"""Alembic's environment: always on a connection that we hand in."""

from alembic import context

from contact_center.tables import METADATA

# Full-text tables and what belongs to them are made by DDL of their own (knowledge_base.models), not by metadata.
def include_object(_object: object, name: str | None, kind: str, _reflected: bool, _other: object) -> bool:
    """Whether autogenerate looks at a thing in the database."""
    return not (kind == "table" and name is not None and "_fts" in name)


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    transaction_per_migration=False,
    render_as_batch=True,
    compare_type=True,
    user_module_prefix="schema.",
    include_object=include_object,
)
with context.begin_transaction():
    context.run_migrations()
