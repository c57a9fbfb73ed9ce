"""What the senders need of due messages: text, address, files, account, references and what is quoted."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import BindParameter, Connection, bindparam, func, select

from channels import history
from channels.base import Outbound, Said
from channels.history import Wanted
from channels.models import DeliveryAttempt
from contact_center.accounts.models import User
from contact_center.core.secrets import Vault
from tickets import identity_codes
from tickets.channel_accounts import Account, opened
from tickets.inbound import StoredFile
from tickets.models import Attachment, ChannelAccount, ContactPoint, ExternalReference, Message, Queue, Ticket
from tickets.numbers import number_of

_IDS: BindParameter[Any] = bindparam("ids", expanding=True)
_OUTGOING = (
    select(
        Message.__table__,
        ContactPoint.value.label("to"),
        ContactPoint.name.label("to_name"),
        ContactPoint.suppressed_reason,
        Ticket.subject.label("ticket_subject"),
        Ticket.locale.label("ticket_locale"),
        Queue.name.label("queue_name"),
        Queue.locale.label("queue_locale"),
        Queue.signature,
        User.name.label("author"),
        select(func.count()).where(DeliveryAttempt.message_id == Message.id).scalar_subquery().label("attempt"),
    )
    .join(Ticket, Ticket.id == Message.ticket_id)
    .join(Queue, Queue.id == Ticket.queue_id)
    .join(ContactPoint, ContactPoint.id == Message.contact_point_id)
    .outerjoin(User, User.id == Message.user_id)
    .where(Message.id.in_(_IDS))
    .order_by(Message.id)
)
_REFERENCES = (
    select(ExternalReference.ticket_id, ExternalReference.reference)
    .where(ExternalReference.ticket_id.in_(_IDS))
    .order_by(ExternalReference.id)
)
_FILES = select(Attachment.__table__).where(Attachment.message_id.in_(_IDS))
_ACCOUNTS = select(ChannelAccount.__table__).where(ChannelAccount.id.in_(_IDS), ChannelAccount.enabled)


def load(tx: Connection, claimed: Sequence[tuple[int, int]], vault: Vault) -> list[Outbound]:
    """Everything the senders need, in a constant number of statements."""
    ids = [message_id for message_id, _ in claimed]
    attempts = dict(claimed)
    rows = tx.execute(_OUTGOING, {"ids": ids}).all()
    accounts = _accounts(tx, {row.channel_account_id for row in rows}, vault)
    references = _grouped(tx.execute(_REFERENCES, {"ids": {row.ticket_id for row in rows}}).all())
    files = _grouped(
        [
            (
                file.message_id,
                StoredFile(file.digest, file.filename, file.content_type, file.size, file.inline, file.content_id),
            )
            for file in tx.execute(_FILES, {"ids": ids})
        ]
    )
    quoted = _history(tx, rows, accounts)
    codes = identity_codes.texts_of(tx, rows, vault)
    return [
        Outbound(
            message_id=row.id,
            attempt_id=attempts[row.id],
            attempt=row.attempt,
            ticket_id=row.ticket_id,
            ticket_number=number_of(row.ticket_id),
            account=accounts[row.channel_account_id],
            to=row.to,
            to_name=row.to_name,
            subject=row.subject or row.ticket_subject,
            text=codes.get(row.id) or row.text,
            html=row.html,
            author=row.author or "",
            automatic=row.automatic,
            locale=row.ticket_locale or row.queue_locale,
            queue_name=row.queue_name,
            signature=row.signature,
            references=tuple(references.get(row.ticket_id, ())),
            attachments=tuple(files.get(row.id, ())),
            meta=row.meta,
            created_at=row.created_at,
            contact_point_id=row.contact_point_id,
            history=quoted.get(row.id, ()),
            suppressed=_why_not(row, codes),
        )
        for row in rows
        if row.channel_account_id in accounts
    ]


def _why_not(row: Any, codes: Mapping[int, str | None]) -> str | None:
    """Why nothing leaves, if so: the address takes nothing, or the code that it should carry is over."""
    if row.id in codes and codes[row.id] is None:
        return identity_codes.GONE
    # The confirmation of a STOP is the one message that still leaves.
    return None if row.meta.get("consent") else row.suppressed_reason


def _history(tx: Connection, rows: Sequence[Any], accounts: Mapping[Any, Account]) -> dict[int, tuple[Said, ...]]:
    """What replies of people quote, where their account wants it."""
    answers = [row for row in rows if not row.automatic and row.channel_account_id in accounts]
    return history.earlier(
        tx,
        {
            row.id: Wanted(
                row.ticket_id, row.seq, row.contact_point_id, history.how(accounts[row.channel_account_id].settings)
            )
            for row in answers
        },
    )


def _accounts(tx: Connection, ids: set[int | None], vault: Vault) -> dict[int | None, Account]:
    rows = tx.execute(_ACCOUNTS, {"ids": [i for i in ids if i is not None]})
    return {row.id: opened(row, vault) for row in rows}


def _grouped(pairs: Sequence[Any]) -> dict[int, list[Any]]:
    grouped: dict[int, list[Any]] = {}
    for key, value in pairs:
        grouped.setdefault(key, []).append(value)
    return grouped
