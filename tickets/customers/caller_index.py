"""Where a number stands in the texts about customers: by an index on their digits, or among the newest.

PostgreSQL has trigrams of the digits of each text. SQLite has no such index, so only the newest rows are looked
through: what a call may cost does not grow with the years.
"""

from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, Text, bindparam, cast, event, func, literal_column, select

from tickets.customers.events import CustomerEvent
from tickets.models import Customer

# How many rows of a kind SQLite looks through.
NEWEST = 100_000
# An index is only used for exactly its expression, so these stand in the statement too, and not as parameters.
_NOTE = "regexp_replace({}note, '[^0-9]', '', 'g')"
_TOLD = "regexp_replace({0}title || ' ' || ({0}data)::text, '[^0-9]', '', 'g')"
EVENT_TEXT: ColumnElement[str] = CustomerEvent.title + " " + cast(CustomerEvent.data, Text)
INDEXES = {
    "customers": ("ix_customers_note_digits", _NOTE.format("")),
    "customer_events": ("ix_customer_events_digits", _TOLD.format("")),
}


def in_note(*, is_postgresql: bool) -> tuple[ColumnElement[bool], ...]:
    """The condition that a number (`end`: its last digits, `spaced`: as people write them) may stand in a note."""
    if is_postgresql:
        return (literal_column(_NOTE.format("customers."), Text).like(bindparam("end")),)
    return (_is_new(Customer), Customer.note.like(bindparam("spaced")))


def in_event(*, is_postgresql: bool) -> tuple[ColumnElement[bool], ...]:
    """The same for what other systems told of a customer, as `EVENT_TEXT` has it."""
    if is_postgresql:
        return (literal_column(_TOLD.format("customer_events."), Text).like(bindparam("end")),)
    return (_is_new(CustomerEvent), EVENT_TEXT.like(bindparam("spaced")))


def _is_new(model: Any) -> ColumnElement[bool]:
    newest = select(func.max(model.id)).scalar_subquery()
    condition: ColumnElement[bool] = model.id > newest - NEWEST
    return condition


def create_index(connection: Connection, table: str) -> None:
    """Create the index of a table on PostgreSQL; called when the table is created, and by the migration."""
    if connection.dialect.name == "postgresql":
        name, digits = INDEXES[table]
        connection.exec_driver_sql("CREATE EXTENSION IF NOT EXISTS pg_trgm")
        connection.exec_driver_sql(f"CREATE INDEX IF NOT EXISTS {name} ON {table} USING gin ({digits} gin_trgm_ops)")


@event.listens_for(Customer.__table__, "after_create")
@event.listens_for(CustomerEvent.__table__, "after_create")
def _after_create(table: Table, connection: Connection, **_: Any) -> None:
    create_index(connection, table.name)
