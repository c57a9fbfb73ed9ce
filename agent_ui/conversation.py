"""The head of a conversation, the ways to answer, drafts, and the customer beside it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, func, select
from sqlalchemy import Row as Record
from sqlalchemy.orm import aliased

from agent_ui.sentences import STATUSES
from agent_ui.views import Contact, Customer360, Drafts, Line, SlaChip, Via
from agent_ui.views import Ticket as TicketView
from contact_center.accounts.models import User
from contact_center.core.errors import NotFound
from contact_center.core.i18n import gettext
from tickets.customers.identities import shown_phone
from tickets.customers.names import display_name
from tickets.models import ChannelAccount, ContactPoint, Customer, Draft, Queue, Tag, Ticket, TicketTag, Topic
from tickets.numbers import number_of
from tickets.quality.models import Complaint, Survey
from tickets.replies import CONTACT_KINDS
from tickets.sla_models import SlaClock
from tickets.states import DONE_STATUSES, Channel, ContactKind

HISTORY = 8
CHANNEL_ICONS = {"email": "mail", "chat": "message-circle", "sms": "message-square-text", "phone": "phone"}
NOTE = "note"
METRICS = ("first_response", "next_response", "resolution")
COMPLAINED = aliased(Ticket)


@dataclass(frozen=True, slots=True)
class Account:
    """A channel account that replies can leave by."""

    id: int
    channel: str
    address: str


def _head() -> Any:
    """The statement for the head of a conversation."""
    tags = (
        select(func.aggregate_strings(Tag.name, ","))
        .join(TicketTag, TicketTag.tag_id == Tag.id)
        .where(TicketTag.ticket_id == Ticket.id)
        .correlate(Ticket)
        .scalar_subquery()
    )
    complaints = (
        select(func.count())
        .select_from(Complaint)
        .join(COMPLAINED, COMPLAINED.id == Complaint.ticket_id)
        .where(COMPLAINED.customer_id == Ticket.customer_id, Complaint.stage != "closed")
        .correlate(Ticket)
        .scalar_subquery()
    )
    rated = (Survey.customer_id == Ticket.customer_id, Survey.rating.is_not(None))
    return (
        select(
            Ticket.__table__,
            Customer.name.label("customer"),
            Customer.locale.label("customer_locale"),
            Customer.created_at.label("customer_since"),
            Queue.name.label("queue"),
            Topic.name.label("topic"),
            User.name.label("assignee"),
            ContactPoint.kind.label("point_kind"),
            ContactPoint.value.label("point_value"),
            tags.label("tags"),
            complaints.label("complaints"),
            select(func.avg(Survey.rating)).where(*rated).correlate(Ticket).scalar_subquery().label("csat"),
            select(func.count()).where(*rated).correlate(Ticket).scalar_subquery().label("csat_count"),
        )
        .join(Customer, Customer.id == Ticket.customer_id)
        .join(Queue, Queue.id == Ticket.queue_id)
        .outerjoin(Topic, Topic.id == Ticket.topic_id)
        .outerjoin(User, User.id == Ticket.assignee_id)
        .outerjoin(ContactPoint, ContactPoint.id == Ticket.contact_point_id)
        .where(Ticket.id == bindparam("ticket"))
    )


# Built once: they run for every message on every open screen, and building costs more than running.
HEAD = _head()
CLOCKS = select(SlaClock.__table__).where(SlaClock.ticket_id == bindparam("ticket")).order_by(SlaClock.id)


def head(tx: Connection, ticket_id: int, *, now: datetime) -> tuple[TicketView, Record[Any]]:
    """The head of a conversation and its row, in two statements."""
    row = tx.execute(HEAD, {"ticket": ticket_id}).first()
    if row is None:
        raise NotFound("There is no such ticket.")
    clocks = tx.execute(CLOCKS, {"ticket": ticket_id}).all()
    return as_ticket(row, clocks, now), row


def customer_name(row: Record[Any]) -> str:
    """What the customer is called, or the best that their address tells."""
    kind = ContactKind(row.point_kind) if row.point_kind else ContactKind.VISITOR
    return row.customer or display_name("", kind, row.point_value or "")


def sla_chips(clocks: Iterable[Record[Any]], status: str, now: datetime) -> tuple[SlaChip, ...]:
    """The newest clock of each metric: running with its moment, or met."""
    newest = {clock.metric: clock for clock in clocks if clock.dropped_at is None}
    found: list[SlaChip] = []
    for metric in METRICS:
        clock = newest.get(metric)
        if clock is None:
            continue
        if clock.ended_at is not None:
            if clock.breached_at is None and metric == METRICS[0]:
                found.append(SlaChip(metric, "met"))
        elif clock.due_at is not None and status not in DONE_STATUSES:
            at_risk = clock.warn_at is not None and clock.warn_at <= now
            state = "breached" if clock.due_at <= now else "at_risk" if at_risk else "pending"
            found.append(SlaChip(metric, state, clock.due_at, clock.warn_at))
    return tuple(found)


def as_ticket(row: Record[Any], clocks: Iterable[Record[Any]], now: datetime) -> TicketView:
    """What the head shows."""
    moments = [moment for moment in (row.last_inbound_at, row.last_outbound_at) if moment is not None]
    return TicketView(
        ticket_id=row.id,
        number=number_of(row.id),
        subject=row.subject,
        status=row.status,
        priority=row.priority,
        kind=row.kind,
        customer=customer_name(row),
        customer_id=row.customer_id,
        channel=row.channel,
        created_at=row.created_at,
        last_message_at=max(moments, default=None),
        version=row.version,
        seq=row.seq,
        queue=row.queue,
        topic=row.topic or "",
        assignee=row.assignee or "",
        assignee_id=row.assignee_id,
        tags=tuple(sorted(row.tags.split(","))) if row.tags else (),
        slas=sla_chips(clocks, row.status, now),
        complaint="complaint" if row.kind == "complaint" else "",
    )


def contact_points(tx: Connection, customer_id: int) -> Sequence[Record[Any]]:
    """The customer's addresses, oldest first."""
    return tx.execute(
        select(ContactPoint.__table__).where(ContactPoint.customer_id == customer_id).order_by(ContactPoint.id)
    ).all()


def accounts(tx: Connection) -> tuple[Account, ...]:
    """The enabled accounts."""
    rows = tx.execute(
        select(ChannelAccount.id, ChannelAccount.channel, ChannelAccount.address)
        .where(ChannelAccount.enabled)
        .order_by(ChannelAccount.id)
    )
    return tuple(Account(*row) for row in rows)


def vias(ticket: Any, points: Sequence[Record[Any]], held: Iterable[Account]) -> tuple[Via, ...]:
    """Only the ways to answer that are possible: an account to send from and an address that may be written to.

    The ticket's own channel comes first; chat only where the conversation is one (the visit must be there).
    """
    if ticket.status == "closed":
        return ()
    first_of: dict[str, Account] = {}
    for account in held:
        if account.channel not in first_of or account.id == ticket.channel_account_id:
            first_of[account.channel] = account
    found: list[Via] = []
    for channel in (Channel.CHAT, Channel.EMAIL, Channel.SMS):
        sender = first_of.get(channel.value)
        if sender is None or (channel is Channel.CHAT and ticket.channel != Channel.CHAT.value):
            continue
        kinds = (ContactKind.VISITOR.value,) if channel is Channel.CHAT else CONTACT_KINDS[channel]
        found += [
            Via(
                key=f"{channel.value}:{point.id}",
                channel=channel.value,
                recipient=customer_name(ticket) if channel is Channel.CHAT else address_of(point),
                sender="" if channel is Channel.CHAT else sender.address,
            )
            for point in points
            if point.kind in kinds
            and point.suppressed_at is None
            and (channel is not Channel.CHAT or point.id == ticket.contact_point_id)
        ]
    found.sort(key=lambda via: (via.channel != ticket.channel, not via.key.endswith(f":{ticket.contact_point_id}")))
    return tuple(found)


def address_of(point: Record[Any]) -> str:
    """An address as people read it."""
    return shown_phone(point.value) if point.kind == ContactKind.PHONE.value else str(point.value)


def drafts(tx: Connection, ticket_id: int, user_id: int) -> Drafts:
    """What this agent has written here and not sent: the newest reply and the note."""
    rows = tx.execute(
        select(Draft.channel, Draft.text)
        .where(Draft.ticket_id == ticket_id, Draft.user_id == user_id)
        .order_by(Draft.updated_at.desc())
    ).all()
    replies = [row for row in rows if row.channel != NOTE]
    note = next((row.text for row in rows if row.channel == NOTE), "")
    newest = rows[0].channel if rows else ""
    return Drafts(
        reply=replies[0].text if replies else "",
        note=note,
        mode=NOTE if newest == NOTE else "reply",
        via=replies[0].channel if replies else "",
    )


def other_tickets(tx: Connection, customer_id: int, ticket_id: int) -> Sequence[Any]:
    """The customer's other tickets, newest first, with who resolved them."""
    return tx.execute(
        select(Ticket.id, Ticket.subject, Ticket.status, Ticket.channel, Ticket.updated_at, User.name.label("resolver"))
        .outerjoin(User, User.id == Ticket.resolved_by_id)
        .where(Ticket.customer_id == customer_id, Ticket.id != ticket_id)
        .order_by(Ticket.id.desc())
        .limit(50)
    ).all()


def customer_360(
    row: Record[Any], points: Sequence[Record[Any]], others: Sequence[Record[Any]], locale: str
) -> Customer360:
    """The panel beside the conversation: what is known at once; blocks that search load by themselves."""
    running = [other for other in others if other.status not in DONE_STATUSES]
    done = [other for other in others if other.status in DONE_STATUSES]
    return Customer360(
        customer_id=row.customer_id,
        name=customer_name(row),
        since=row.customer_since,
        language={"vi": "Tiếng Việt", "en": "English"}.get(row.customer_locale or "", row.customer_locale or ""),
        contacts=tuple(Contact(point.kind, address_of(point), point.verified_at is not None) for point in points),
        open_tickets=tuple(_line(other, locale) for other in running),
        history=tuple(_line(other, locale) for other in done[:HISTORY]),
        csat=float(row.csat) if row.csat is not None else None,
        csat_count=row.csat_count,
        complaints=row.complaints,
    )


def _line(other: Record[Any], locale: str) -> Line:
    state = gettext(locale, STATUSES[other.status])
    if other.resolver:
        state = gettext(locale, "Resolved by %(name)s", name=other.resolver)
    number = number_of(other.id)
    icon = CHANNEL_ICONS.get(other.channel, "users")
    return Line(icon, other.subject, f"/tickets/{number}", f"#{number} · {state}", other.updated_at)
