"""The head of a conversation, the ways to answer, drafts, and the customer beside it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Text, and_, bindparam, cast, func, literal, null, select, union_all
from sqlalchemy import Row as Record
from sqlalchemy.orm import aliased

from agent_ui.contacts import Contact
from agent_ui.proof import proof_of
from agent_ui.sentences import STATUSES
from agent_ui.views import Customer360, Drafts, Line, SlaChip, Via
from agent_ui.views import DraftFile as DraftFileView
from agent_ui.views import Ticket as TicketView
from channels.carrying import carries_files, takes_answers
from channels.chat.models import ChatVisit
from channels.phone.models import Call
from contact_center.accounts.models import User
from contact_center.core.errors import NotFound
from contact_center.core.i18n import gettext
from contact_center.core.schema import UtcDateTime
from tickets import windows
from tickets.customers.identities import shown_phone
from tickets.customers.names import display_name
from tickets.customers.number_flags import SHARED, mark_of
from tickets.draft_files import DraftFile
from tickets.drafts import Draft
from tickets.identity_checks import IdentityCheck
from tickets.identity_codes import IdentityCode
from tickets.models import ChannelAccount, ContactPoint, Customer, Queue, Tag, Ticket, TicketTag, Topic
from tickets.numbers import number_of
from tickets.quality.models import Complaint, Survey
from tickets.replies import CONTACT_KINDS
from tickets.sla_models import SlaClock
from tickets.states import APART_STATUSES, RESTING_STATUSES, Channel, ContactKind

HISTORY = 8
# Channels in which a person can only be answered in the conversation that they have begun.
ONE_PLACE = frozenset({Channel.CHAT, Channel.MESSAGING})
CHANNEL_ICONS = {
    "email": "mail",
    "chat": "message-circle",
    "sms": "message-square-text",
    "whatsapp": "message-circle-phone",
    "phone": "phone",
    "messaging": "message-circle",
}
NOTE = "note"
METRICS = ("first_response", "next_response", "resolution")
COMPLAINED = aliased(Ticket)
CHECKER = aliased(User)
_NO_FILE = (literal(0).label("file_id"), literal(0).label("size"))
_NO_COPIES = (cast(null(), Text).label("cc"), cast(null(), Text).label("bcc"))


@dataclass(frozen=True, slots=True)
class Account:
    """A channel account that replies can leave by."""

    id: int
    channel: str
    address: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""


def _on_the_line_since() -> Any:
    """Since when the customer is on the line: a chat's browser, or a call that was answered and is not over."""
    visit = (
        select(func.max(ChatVisit.opened_at))
        .where(
            ChatVisit.ticket_id == Ticket.id,
            ChatVisit.ended_at.is_(None),
            ChatVisit.left_at.is_(None),
            ChatVisit.online_until > bindparam("now", type_=UtcDateTime()),
        )
        .correlate(Ticket)
        .scalar_subquery()
    )
    call = (
        select(func.max(Call.answered_at))
        .where(Call.ticket_id == Ticket.id, Call.ended_at.is_(None), Call.live)
        .correlate(Ticket)
        .scalar_subquery()
    )
    return func.coalesce(visit, call, type_=UtcDateTime())


def _in_force(proof: type[IdentityCheck] | type[IdentityCode], until: Any) -> Any:
    """Of the ticket, not ended by anybody and not over by itself."""
    return and_(proof.ticket_id == Ticket.id, proof.ended_at.is_(None), until > bindparam("now", type_=UtcDateTime()))


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
    live_call = select(Call.id).where(Call.ticket_id == Ticket.id, Call.ending.is_(None)).correlate(Ticket).exists()
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
            ContactPoint.flag.label("point_flag"),
            tags.label("tags"),
            _on_the_line_since().label("connected_at"),
            complaints.label("complaints"),
            live_call.label("has_call"),
            IdentityCheck.valid_until.label("verified_until"),
            IdentityCheck.method.label("verified_how"),
            IdentityCheck.note.label("verified_note"),
            CHECKER.name.label("verified_by"),
            IdentityCode.expires_at.label("code_until"),
            select(func.avg(Survey.rating)).where(*rated).correlate(Ticket).scalar_subquery().label("csat"),
            select(func.count()).where(*rated).correlate(Ticket).scalar_subquery().label("csat_count"),
        )
        .join(Customer, Customer.id == Ticket.customer_id)
        .join(Queue, Queue.id == Ticket.queue_id)
        .outerjoin(Topic, Topic.id == Ticket.topic_id)
        .outerjoin(User, User.id == Ticket.assignee_id)
        .outerjoin(ContactPoint, ContactPoint.id == Ticket.contact_point_id)
        .outerjoin(IdentityCheck, _in_force(IdentityCheck, IdentityCheck.valid_until))
        .outerjoin(CHECKER, CHECKER.id == IdentityCheck.user_id)
        .outerjoin(IdentityCode, _in_force(IdentityCode, IdentityCode.expires_at))
        .where(Ticket.id == bindparam("ticket"))
    )


# Built once: they run for every message on every open screen, and building costs more than running.
HEAD = _head()
CLOCKS = select(SlaClock.__table__).where(SlaClock.ticket_id == bindparam("ticket")).order_by(SlaClock.id)


def head(tx: Connection, ticket_id: int, *, now: datetime) -> tuple[TicketView, Record[Any]]:
    """The head of a conversation and its row, in two statements."""
    row = tx.execute(HEAD, {"ticket": ticket_id, "now": now}).first()
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
        elif clock.due_at is not None and status not in RESTING_STATUSES:
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
        connected_at=row.connected_at,
        version=row.version,
        seq=row.seq,
        queue=row.queue,
        topic=row.topic or "",
        assignee=row.assignee or "",
        assignee_id=row.assignee_id,
        tags=tuple(sorted(row.tags.split(","))) if row.tags else (),
        slas=sla_chips(clocks, row.status, now),
        proof=proof_of(row),
        code_until=row.code_until,
        locale=row.locale or "",
        locale_share=row.locale_share,
        shared=row.point_flag in SHARED and row.status not in RESTING_STATUSES,
        complaint="complaint" if row.kind == "complaint" else "",
    )


def contact_points(tx: Connection, customer_id: int) -> Sequence[Record[Any]]:
    """The customer's addresses, oldest first, with who flagged them."""
    return tx.execute(
        select(ContactPoint.__table__, User.name.label("flagged_by"))
        .outerjoin(User, User.id == ContactPoint.flagged_by_id)
        .where(ContactPoint.customer_id == customer_id)
        .order_by(ContactPoint.id)
    ).all()


def accounts(tx: Connection) -> tuple[Account, ...]:
    """The enabled accounts."""
    rows = tx.execute(
        select(*(getattr(ChannelAccount, name) for name in ("id", "channel", "address", "settings", "name")))
        .where(ChannelAccount.enabled)
        .order_by(ChannelAccount.id)
    )
    return tuple(Account(*row) for row in rows)


def senders(ticket: Any, held: Iterable[Account]) -> dict[str, Account]:
    """channel -> the account that an answer leaves by: the ticket's own before others."""
    first_of: dict[str, Account] = {}
    for account in held:
        if account.channel not in first_of or account.id == ticket.channel_account_id:
            first_of[account.channel] = account
    return first_of


def vias(
    ticket: Any,
    points: Sequence[Record[Any]],
    held: Iterable[Account],
    free_until: Mapping[int, datetime] | None = None,
) -> tuple[Via, ...]:
    """Only the ways to answer that are possible: an account to send from and an address that may be written to.

    The ticket's own channel comes first; chats and messaging apps only where the conversation is one. `free_until`
    are the open windows of WhatsApp, by contact point.
    """
    if ticket.status == "closed" or ticket.status in APART_STATUSES:
        return ()
    first_of = senders(ticket, held)
    found: list[Via] = []
    for channel in (Channel.CHAT, Channel.MESSAGING, Channel.EMAIL, Channel.SMS, Channel.WHATSAPP):
        sender = first_of.get(channel.value)
        if sender is None or (channel in ONE_PLACE and ticket.channel != channel.value):
            continue
        kinds = (ContactKind.VISITOR.value,) if channel is Channel.CHAT else CONTACT_KINDS[channel]
        found += [
            Via(
                key=f"{channel.value}:{point.id}",
                channel=channel.value,
                recipient=customer_name(ticket) if channel in ONE_PLACE else address_of(point),
                sender="" if channel in ONE_PLACE else sender.address,
                files=carries_files(channel, sender.address, sender.settings),
                answers=takes_answers(channel, sender.address, sender.settings),
                free_until=(free_until or {}).get(point.id) if channel is Channel.WHATSAPP else None,
                flag=point.flag or "",
            )
            for point in points
            if point.kind in kinds
            and point.suppressed_at is None
            and (channel not in ONE_PLACE or point.id == ticket.contact_point_id)
        ]
    found.sort(key=lambda via: (via.channel != ticket.channel, not via.key.endswith(f":{ticket.contact_point_id}")))
    return tuple(found)


def free_until(
    tx: Connection, ticket: Any, points: Sequence[Record[Any]], held: Iterable[Account], *, now: datetime
) -> Mapping[int, datetime]:
    """contact point -> until when WhatsApp takes free text for it; no statement where there is no WhatsApp."""
    sender = senders(ticket, held).get(Channel.WHATSAPP.value)
    numbers = [point.id for point in points if point.kind == ContactKind.PHONE.value]
    return windows.open_until(tx, sender.id, numbers, now=now) if sender and numbers else {}


def address_of(point: Record[Any]) -> str:
    """An address as people read it."""
    match point.kind:
        case ContactKind.PHONE.value:
            return shown_phone(point.value)
        case ContactKind.HANDLE.value:
            return str(point.value.partition(":")[2])
        case _:
            return str(point.value)


def drafts(tx: Connection, ticket_id: int, user_id: int) -> Drafts:
    """What this agent has written and attached here and not sent: the newest reply and the note, in one statement."""
    own = (Draft.ticket_id == ticket_id, Draft.user_id == user_id)
    put = (DraftFile.ticket_id == ticket_id, DraftFile.user_id == user_id)
    rows: Sequence[Any] = tx.execute(
        union_all(
            select(
                Draft.channel.label("key"), Draft.text, Draft.updated_at.label("at"), *_NO_FILE, Draft.cc, Draft.bcc
            ).where(*own),
            select(
                *(getattr(DraftFile, name) for name in ("mode", "filename", "created_at", "id", "size")), *_NO_COPIES
            ).where(*put),
        )
    ).all()
    texts = sorted((row for row in rows if not row.file_id), key=lambda row: row.at, reverse=True)
    replies = [row for row in texts if row.key != NOTE]
    files = sorted((row for row in rows if row.file_id), key=lambda row: row.file_id)
    newest = texts[0].key if texts else ""
    return Drafts(
        reply=replies[0].text if replies else "",
        note=next((row.text for row in texts if row.key == NOTE), ""),
        mode=NOTE if newest == NOTE else "reply",
        via=replies[0].key if replies else "",
        files=tuple(DraftFileView(row.file_id, row.text, row.size, row.key) for row in files),
        cc=replies[0].cc if replies else None,
        bcc=replies[0].bcc if replies else None,
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
    running = [other for other in others if other.status not in RESTING_STATUSES]
    done = [other for other in others if other.status in RESTING_STATUSES]
    return Customer360(
        customer_id=row.customer_id,
        name=customer_name(row),
        since=row.customer_since,
        language={"vi": "Tiếng Việt", "en": "English"}.get(row.customer_locale or "", row.customer_locale or ""),
        contacts=tuple(_contact(point, row) for point in points),
        open_tickets=tuple(_line(other, locale) for other in running),
        history=tuple(_line(other, locale) for other in done[:HISTORY]),
        csat=float(row.csat) if row.csat is not None else None,
        csat_count=row.csat_count,
        complaints=row.complaints,
    )


def _contact(point: Record[Any], row: Record[Any]) -> Contact:
    verified, here = point.verified_at is not None, point.id == row.contact_point_id
    return Contact(point.kind, address_of(point), verified, point.id, mark_of(point), here)


def _line(other: Record[Any], locale: str) -> Line:
    state = gettext(locale, STATUSES[other.status])
    if other.resolver:
        state = gettext(locale, "Resolved by %(name)s", name=other.resolver)
    number = number_of(other.id)
    icon = CHANNEL_ICONS.get(other.channel, "users")
    return Line(icon, other.subject, f"/tickets/{number}", f"#{number} · {state}", other.updated_at)
