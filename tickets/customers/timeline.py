"""Everything that happened with a customer, over all channels and systems, newest first, in one statement a page."""

import base64
import binascii
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, Select, String, case, cast, func, literal, null, select, tuple_, union_all

from contact_center.core.errors import Invalid
from contact_center.core.schema import UtcDateTime
from contact_center.core.text import first_line
from tickets.customers.events import CustomerEvent
from tickets.models import Message, Ticket
from tickets.numbers import number_of
from tickets.states import MessageKind

PAGE = 30
LINE_LENGTH = 200


@dataclass(frozen=True, slots=True)
class Line:
    """One happening: a message (`kind` inbound, outbound, note, call) or an outside event (`kind` its own word)."""

    at: datetime
    source: str
    id: int
    kind: str
    channel: str
    ticket_id: int | None
    title: str
    text: str
    state: str

    @property
    def number(self) -> int | None:
        """The public number of the ticket it belongs to."""
        return None if self.ticket_id is None else number_of(self.ticket_id)


@dataclass(frozen=True, slots=True)
class History:
    """A page of lines; `cursor` asks for older ones."""

    lines: list[Line]
    cursor: str | None


def history(tx: Connection, customer_id: int, *, cursor: str | None = None, limit: int = PAGE) -> History:
    """One page of a customer's history, notes included (for agents' eyes); a broken cursor raises Invalid."""
    after = _decoded(cursor) if cursor else None
    parts = [_messages(customer_id, after, limit + 1), _events(customer_id, after, limit + 1)]
    together = union_all(*(select(part.subquery()) for part in parts)).subquery()
    rows = tx.execute(
        select(together).order_by(together.c.at.desc(), together.c.source.desc(), together.c.id.desc()).limit(limit + 1)
    ).all()
    lines = [
        Line(
            row.at,
            row.source,
            row.id,
            row.kind,
            row.channel,
            row.ticket_id,
            first_line(row.title, LINE_LENGTH),
            first_line(row.text, LINE_LENGTH),
            row.state or "",
        )
        for row in rows[:limit]
    ]
    return History(lines, _encoded(lines[-1]) if len(rows) > limit else None)


def _messages(customer_id: int, after: tuple[datetime, str, int] | None, limit: int) -> Select[Any]:
    # A line needs the first words only; a mail of 25,000 characters stays in the database.
    words = func.substr(Message.text, 1, LINE_LENGTH * 2)
    statement = (
        select(
            Message.created_at.label("at"),
            literal("message").label("source"),
            Message.id,
            Message.kind,
            Message.channel,
            Message.ticket_id,
            case((Message.subject != "", Message.subject), else_=Ticket.subject).label("title"),
            words.label("text"),
            func.coalesce(Message.delivery, "").label("state"),
        )
        .join(Ticket, Ticket.id == Message.ticket_id)
        .where(Ticket.customer_id == customer_id, Message.kind != MessageKind.EVENT.value)
    )
    return _walk(statement, Message.created_at, "message", Message.id, after, limit)


def _events(customer_id: int, after: tuple[datetime, str, int] | None, limit: int) -> Select[Any]:
    statement = select(
        CustomerEvent.occurred_at.label("at"),
        literal("event").label("source"),
        CustomerEvent.id,
        CustomerEvent.kind,
        literal("").label("channel"),
        cast(null(), Ticket.id.type).label("ticket_id"),
        CustomerEvent.title,
        literal("").label("text"),
        CustomerEvent.state,
    ).where(CustomerEvent.customer_id == customer_id)
    return _walk(statement, CustomerEvent.occurred_at, "event", CustomerEvent.id, after, limit)


def _walk(
    statement: Select[Any], at: Any, source: str, row_id: Any, after: tuple[datetime, str, int] | None, limit: int
) -> Select[Any]:
    if after is not None:
        edge = tuple_(literal(after[0], UtcDateTime()), literal(after[1], String()), literal(after[2]))
        statement = statement.where(tuple_(at, literal(source, String()), row_id) < edge)
    return statement.order_by(at.desc(), row_id.desc()).limit(limit)


def _encoded(line: Line) -> str:
    return base64.urlsafe_b64encode(orjson.dumps([line.at.isoformat(), line.source, line.id])).decode()


def _decoded(cursor: str) -> tuple[datetime, str, int]:
    try:
        at, source, row_id = orjson.loads(base64.urlsafe_b64decode(cursor))
        return datetime.fromisoformat(at), str(source), int(row_id)
    except (ValueError, TypeError, binascii.Error) as error:
        raise Invalid("This page of the history no longer exists: start at its top.", field="cursor") from error
