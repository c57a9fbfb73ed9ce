"""The checklist that ticks itself: what was measured on the matters that you, not the simulation, have opened."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, select

from contact_center.core.events import EventRow
from contact_center.core.i18n import gettext, mark
from knowledge_base.models import Article
from routing.models import Offer
from tickets.models import Assignment, Customer, JournalItem, Message, Ticket
from tickets.numbers import number_of
from tickets.quality.models import Evaluation

SIMULATED = "simulated"
SETTLED_AFTER = timedelta(seconds=10)


WROTE = mark("Write as the customer")
WROTE_AS = mark("You wrote: ticket #%(number)s")
OFFERED_NOT_YET = mark("Offered to the right agent")
OFFERED = mark("Offered in %(seconds)s s")
ANSWERED_NOT_YET = mark("Answered")
ANSWERED = mark("Answered after %(seconds)s s")
RESOLVED_NOT_YET = mark("Resolved")
RESOLVED = mark("Resolved")
DRAFTED_NOT_YET = mark("An article drafted from the answer")
DRAFTED = mark("Article drafted, with its evidence")
SCORED_NOT_YET = mark("The handling scored by quality")
SCORED = mark("Scored by quality: %(score)s")


@dataclass(frozen=True, slots=True)
class Step:
    """One line: its text with measured values, whether it is done, and where to look."""

    text: str
    done: bool
    values: dict[str, Any] = field(default_factory=dict)
    link: str = ""
    link_text: str = ""

    def shown(self, locale: str) -> dict[str, Any]:
        """For the bar, in a language."""
        return {
            "text": gettext(locale, self.text, **self.values) if self.values else gettext(locale, self.text),
            "done": self.done,
            "link": self.link,
            "link_text": gettext(locale, self.link_text) if self.link_text else "",
        }


@dataclass(frozen=True, slots=True)
class Safety:
    """What is in the books: everything that came in has a named state."""

    taken: int
    waiting: int
    undispatched: int
    gaps: int

    def shown(self, locale: str) -> str:
        """One sentence."""
        text = mark(
            "%(taken)s items came in and have a named state, %(waiting)s wait to be taken, %(undispatched)s events wait"
            " to be handled, %(gaps)s gaps in the numbering of messages."
        )
        return gettext(
            locale,
            text,
            taken=self.taken,
            waiting=self.waiting,
            undispatched=self.undispatched,
            gaps=self.gaps,
        )


def steps(tx: Connection, since: datetime) -> list[Step]:
    """The six steps, for the newest matter that a person opened since the demo was started."""
    ticket = _own_ticket(tx, since)
    if ticket is None:
        return [
            Step(text, False)
            for text in (WROTE, OFFERED_NOT_YET, ANSWERED_NOT_YET, RESOLVED_NOT_YET, DRAFTED_NOT_YET, SCORED_NOT_YET)
        ]
    link = f"/tickets/{number_of(ticket.id)}"
    return [
        Step(WROTE_AS, True, {"number": number_of(ticket.id)}, link, mark("open it")),
        _offered(tx, ticket),
        _since_opened(tx, ticket),
        Step(RESOLVED if ticket.resolved_at else RESOLVED_NOT_YET, ticket.resolved_at is not None),
        _drafted(tx, ticket),
        _scored(tx, ticket),
    ]


def _own_ticket(tx: Connection, since: datetime) -> Any:
    # The simulated customers are marked; whoever is not is a person in front of this machine.
    return tx.execute(
        select(Ticket.id, Ticket.created_at, Ticket.first_response_at, Ticket.resolved_at)
        .join(Customer, Customer.id == Ticket.customer_id)
        .where(Ticket.created_at >= since, Customer.attributes[SIMULATED].as_boolean().is_not(True))
        .order_by(Ticket.id.desc())
        .limit(1)
    ).first()


def _offered(tx: Connection, ticket: Any) -> Step:
    offered_at = tx.execute(select(func.min(Offer.offered_at)).where(Offer.ticket_id == ticket.id)).scalar_one()
    if offered_at is None:
        return Step(OFFERED_NOT_YET, False)
    return Step(OFFERED, True, {"seconds": _seconds(offered_at - ticket.created_at)})


def _since_opened(tx: Connection, ticket: Any) -> Step:
    if ticket.first_response_at is None:
        return Step(ANSWERED_NOT_YET, False)
    return Step(ANSWERED, True, {"seconds": _seconds(ticket.first_response_at - ticket.created_at)})


def _drafted(tx: Connection, ticket: Any) -> Step:
    article = tx.execute(select(Article.id).where(Article.source_ticket_id == ticket.id)).scalar_one_or_none()
    if article is None:
        return Step(DRAFTED_NOT_YET, False)
    return Step(DRAFTED, True, {}, f"/kb/{article}", mark("see it"))


def _scored(tx: Connection, ticket: Any) -> Step:
    score = tx.execute(
        select(Evaluation.final_score)
        .join(Assignment, Assignment.id == Evaluation.assignment_id)
        .where(Assignment.ticket_id == ticket.id)
        .limit(1)
    ).scalar_one_or_none()
    return Step(SCORED_NOT_YET, False) if score is None else Step(SCORED, True, {"score": score})


def _seconds(length: timedelta) -> str:
    return f"{max(0.0, length.total_seconds()):.1f}"


def safety(tx: Connection, now: datetime) -> Safety:
    """Count what could have been lost, in four statements."""
    states = dict(tx.execute(select(JournalItem.state, func.count()).group_by(JournalItem.state)).tuples().all())
    waiting = states.pop("received", 0)
    undispatched = tx.execute(
        select(func.count())
        .select_from(EventRow)
        .where(EventRow.dispatched_at.is_(None), EventRow.created_at < now - SETTLED_AFTER)
    ).scalar_one()
    recent = select(Message.ticket_id).where(Message.created_at > now - timedelta(hours=1))
    numbered = (
        select(func.count().label("entries"), func.max(Message.seq).label("last"))
        .where(Message.ticket_id.in_(recent))
        .group_by(Message.ticket_id)
        .subquery()
    )
    gaps = tx.execute(select(func.count()).where(numbered.c.entries != numbered.c.last)).scalar_one()
    return Safety(sum(states.values()), waiting, undispatched, gaps)
