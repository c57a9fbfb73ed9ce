"""What happens to a visit: opened, written in, read, left, ended. All sync use cases on an open transaction."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import Connection, select, update

from channels.chat import invitations, signed
from channels.chat.asking import Choice
from channels.chat.frames import EndedBy
from channels.chat.identity import adopt
from channels.chat.models import ChatVisit
from channels.chat.parse import Hello, Send
from channels.chat.tokens import Identity
from channels.chat.visit import Visit, external_id
from contact_center.accounts import limits
from contact_center.core.db import in_one
from contact_center.core.errors import Conflict, NotFound
from contact_center.core.events import emit, poke
from tickets import identity_checks, intake, origins
from tickets.customers import contacts
from tickets.customers.identities import BadAddress, normalise_email, normalise_phone
from tickets.customers.recognise import survivor
from tickets.identity_checks import Method
from tickets.inbound import Address, InboundMessage, StoredFile
from tickets.inbox import RawItem
from tickets.models import Message
from tickets.replies import changed
from tickets.states import Channel, ContactKind, Delivery, MessageKind
from tickets.timeline import add_event

VISITS_PER_ADDRESS = 20
VISITS_WINDOW = timedelta(minutes=10)
# Longer than the pause between two renewals, so that a busy process does not lose its visitors.
LEASE = timedelta(seconds=20)


@dataclass(frozen=True, slots=True)
class Taken:
    """A message is stored, for the first time or long ago. public_seq None: it lies in quarantine."""

    visit: Visit
    public_seq: int | None


COLUMNS = (
    ChatVisit.id,
    ChatVisit.key,
    ChatVisit.account_id,
    ChatVisit.customer_id,
    ChatVisit.ticket_id,
    ChatVisit.name,
    ChatVisit.email,
    ChatVisit.locale,
    ChatVisit.from_seq,
    ChatVisit.subject,
    ChatVisit.invitation_id,
    ChatVisit.queue_id,
    ChatVisit.topic_id,
    ChatVisit.signed_until,
)


def open_visit(
    tx: Connection,
    account_id: int,
    hello: Hello,
    *,
    locale: str,
    address: str,
    now: datetime,
    identity: Identity | None = None,
    choice: Choice | None = None,
    origin: str = "",
) -> Visit:
    """A new visit: of the customer whose identity is proven, or with a visitor of its own.

    TooMany when an address opens them by the dozen.
    """
    limits.enforce(tx, f"chat.visit:{address}", limit=VISITS_PER_ADDRESS, window=VISITS_WINDOW, now=now)
    key = secrets.token_urlsafe(18)
    origins.remember(tx, key, origin, now=now)
    name, subject, signed_until = hello.name, None, None
    if identity is None:
        visitor = Address(ContactKind.VISITOR, key, name)
        customer_id = contacts.find_or_create(tx, visitor, now=now, locale=locale).customer_id
        email = know_email(tx, customer_id, hello.email, name, now=now)
    else:
        customer_id, name, subject = survivor(tx, identity.customer_id), identity.name or name, identity.subject
        signed_until = identity.until
        contacts.add(tx, customer_id, Address(ContactKind.VISITOR, key, name, verified=True), now=now)
        email = identity.email or know_email(tx, customer_id, hello.email, name, now=now)
    know_phone(tx, customer_id, hello.phone, name, now=now)
    queue_id, topic_id = (choice.queue_id, choice.topic_id) if choice else (None, None)
    invitation_id = invitations.known(tx, account_id, hello.invitation)
    visit_id = tx.execute(
        ChatVisit.__table__.insert().returning(ChatVisit.id),  # type: ignore[attr-defined]
        {
            "key": key,
            "account_id": account_id,
            "customer_id": customer_id,
            "name": name,
            "email": email,
            "subject": subject,
            "signed_until": signed_until,
            "invitation_id": invitation_id,
            "queue_id": queue_id,
            "topic_id": topic_id,
            "locale": locale,
            "page": hello.page,
            "opened_at": now,
            "online_until": now + LEASE,
        },
    ).scalar_one()
    visit = Visit(visit_id, key, account_id, customer_id, None, name, email, locale)
    visit = replace(visit, subject=subject, signed_until=signed_until, invitation_id=invitation_id)
    return replace(visit, queue_id=queue_id, topic_id=topic_id)


def know_email(tx: Connection, customer_id: int, raw: str, name: str, *, now: datetime) -> str:
    """The address in its one spelling, "" for none. Unproven, so it is never taken from somebody who has it."""
    if not raw:
        return ""
    try:
        email = normalise_email(raw)
    except BadAddress:
        return ""
    contacts.add(tx, customer_id, Address(ContactKind.EMAIL, email, name, claimed=True), now=now)
    return email


def know_phone(tx: Connection, customer_id: int, phone: str, name: str, *, now: datetime) -> None:
    """The same for a number; one without its country says too little to be kept."""
    if not phone.startswith("+"):
        return
    try:
        number = normalise_phone(phone)
    except BadAddress:
        return
    contacts.add(tx, customer_id, Address(ContactKind.PHONE, number, name, claimed=True), now=now)


def resume(
    tx: Connection,
    visit_id: int,
    account_id: int,
    *,
    now: datetime,
    identity: Identity | None = None,
    origin: str = "",
) -> Visit:
    """The visit, with somebody at its other end again; NotFound if there is none, Conflict if it is somebody else's."""
    row = tx.execute(
        update(ChatVisit)
        .where(ChatVisit.id == visit_id, ChatVisit.account_id == account_id)
        .values(online_until=now + LEASE, left_at=None)
        .returning(*COLUMNS)
    ).first()
    if row is None:
        raise NotFound("There is no such conversation.")
    visit = _visit(row)
    origins.remember(tx, visit.key, origin, now=now)
    if identity is not None:
        visit = identify(tx, visit, identity, now=now)
    if visit.ticket_id is not None:
        # Whoever looks at the conversation sees that its customer is there again.
        poke(tx, f"ticket:{visit.ticket_id}", name="visit.resumed", payload={}, relay=False)
    return visit


def identify(tx: Connection, visit: Visit, identity: Identity, *, now: datetime) -> Visit:
    """The visit as one of the customer who has proved who they are; Conflict if it is another customer's.

    The same customer's newer login holds for longer.
    """
    if visit.subject == identity.subject and visit.signed_until == identity.until:
        return visit
    after = replace(visit, signed_until=identity.until)
    if visit.subject is None:
        after = replace(
            after,
            customer_id=adopt(tx, visit.key, visit.customer_id, identity, now=now),
            name=identity.name or visit.name,
            email=identity.email or visit.email,
            subject=identity.subject,
        )
    elif visit.subject != identity.subject:
        raise Conflict("This conversation belongs to another customer.")
    told = {"name": after.name, "email": after.email, "subject": after.subject, "signed_until": after.signed_until}
    tx.execute(update(ChatVisit).where(ChatVisit.id == visit.id).values(**told))
    signed.vouch(tx, after, now=now)
    return after


def find(tx: Connection, visit_id: int, account_id: int) -> Visit:
    """The visit of a widget; NotFound if there is none."""
    row = tx.execute(select(*COLUMNS).where(ChatVisit.id == visit_id, ChatVisit.account_id == account_id)).first()
    if row is None:
        raise NotFound("There is no such conversation.")
    return _visit(row)


def _visit(row: Any) -> Visit:
    return Visit(*row)


def inbound_of(visit: Visit, send: Send, files: Sequence[StoredFile], origin: str = "") -> InboundMessage:
    """A sent frame as a message for the ticket of the visit."""
    return InboundMessage(
        channel=Channel.CHAT,
        account_id=visit.account_id,
        external_id=external_id(visit.key, send.client_id),
        sender=Address(ContactKind.VISITOR, visit.key, visit.name),
        text=send.text,
        subject="" if send.text or not files else files[0].filename,
        thread_key=visit.key,
        locale=visit.locale,
        queue_id=visit.queue_id,
        topic_id=visit.topic_id,
        attachments=tuple(files),
        origin=origin,
        spare=_kept(visit, send),
    )


def _kept(visit: Visit, send: Send) -> bytes:
    return orjson.dumps({"visit_id": visit.id, "client_id": send.client_id, "text": send.text, "files": send.files})


def raw_item(visit: Visit, send: Send) -> RawItem:
    """The same as a journal item, for the case that it cannot be taken; `send` is kept whole."""
    return RawItem(
        channel=Channel.CHAT,
        account_id=visit.account_id,
        external_id=external_id(visit.key, send.client_id),
        raw=_kept(visit, send),
        sender=visit.key,
        summary=send.text,
    )


def take_in_one(tx: Connection, visit: Visit, inbound: InboundMessage, *, now: datetime) -> Taken | None:
    """The same for the next message of a conversation that goes on in its ticket; None for any other."""
    if visit.ticket_id is None:
        return None
    receipt = intake.receive_in_one(tx, inbound, now=now, ticket_id=visit.ticket_id)
    return Taken(visit, receipt.public_seq) if receipt is not None else None


@in_one(take_in_one)
def take(tx: Connection, visit: Visit, inbound: InboundMessage, *, now: datetime) -> Taken:
    """Store a message: one statement on PostgreSQL but for the first of a visit. A repeated one is found again."""
    if visit.ticket_id is None and visit.invitation_id is not None:
        inbound = replace(inbound, greeting=invitations.greeting(tx, visit.invitation_id, visit.locale))
    receipt = intake.receive(tx, inbound, now=now)
    if receipt.created and inbound.greeting is not None:
        invitations.answered(tx, visit.invitation_id)
    if receipt.ticket_id is not None and receipt.ticket_id != visit.ticket_id:
        # A ticket of its own begins with what we said; in one that was there before, only what follows is this visit's.
        first = 1 if receipt.created else receipt.public_seq or 1
        visit = replace(visit, ticket_id=receipt.ticket_id, from_seq=first)
        # Numbers begin anew in another ticket: what was seen of the old one says nothing about this one.
        marks = dict.fromkeys(("delivered_seq", "seen_seq", "mailed_seq"), visit.from_seq - 1)
        here = {"ticket_id": visit.ticket_id, "from_seq": visit.from_seq, **marks}
        tx.execute(update(ChatVisit).where(ChatVisit.id == visit.id).values(**here, ended_at=None, ended_by=None))
        signed.vouch(tx, visit, now=now)
    return Taken(visit, receipt.public_seq)


def mark(tx: Connection, visit: Visit, *, delivered: int = 0, seen: int = 0, now: datetime) -> None:
    """The customer's browser has everything up to `delivered`, and has shown everything up to `seen`."""
    if visit.ticket_id is None:
        return
    if seen:
        moved = tx.execute(
            update(ChatVisit)
            .where(ChatVisit.id == visit.id, ChatVisit.seen_seq < seen)
            .values(seen_seq=seen, delivered_seq=seen)
        )
        if moved.rowcount:
            _advance(tx, visit.ticket_id, seen, Delivery.READ, (Delivery.SENT, Delivery.DELIVERED), now=now)
            poke(tx, f"visit:{visit.key}", name="visit.seen", payload={"public_seq": seen}, relay=False)
    elif delivered:
        moved = tx.execute(
            update(ChatVisit)
            .where(ChatVisit.id == visit.id, ChatVisit.delivered_seq < delivered)
            .values(delivered_seq=delivered)
        )
        if moved.rowcount:
            _advance(tx, visit.ticket_id, delivered, Delivery.DELIVERED, (Delivery.SENT,), now=now)


def _advance(
    tx: Connection, ticket_id: int, until: int, to: Delivery, before: Sequence[Delivery], *, now: datetime
) -> None:
    rows = tx.execute(
        update(Message)
        .where(
            Message.ticket_id == ticket_id,
            Message.public_seq <= until,
            Message.kind == MessageKind.OUTBOUND.value,
            Message.channel == Channel.CHAT.value,
            Message.delivery.in_([state.value for state in before]),
        )
        .values(delivery=to.value)
        .returning(Message.id)
    ).scalars()
    for message_id in list(rows):
        changed(tx, ticket_id, message_id, to, now=now)


def set_profile(tx: Connection, visit: Visit, name: str, email: str, *, now: datetime) -> Visit:
    """How to reach the customer if we lose each other."""
    known = know_email(tx, visit.customer_id, email, name or visit.name, now=now)
    after = replace(visit, name=name or visit.name, email=known or visit.email)
    tx.execute(update(ChatVisit).where(ChatVisit.id == visit.id).values(name=after.name, email=after.email))
    return after


def end(tx: Connection, visit_id: int, by: EndedBy, *, now: datetime) -> bool:
    """The conversation is over; False if it was over before."""
    row = tx.execute(
        update(ChatVisit)
        .where(ChatVisit.id == visit_id, ChatVisit.ended_at.is_(None))
        .values(ended_at=now, ended_by=by.value)
        .returning(ChatVisit.key, ChatVisit.ticket_id)
    ).first()
    if row is None:
        return False
    if row.ticket_id is not None:
        identity_checks.lapse(tx, row.ticket_id, Method.SIGNED_IN, now=now)
        add_event(tx, row.ticket_id, "chat_ended", {"by": by.value}, now=now, public=True)
    payload: Mapping[str, Any] = {"visit_id": visit_id, "ticket_id": row.ticket_id, "by": by.value}
    emit(tx, "visit.ended", payload, now=now, topics=[f"visit:{row.key}"])
    return True


def go_on(tx: Connection, ticket_id: int, *, now: datetime) -> None:
    """The matter is open again, so its conversation is not over after all."""
    rows = tx.execute(
        update(ChatVisit)
        .where(ChatVisit.ticket_id == ticket_id, ChatVisit.ended_at.is_not(None))
        .values(ended_at=None, ended_by=None)
        .returning(*COLUMNS)
    ).all()
    for row in rows:
        poke(tx, f"visit:{row.key}", name="visit.resumed", payload={}, relay=False)
        signed.vouch(tx, _visit(row), now=now)
