"""Reading a visit: its state, and its messages after a public_seq."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, and_, func, select

from channels.chat import rating
from channels.chat.frames import Place, PublicMessage, VisitState
from channels.chat.models import ChatVisit
from channels.chat.rendering import public_message
from channels.chat.tokens import Tokens
from channels.chat.visit import Visit
from contact_center.accounts.models import User
from tickets.inbound import StoredFile
from tickets.models import Attachment, Message, Ticket, TicketRead
from tickets.numbers import number_of

FIRST_REPLAY = 200
HISTORY = 50


def state_of(tx: Connection, visit: Visit, place: Place | None) -> VisitState:
    """The visit as it is now; `place` is routing's answer about the line."""
    row = tx.execute(
        select(
            ChatVisit.ended_at,
            ChatVisit.seen_seq,
            ChatVisit.email,
            Ticket.public_seq,
            User.name.label("agent"),
        )
        .outerjoin(Ticket, Ticket.id == ChatVisit.ticket_id)
        .outerjoin(User, User.id == Ticket.assignee_id)
        .where(ChatVisit.id == visit.id)
    ).one()
    ended = row.ended_at is not None
    return VisitState(
        visit=visit.id,
        thread=number_of(visit.ticket_id) if visit.ticket_id else 0,
        public_seq=row.public_seq or 0,
        agent=row.agent,
        queue=None if ended or row.agent else place,
        read=agent_read(tx, visit.ticket_id) if visit.ticket_id else 0,
        seen=row.seen_seq,
        ended=ended,
        survey_score=rating.score_of(tx, visit.ticket_id) if ended and visit.ticket_id else None,
        email=row.email,
    )


def agent_read(tx: Connection, ticket_id: int) -> int:
    """The last public_seq that somebody here has read."""
    read = select(func.max(TicketRead.seq)).where(TicketRead.ticket_id == ticket_id).scalar_subquery()
    return (
        tx.execute(
            select(func.max(Message.public_seq)).where(Message.ticket_id == ticket_id, Message.seq <= read)
        ).scalar_one()
        or 0
    )


def public_up_to(tx: Connection, ticket_id: int, seq: int) -> int:
    """The last public_seq among the entries up to an internal seq."""
    return (
        tx.execute(
            select(func.max(Message.public_seq)).where(Message.ticket_id == ticket_id, Message.seq <= seq)
        ).scalar_one()
        or 0
    )


def after(tx: Connection, visit: Visit, since: int, tokens: Tokens, widget_key: str) -> list[PublicMessage]:
    """Every message after `since`; from the start only the last FIRST_REPLAY, the rest by `before`."""
    if visit.ticket_id is None:
        return []
    query = messages_of(visit.ticket_id).where(Message.public_seq > since)
    if since == 0:
        query = query.order_by(Message.public_seq.desc()).limit(FIRST_REPLAY)
    rows = sorted(tx.execute(query).mappings().all(), key=lambda row: int(row["public_seq"]))
    return _shown(tx, rows, visit, tokens, widget_key)


def before(tx: Connection, visit: Visit, seq: int, tokens: Tokens, widget_key: str) -> list[PublicMessage]:
    """Up to HISTORY messages before a public_seq, in order."""
    if visit.ticket_id is None:
        return []
    query = messages_of(visit.ticket_id).where(Message.public_seq < seq)
    rows = tx.execute(query.order_by(Message.public_seq.desc()).limit(HISTORY)).mappings().all()
    return _shown(tx, rows[::-1], visit, tokens, widget_key)


def some(tx: Connection, visit: Visit, ids: Sequence[int], tokens: Tokens, widget_key: str) -> list[PublicMessage]:
    """These messages, as far as the customer may see them, in order."""
    if visit.ticket_id is None:
        return []
    query = messages_of(visit.ticket_id).where(Message.id.in_(ids)).order_by(Message.public_seq)
    return _shown(tx, tx.execute(query).mappings().all(), visit, tokens, widget_key)


def messages_of(ticket_id: int) -> Any:
    """Public messages with the names of their authors."""
    return (
        select(
            Message.id,
            Message.public_seq,
            Message.kind,
            Message.channel,
            Message.text,
            Message.external_id,
            Message.meta,
            Message.created_at,
            User.name.label("author"),
        )
        .outerjoin(User, User.id == Message.user_id)
        .where(and_(Message.ticket_id == ticket_id, Message.public_seq.is_not(None)))
    )


def _shown(
    tx: Connection, rows: Sequence[RowMapping], visit: Visit, tokens: Tokens, widget_key: str
) -> list[PublicMessage]:
    files = files_of(tx, [row["id"] for row in rows])
    return [
        public_message(
            dict(row),
            files[row["id"]],
            author=row["author"] or "",
            visit=visit,
            widget_key=widget_key,
            tokens=tokens,
        )
        for row in rows
    ]


def files_of(tx: Connection, message_ids: Sequence[int]) -> dict[int, list[StoredFile]]:
    """The files of messages, in one statement."""
    files: dict[int, list[StoredFile]] = defaultdict(list)
    if message_ids:
        rows = tx.execute(
            select(Attachment.__table__).where(Attachment.message_id.in_(message_ids)).order_by(Attachment.id)
        )
        for row in rows:
            files[row.message_id].append(StoredFile(row.digest, row.filename, row.content_type, row.size))
    return files
