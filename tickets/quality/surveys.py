"""The CSAT survey: planned when a ticket is resolved, sent through its own channel, answered once by a link."""

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Integer, Row, bindparam, select, update

from contact_center.core.errors import DomainError, Invalid, NotFound
from contact_center.core.events import Announcement, Event, emit
from contact_center.core.i18n import choose, gettext, mark
from contact_center.core.upsert import insert_once
from tickets import replies
from tickets.customers.quiet import quiet_until
from tickets.customers.unsubscribes import What, is_off
from tickets.models import ContactPoint, Customer, Message, Queue, Ticket
from tickets.quality import complaints
from tickets.quality.complaint_stages import Opener
from tickets.quality.models import Survey
from tickets.replies import SYSTEM, Reply
from tickets.standing import SAID
from tickets.states import DONE_STATUSES, Channel, MessageKind, Status
from tickets.timeline import add_event

# A customer who comes back at once was not finished; in a chat they are still there.
DELAYS = {
    Channel.CHAT: timedelta(0),
    Channel.EMAIL: timedelta(minutes=10),
    Channel.SMS: timedelta(minutes=10),
    Channel.WHATSAPP: timedelta(minutes=10),
    Channel.MESSAGING: timedelta(minutes=10),
}
# Nobody is asked twice within this time, whatever they wrote about.
REST = timedelta(days=1)
OPEN_FOR = timedelta(days=14)
LONGEST_COMMENT = 2000
RATINGS = {1: mark("Poor"), 2: mark("Fair"), 3: mark("Good"), 4: mark("Great"), 5: mark("Excellent")}
INVITATION = mark("How did we do? Please rate our help in one click: %(url)s")


class SurveyState(StrEnum):
    """What became of a survey; `canceled`: reopened before it left, or no way to send it."""

    PLANNED = "planned"
    SENT = "sent"
    ANSWERED = "answered"
    CANCELED = "canceled"


def on_ticket_resolved(tx: Connection, event: Event, now: datetime) -> None:
    """Plan the survey of this resolution; running again plans no second one."""
    plan(tx, event.payload["ticket_id"], now=now)


def plan(tx: Connection, ticket_id: int, *, now: datetime) -> int | None:
    """Plan a survey and return its id; None where none is due.

    None is due for calls, where the queue asks none, where no person answered, and for a customer asked lately or who
    wants no surveys.
    """
    ticket = _resolved(tx, ticket_id, now=now)
    if ticket is None or not ticket.survey or ticket.channel not in DELAYS or not ticket.answered:
        return None
    if ticket.asked or ticket.unsubscribed:
        return None
    values = {
        "token": secrets.token_urlsafe(18),
        "state": SurveyState.PLANNED.value,
        "ticket_id": ticket_id,
        "resolved_at": ticket.resolved_at,
        "customer_id": ticket.customer_id,
        "agent_id": ticket.resolved_by_id,
        "queue_id": ticket.queue_id,
        "channel": ticket.channel,
        "locale": choose(ticket.locale, ticket.customer_locale, ticket.queue_locale),
        "due_at": now + DELAYS[Channel(ticket.channel)],
        "expires_at": now + OPEN_FOR,
        "comment": "",
    }
    return insert_once(tx, Survey, key=["ticket_id", "resolved_at"], values=values)


def send_due(tx: Connection, now: datetime, *, base_url: str, limit: int = 50) -> int:
    """Send the surveys whose moment has come; those of reopened tickets are canceled. Returns how many were due."""
    due = tx.execute(_DUE, {"now": now, "most": limit}).all()
    for survey in due:
        _send(tx, survey, base_url=base_url, now=now)
    return len(due)


def ask(tx: Connection, ticket_id: int, *, base_url: str, now: datetime) -> str | None:
    """Plan and send a survey at once; its token, or None where none is due."""
    survey_id = plan(tx, ticket_id, now=now)
    if survey_id is None:
        return None
    survey = tx.execute(select(Survey.__table__).where(Survey.id == survey_id)).one()
    _send(tx, survey, base_url=base_url, now=now)
    return str(survey.token)


def by_token(tx: Connection, token: str, *, now: datetime) -> Row[Any]:
    """The survey behind a link; NotFound for an unknown, canceled or outdated one."""
    row = tx.execute(_BY_TOKEN, {"token": token}).first()
    if row is None or row.state == SurveyState.CANCELED.value:
        raise NotFound("This survey does not exist.")
    if row.state != SurveyState.ANSWERED.value and row.expires_at < now:
        raise NotFound("This survey has ended. Thank you all the same.")
    return row


def answer(
    tx: Connection, token: str, rating: int, *, now: datetime, comment: str = "", complain: bool = False
) -> bool:
    """Take the first answer of a survey; True if it was this one. A repeated answer changes nothing.

    With `complain` the customer asks that their comment be treated as a complaint.
    """
    if rating not in RATINGS:
        raise Invalid("Choose one of the five ratings.", field="rating")
    survey = by_token(tx, token, now=now)
    comment = comment.strip()[:LONGEST_COMMENT]
    given = {"state": SurveyState.ANSWERED.value, "rating": rating, "comment": comment, "answered_at": now}
    taken = tx.execute(_ANSWER, {"survey": survey.id, **given})
    if not taken.rowcount:
        return False
    topics = [f"ticket:{survey.ticket_id}", "csat"]
    told = Announcement("survey.answered", _facts(survey, rating=rating), topics)
    add_event(tx, survey.ticket_id, "survey_answered", {"rating": rating, "comment": comment}, now=now, also=[told])
    if complain:
        summary = comment or gettext(survey.locale, RATINGS[rating])
        complaints.open_(tx, survey.ticket_id, opener=Opener.CUSTOMER, user_id=None, summary=summary, now=now)
    return True


def _send(tx: Connection, survey: Row[Any], *, base_url: str, now: datetime) -> None:
    ticket = _resolved(tx, survey.ticket_id, now=now)
    gone = ticket is None or ticket.resolved_at != survey.resolved_at or ticket.status != Status.RESOLVED.value
    if gone or ticket.unsubscribed:
        _set(tx, survey.id, {"state": SurveyState.CANCELED.value})
        return
    morning = _held_until(tx, ticket, now)
    if morning is not None:
        # Still planned, so that a ticket that is reopened meanwhile is not asked about.
        _set(tx, survey.id, {"due_at": morning})
        return
    url = f"{base_url}/survey/{survey.token}"
    text = gettext(survey.locale, INVITATION, url=url)
    invitation = Reply(
        text, automatic=True, meta={"survey_id": survey.id, "survey_url": url, "unsubscribe": What.SURVEYS}
    )
    try:
        sent = replies.reply(tx, survey.ticket_id, invitation, author=SYSTEM, now=now)
    except DomainError:
        # Suppressed or missing address: there is no way to ask.
        _set(tx, survey.id, {"state": SurveyState.CANCELED.value})
        return
    _set(tx, survey.id, {"state": SurveyState.SENT.value, "sent_at": now, "message_id": sent.message_id})
    emit(tx, "survey.sent", _facts(survey), now=now, topics=[f"ticket:{survey.ticket_id}"])


def _held_until(tx: Connection, ticket: Row[Any], now: datetime) -> datetime | None:
    """When a survey may ring on the customer's phone, if not now."""
    if ticket.channel not in (Channel.SMS.value, Channel.WHATSAPP.value):
        return None
    number = tx.execute(_NUMBER, {"point": ticket.contact_point_id}).scalar_one_or_none()
    return quiet_until(number, now) if number else None


def _facts(survey: Row[Any], **more: Any) -> Mapping[str, Any]:
    names = ("ticket_id", "agent_id", "queue_id", "customer_id")
    return {"survey_id": survey.id, **{name: getattr(survey, name) for name in names}, **more}


def _set(tx: Connection, survey_id: int, values: Mapping[str, Any]) -> None:
    tx.execute(_SET, {"survey": survey_id, **values})


# Built once: these run for every ticket that is resolved. SET takes whatever columns the parameters name.
_BY_TOKEN = select(Survey.__table__).where(Survey.token == bindparam("token"))
_NUMBER = select(ContactPoint.value).where(ContactPoint.id == bindparam("point"))
_DUE = (
    select(Survey.__table__)
    .where(Survey.state == SurveyState.PLANNED.value, Survey.due_at <= bindparam("now"))
    .order_by(Survey.due_at, Survey.id)
    .limit(bindparam("most", type_=Integer()))
    .with_for_update(skip_locked=True)
)
_SET = update(Survey).where(Survey.id == bindparam("survey"))
_ANSWER = _SET.where(Survey.answered_at.is_(None))
_ASKED = (
    select(Survey.id)
    .where(
        Survey.customer_id == Ticket.customer_id,
        Survey.state.in_((SurveyState.SENT.value, SurveyState.ANSWERED.value)),
        Survey.sent_at > bindparam("since"),
    )
    .exists()
)
_ANSWERS = (
    select(Message.id)
    .where(
        Message.ticket_id == Ticket.id,
        Message.kind == MessageKind.OUTBOUND.value,
        Message.automatic.is_(False),
        SAID,
    )
    .exists()
)
_RESOLVED = (
    select(
        Ticket.status,
        Ticket.channel,
        Ticket.contact_point_id,
        Ticket.locale,
        Ticket.customer_id,
        Ticket.queue_id,
        Ticket.resolved_at,
        Ticket.resolved_by_id,
        Queue.survey,
        Queue.locale.label("queue_locale"),
        Customer.locale.label("customer_locale"),
        _ANSWERS.label("answered"),
        _ASKED.label("asked"),
        is_off(Ticket.customer_id, What.SURVEYS).label("unsubscribed"),
    )
    .join(Queue, Queue.id == Ticket.queue_id)
    .join(Customer, Customer.id == Ticket.customer_id)
    .where(
        Ticket.id == bindparam("ticket_id"),
        Ticket.merged_into_id.is_(None),
        Ticket.status.in_([status.value for status in DONE_STATUSES]),
        Ticket.resolved_at.is_not(None),
    )
)


def _resolved(tx: Connection, ticket_id: int, *, now: datetime) -> Any:
    return tx.execute(_RESOLVED, {"ticket_id": ticket_id, "since": now - REST}).first()
