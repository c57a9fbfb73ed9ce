"""The checklist that ticks itself: what was measured on the matters that you, not the simulation, have opened."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, select

from contact_center.accounts.models import User
from contact_center.core.events import EventRow
from contact_center.core.i18n import gettext, mark
from knowledge_base.models import Article
from routing.models import Decision, WorkItem
from tickets.models import Assignment, Customer, JournalItem, Message, Ticket
from tickets.numbers import number_of
from tickets.quality.evaluations import EvaluationState
from tickets.quality.models import Complaint, Evaluation

SIMULATED = "simulated"
SETTLED_AFTER = timedelta(seconds=10)
# Gaps in the numbering are looked for among this many of the newest messages.
RECENT_MESSAGES = 2_000
GIVEN = ("offer", "auto")

Links = Callable[[str, str], str]

WROTE = mark("Write as the customer")
WROTE_HINT = mark("In the shop's chat, from the mailbox or with the phone.")
WROTE_AS = mark("You wrote: ticket #%(number)s")
OFFERED_NOT_YET = mark("Offered to the right agent")
OFFERED_HINT = mark("Be available at the agent's door, and look why it came to you.")
OFFERED = mark("Offered to %(agent)s in %(seconds)s s")
ASSIGNED = mark("Given to %(agent)s in %(seconds)s s")
WHY_ONLY = mark("the only one free for it")
WHY_FIRST = mark("first of %(count)s who were free for it")
ANSWERED_NOT_YET = mark("Answered")
ANSWERED_HINT = mark("Accept the offer and write back.")
ANSWERED = mark("Answered after %(seconds)s s")
RESOLVED_NOT_YET = mark("Resolved")
RESOLVED_HINT = mark("Choose a topic and resolve it.")
RESOLVED = mark("Resolved after %(seconds)s s")
DRAFTED_NOT_YET = mark("An article drafted from the answer")
DRAFTED_HINT = mark("It takes an answer of twenty words or more that no article gives yet.")
DRAFTED = mark("Article drafted")
SCORED_NOT_YET = mark("The complaint scored by quality")
COMPLAIN_HINT = mark("Rate it badly in the chat, or make it a complaint in the conversation's menu.")
SCORE_HINT = mark("It is a complaint now: score how it was handled.")
COMPLAINT_SCORED = mark("Complaint scored: %(score)s %%")
HANDLING_SCORED = mark("Handling scored: %(score)s %%")
OPEN, EVIDENCE, SEE, GO = mark("open it"), mark("see its evidence"), mark("see it"), mark("go there")


@dataclass(frozen=True, slots=True)
class Way:
    """Where to look or to go on: a door, and a path behind it."""

    door: str
    path: str
    text: str


@dataclass(frozen=True, slots=True)
class Step:
    """One line: what was measured, or what to do next."""

    text: str
    done: bool
    values: dict[str, Any] = field(default_factory=dict)
    way: Way | None = None
    more: str = ""
    more_values: dict[str, Any] = field(default_factory=dict)

    def shown(self, locale: str, links: Links) -> dict[str, Any]:
        """For the bar, in a language; `links` makes an address of a door and a path."""
        return {
            "text": gettext(locale, self.text, **self.values),
            "done": self.done,
            "more": gettext(locale, self.more, **self.more_values),
            "link": links(self.way.door, self.way.path) if self.way else "",
            "link_text": gettext(locale, self.way.text) if self.way else "",
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
    """The six steps, for the matter that a person opened since the demo was started and took furthest."""
    ticket = _own_ticket(tx, since)
    if ticket is None:
        first = Step(WROTE, False, way=Way("shop", "/demo/shop", GO), more=WROTE_HINT)
        rest = (OFFERED_NOT_YET, ANSWERED_NOT_YET, RESOLVED_NOT_YET, DRAFTED_NOT_YET, SCORED_NOT_YET)
        return [first, *(Step(text, False) for text in rest)]
    path = f"/tickets/{number_of(ticket.id)}"
    found = [
        Step(WROTE_AS, True, {"number": number_of(ticket.id)}, Way("agent", path, OPEN)),
        _offered(tx, ticket),
        _answered(ticket, path),
        _resolved(ticket, path),
        _drafted(tx, ticket, path),
        _scored(tx, ticket, path),
    ]
    return _only_next_hint(found)


def _only_next_hint(found: list[Step]) -> list[Step]:
    """What to do is told for the first open step only."""
    following = next((place for place, step in enumerate(found) if not step.done), len(found))
    return [step if step.done or place == following else Step(step.text, False) for place, step in enumerate(found)]


def _own_ticket(tx: Connection, since: datetime) -> Any:
    # The simulated customers are marked; whoever is not is a person in front of this machine.
    scored = select(Evaluation.id).where(
        Evaluation.ticket_id == Ticket.id, Evaluation.state == EvaluationState.FINISHED.value
    )
    return tx.execute(
        select(Ticket.id, Ticket.created_at, Ticket.first_response_at, Ticket.resolved_at, Ticket.assignee_id)
        .join(Customer, Customer.id == Ticket.customer_id)
        .where(Ticket.created_at >= since, Customer.attributes[SIMULATED].as_boolean().is_not(True))
        .order_by(
            scored.exists().desc(),
            Ticket.resolved_at.is_not(None).desc(),
            Ticket.first_response_at.is_not(None).desc(),
            Ticket.id.desc(),
        )
        .limit(1)
    ).first()


def _offered(tx: Connection, ticket: Any) -> Step:
    decisions = tx.execute(
        select(Decision.kind, Decision.at, Decision.record, Decision.agent_id, User.name)
        .join(WorkItem, WorkItem.id == Decision.work_item_id)
        .join(User, User.id == Decision.agent_id)
        .where(WorkItem.ticket_id == ticket.id, Decision.kind.in_(GIVEN))
        .order_by(Decision.id)
    ).all()
    if not decisions:
        return Step(OFFERED_NOT_YET, False, way=Way("agent", "/inbox", GO), more=OFFERED_HINT)
    fallback = decisions[-1]
    decision = next((one for one in decisions if one.agent_id == ticket.assignee_id), fallback)
    count = int(decision.record.get("candidate_count") or 0)
    return Step(
        OFFERED if decision.kind == "offer" else ASSIGNED,
        True,
        {"agent": decision.name, "seconds": _seconds(decision.at - ticket.created_at)},
        more=WHY_FIRST if count > 1 else WHY_ONLY,
        more_values={"count": count} if count > 1 else {},
    )


def _answered(ticket: Any, path: str) -> Step:
    if ticket.first_response_at is None:
        return Step(ANSWERED_NOT_YET, False, way=Way("agent", path, OPEN), more=ANSWERED_HINT)
    return Step(ANSWERED, True, {"seconds": _seconds(ticket.first_response_at - ticket.created_at)})


def _resolved(ticket: Any, path: str) -> Step:
    if ticket.resolved_at is None:
        return Step(RESOLVED_NOT_YET, False, way=Way("agent", path, OPEN), more=RESOLVED_HINT)
    return Step(RESOLVED, True, {"seconds": _seconds(ticket.resolved_at - ticket.created_at)})


def _drafted(tx: Connection, ticket: Any, path: str) -> Step:
    article = tx.execute(select(Article.id).where(Article.source_ticket_id == ticket.id)).scalar_one_or_none()
    if article is None:
        return Step(DRAFTED_NOT_YET, False, way=Way("agent", path, OPEN), more=DRAFTED_HINT)
    return Step(DRAFTED, True, {}, Way("agent", f"/kb/articles/{article}", EVIDENCE))


def _scored(tx: Connection, ticket: Any, path: str) -> Step:
    evaluation = tx.execute(
        select(Evaluation.id, Evaluation.final_score)
        .join(Assignment, Assignment.id == Evaluation.assignment_id)
        .where(Assignment.ticket_id == ticket.id, Evaluation.state == EvaluationState.FINISHED.value)
        .order_by(Evaluation.finished_at.desc())
        .limit(1)
    ).first()
    complained = tx.execute(select(Complaint.id).where(Complaint.ticket_id == ticket.id).limit(1)).first() is not None
    if evaluation is not None:
        # Stored in hundredths of a percent; none where every question was answered "not applicable".
        score = "–" if evaluation.final_score is None else f"{evaluation.final_score / 100:.0f}"
        way = Way("qa", f"/qa/evaluations/{evaluation.id}", SEE)
        return Step(COMPLAINT_SCORED if complained else HANDLING_SCORED, True, {"score": score}, way)
    if complained:
        return Step(SCORED_NOT_YET, False, way=Way("qa", "/qa/candidates", GO), more=SCORE_HINT)
    return Step(SCORED_NOT_YET, False, way=Way("agent", path, OPEN), more=COMPLAIN_HINT)


def _seconds(length: timedelta) -> str:
    return f"{max(0.0, length.total_seconds()):.1f}"


def safety(tx: Connection, now: datetime) -> Safety:
    """Count what could have been lost."""
    counted = tx.execute(select(JournalItem.state, func.count().label("n")).group_by(JournalItem.state))
    states = {row.state: row.n for row in counted}
    waiting = states.pop("received", 0)
    undispatched = tx.execute(
        select(func.count())
        .select_from(EventRow)
        .where(EventRow.dispatched_at.is_(None), EventRow.created_at < now - SETTLED_AFTER)
    ).scalar_one()
    newest = tx.execute(select(func.max(Message.id))).scalar_one() or 0
    recent = select(Message.ticket_id).where(Message.id > newest - RECENT_MESSAGES)
    numbered = (
        select(func.count().label("entries"), func.max(Message.seq).label("last"))
        .where(Message.ticket_id.in_(recent))
        .group_by(Message.ticket_id)
        .subquery()
    )
    gaps = tx.execute(select(func.count()).where(numbered.c.entries != numbered.c.last)).scalar_one()
    return Safety(sum(states.values()), waiting, undispatched, gaps)
