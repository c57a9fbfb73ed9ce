"""Chat that goes on by mail: answers that were not seen, transcripts, and what is written in closed hours."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formataddr
from typing import Any

import structlog
from sqlalchemy import Connection, func, select, update

from channels.chat import invitations, visits
from channels.chat.asking import Choice
from channels.chat.models import ChatVisit
from channels.chat.parse import OfflineMessage
from channels.chat.state import files_of
from channels.chat.visit import Visit
from contact_center.accounts import limits
from contact_center.accounts.models import User
from contact_center.core.errors import Conflict, DomainError, Invalid
from contact_center.core.i18n import gettext, mark
from tickets import intake, origins
from tickets.customers import contacts
from tickets.customers.identities import BadAddress, normalise_email
from tickets.inbound import Address, InboundMessage, Receipt, StoredFile
from tickets.models import ChannelAccount, Message, Ticket
from tickets.replies import SYSTEM, Reply, reply
from tickets.states import Channel, ContactKind, Delivery, MessageKind, Status

log = structlog.get_logger()

UNSEEN_FOR = timedelta(minutes=10)
# Somebody who is still writing sends one mail, not two.
PAUSE = timedelta(minutes=1)
TRANSCRIPTS = 5
OFFLINE_MESSAGES = 5
CLOSED_HOURS = "chat.offline"
WINDOW = timedelta(hours=1)
BATCH = 50

WHILE_AWAY = mark("You had left our chat when this answer came:")
WHILE_AWAY_MORE = mark("You had left our chat when these answers came:")
GO_ON = mark("Simply reply to this e-mail to go on.")
TRANSCRIPT_OF = mark("Your conversation of %(day)s:")
YOU = mark("You")
AGENT = mark("Customer service")


def mail_unseen(tx: Connection, now: datetime) -> int:
    """Send by mail what customers have not seen in the chat for ten minutes; returns how many conversations it was.

    Everything unseen goes in one mail. The update of `mailed_seq` decides between two workers.
    """
    waiting = (
        select(ChatVisit.id, ChatVisit.ticket_id, ChatVisit.email, ChatVisit.locale, ChatVisit.customer_id)
        .add_columns(func.max(Message.public_seq).label("last"), func.min(Message.public_seq).label("first"))
        .join(Message, Message.ticket_id == ChatVisit.ticket_id)
        .join(Ticket, Ticket.id == ChatVisit.ticket_id)
        .where(
            ChatVisit.email != "",
            Ticket.status.not_in((Status.CLOSED.value, Status.SPAM.value)),
            Message.kind == MessageKind.OUTBOUND.value,
            Message.channel == Channel.CHAT.value,
            Message.delivery.in_([Delivery.SENT.value, Delivery.DELIVERED.value]),
            ~Message.automatic,
            Message.public_seq > ChatVisit.seen_seq,
            Message.public_seq > ChatVisit.mailed_seq,
            Message.created_at > now - timedelta(days=1),
        )
        .group_by(ChatVisit.id)
        .having(
            func.min(Message.created_at) <= now - UNSEEN_FOR,
            func.max(Message.created_at) <= now - PAUSE,
        )
        .limit(BATCH)
    )
    mailed = 0
    for row in tx.execute(waiting).all():
        taken = tx.execute(
            update(ChatVisit).where(ChatVisit.id == row.id, ChatVisit.mailed_seq < row.last).values(mailed_seq=row.last)
        )
        if taken.rowcount and has_mail(tx):
            try:
                with tx.begin_nested():
                    _mail_answers(tx, row, now=now)
            except DomainError as error:
                # The address is suppressed, say: that keeps nobody else from their mail.
                log.info("chat.not_mailed", visit_id=row.id, code=error.code)
            mailed += 1
    return mailed


def _mail_answers(tx: Connection, row: Any, *, now: datetime) -> None:
    answers = tx.execute(
        select(Message.id, Message.text)
        .where(
            Message.ticket_id == row.ticket_id,
            Message.public_seq.between(row.first, row.last),
            Message.kind == MessageKind.OUTBOUND.value,
            Message.channel == Channel.CHAT.value,
            ~Message.automatic,
        )
        .order_by(Message.public_seq)
    ).all()
    files = files_of(tx, [one.id for one in answers])
    intro = WHILE_AWAY if len(answers) == 1 else WHILE_AWAY_MORE
    parts = [gettext(row.locale, intro), *(one.text for one in answers if one.text), gettext(row.locale, GO_ON)]
    _send(
        tx,
        row.ticket_id,
        row.customer_id,
        row.email,
        parts,
        {"chat_follow_up": row.email},
        now=now,
        files=tuple(file for one in answers for file in files[one.id]),
    )


def mail_transcript(tx: Connection, visit: Visit, raw: str, *, now: datetime) -> None:
    """Send the whole conversation to an address; raises Invalid, Conflict (nothing said yet) or TooMany."""
    limits.enforce(tx, f"chat.transcript:{visit.id}", limit=TRANSCRIPTS, window=WINDOW, now=now)
    email = address_of(raw)
    if visit.ticket_id is None:
        raise Conflict("There is no conversation to send yet.")
    if not has_mail(tx):
        raise Conflict("No mailbox is set up to send from.")
    rows = tx.execute(
        select(Message.kind, Message.text, Message.created_at, User.name)
        .outerjoin(User, User.id == Message.user_id)
        .where(
            Message.ticket_id == visit.ticket_id,
            Message.public_seq.is_not(None),
            Message.kind.in_([MessageKind.INBOUND.value, MessageKind.OUTBOUND.value]),
            Message.channel == Channel.CHAT.value,
        )
        .order_by(Message.public_seq)
    ).all()
    if not rows:
        raise Conflict("There is no conversation to send yet.")
    _send(tx, visit.ticket_id, visit.customer_id, email, _lines(rows, visit), {"chat_transcript": email}, now=now)


def _lines(rows: Sequence[Any], visit: Visit) -> list[str]:
    day = rows[0].created_at.astimezone(UTC).date().isoformat()
    lines = [gettext(visit.locale, TRANSCRIPT_OF, day=day)]
    for row in rows:
        inbound = row.kind == MessageKind.INBOUND.value
        name = visit.name or gettext(visit.locale, YOU) if inbound else row.name or gettext(visit.locale, AGENT)
        lines.append(f"{name} ({row.created_at.astimezone(UTC):%H:%M} UTC)\n{row.text}")
    return lines


def _send(
    tx: Connection,
    ticket_id: int,
    customer_id: int,
    email: str,
    parts: Sequence[str],
    meta: dict[str, str],
    *,
    now: datetime,
    files: tuple[StoredFile, ...] = (),
) -> None:
    to = Address(ContactKind.EMAIL, email, claimed=True)
    contact = contacts.find(tx, to)
    contact_point_id = contact.contact_point_id if contact else contacts.add(tx, customer_id, to, now=now)
    answer = Reply(
        text="\n\n".join(parts),
        channel=Channel.EMAIL,
        contact_point_id=contact_point_id,
        attachments=files,
        automatic=True,
        meta=meta,
    )
    reply(tx, ticket_id, answer, author=SYSTEM, now=now)


@dataclass(frozen=True, slots=True)
class Raw:
    """The form as a mail for the journal: itself, or the digest under which it lies."""

    mail: bytes | None = None
    digest: str | None = None


def take_offline(
    tx: Connection,
    account_id: int,
    queue_id: int,
    form: OfflineMessage,
    *,
    locale: str,
    address: str,
    now: datetime,
    choice: Choice | None = None,
    files: Sequence[StoredFile] = (),
    raw: Raw | None = None,
    origin: str = "",
    counted: str = CLOSED_HOURS,
    most: int = OFFLINE_MESSAGES,
) -> Receipt:
    """A message written in closed hours, or in the contact form, becomes a mail ticket.

    The same client id gives the same receipt. `raw`: the message as a mail, where it is more than its text. An internet
    address sends at most `most` an hour of those that are `counted` alike; TooMany beyond.
    """
    limits.enforce(tx, f"{counted}:{address}", limit=most, window=WINDOW, now=now)
    queue_id = choice.queue_id if choice else queue_id
    mailbox, email = mail_account(tx, queue_id), address_of(form.email)
    raw = raw or Raw(as_mail(form, email, now=now))
    inbound = InboundMessage(
        channel=Channel.EMAIL,
        account_id=mailbox or account_id,
        external_id=f"widget:{account_id}:{form.client_id}",
        sender=Address(ContactKind.EMAIL, email, form.name, claimed=True),
        text=form.text,
        # What a block stops can be let through only by a mailbox that can read it.
        raw=raw.mail if raw and mailbox is not None else None,
        raw_digest=raw.digest if raw and mailbox is not None else None,
        locale=locale,
        queue_id=queue_id,
        topic_id=choice.topic_id if choice else None,
        attachments=tuple(files),
        origin=origin,
        meta={"widget_page": form.page} if form.page else {},
    )
    receipt = intake.receive(tx, inbound, now=now)
    if receipt.ticket_id is not None:
        origins.remember(tx, origins.of_form(receipt.ticket_id), origin, now=now)
        customer_id = tx.execute(select(Ticket.customer_id).where(Ticket.id == receipt.ticket_id)).scalar_one()
        visits.know_phone(tx, customer_id, form.phone, form.name, now=now)
    if receipt.created:
        invitations.answered(tx, invitations.known(tx, account_id, form.invitation))
    return receipt


def as_mail(
    form: OfflineMessage, email: str, *, now: datetime, files: Sequence[tuple[StoredFile, bytes]] = ()
) -> bytes:
    """The form as the mail that its writer might have sent instead, with the bytes of its files."""
    mail = EmailMessage(policy=SMTP)
    mail["From"] = formataddr((" ".join(form.name.split()), email))
    mail["Date"] = now
    mail["Message-ID"] = f"<{form.client_id}@widget.invalid>"
    mail.set_content(form.text)
    for file, data in files:
        main, _, kind = file.content_type.partition("/")
        mail.add_attachment(data, maintype=main, subtype=kind, filename=file.filename)
    return mail.as_bytes()


def address_of(raw: str) -> str:
    """An e-mail address in its one spelling; Invalid if nobody could be reached there."""
    try:
        return normalise_email(raw)
    except BadAddress as error:
        raise Invalid(str(error), field="email") from error


def mail_account(tx: Connection, queue_id: int) -> int | None:
    """The mailbox that answers leave from: the queue's own before any other."""
    return tx.execute(
        select(ChannelAccount.id)
        .where(ChannelAccount.channel == Channel.EMAIL.value, ChannelAccount.enabled)
        .order_by((ChannelAccount.queue_id == queue_id).desc(), ChannelAccount.id)
        .limit(1)
    ).scalar_one_or_none()


def has_mail(tx: Connection) -> bool:
    """Whether any mailbox is set up to send from."""
    return mail_account(tx, 0) is not None
