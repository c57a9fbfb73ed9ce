"""Reports about calls turned into the ledger, the conversation and the work: one transaction each.

1. The call's row is found or made, locked, and the reported facts are merged into it.
2. A customer's call becomes a ticket: while it rings if our agents are offered it, else when it was answered or
   missed. Our own call joins the open matter of that customer, or stays in the ledger alone.
3. The entry in the conversation says what the call is now, and routing hears of answer and end.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select, update

from channels.phone import blocked, entries, people
from channels.phone.lines import Line, number_of
from channels.phone.models import Call
from channels.phone.parse import CallReport
from channels.phone.states import FINAL, CallState, Direction, Ending, Facts, state_of, talk_seconds
from contact_center.core.events import Event, emit
from contact_center.core.upsert import insert_once
from routing import contacts as floor
from tickets import intake, lifecycle, timers
from tickets.models import ContactPoint, Message, Ticket
from tickets.states import RESTING_STATUSES, AuthorKind, Channel, ContactKind, MessageKind, Status
from tickets.timeline import Entry, append, topics_of

# Every assignment of any ticket runs it, so it is built once.
CLAIM_CALL = (
    update(Call)
    .where(Call.ticket_id == bindparam("of_ticket"), Call.user_id.is_(None), Call.ending.is_(None))
    .values(user_id=bindparam("by_user"))
)


def receive(tx: Connection, line: Line, report: CallReport, *, journal_id: int | None, now: datetime) -> Row[Any]:
    """Take one report; returns the call as it is now."""
    before = _find_or_add(tx, line, report, now=now)
    facts = _facts(before).merge(report.facts)
    user_id = before.user_id
    if facts.answered_at and user_id is None:
        user_id = people.find_user(tx, report.agents, line.account.settings)
    told = {
        "user_id": user_id,
        "agent": (before.agent or (report.agents[0] if report.agents else ""))[:200],
        "queue": before.queue or report.queue,
        "cause": report.cause or before.cause,
    }
    return merge(tx, line, before, report.facts, told, journal_id=journal_id, now=now)


def merge(
    tx: Connection,
    line: Line,
    before: Row[Any],
    facts: Facts,
    told: Mapping[str, Any],
    *,
    journal_id: int | None = None,
    now: datetime,
) -> Row[Any]:
    """Add facts to a call that is locked, with `told`, other columns; its entry, screens and the floor follow."""
    facts = _facts(before).merge(facts)
    stopped = blocked.is_stopped(tx, before, entries.caller_at(line, before), now=now)
    state = CallState.BLOCKED if stopped else state_of(facts, Direction(before.direction))
    call = _change(
        tx,
        before,
        **told,
        state=state.value,
        rang_at=facts.rang_at,
        answered_at=facts.answered_at,
        ended_at=facts.ended_at,
        ending=facts.ending.value if facts.ending else None,
        wait_seconds=_wait(facts),
        talk_seconds=talk_seconds(facts),
    )
    if stopped:
        return call
    if call.ticket_id is None:
        call = _into_conversation(tx, line, call, journal_id=journal_id, now=now)
    elif call != before:
        entries.rewrite(tx, line, call, now=now)
    if call.state != before.state or call.user_id != before.user_id or call.ticket_id != before.ticket_id:
        _announce(tx, line, call, before, now=now)
    return call


def learn(tx: Connection, line: Line, call_id: int, facts: Facts, *, now: datetime) -> Row[Any]:
    """Merge facts that we know by ourselves (an agent joined the conference) into a call, as if reported."""
    call = tx.execute(select(Call.__table__).where(Call.id == call_id).with_for_update()).one()
    return merge(tx, line, call, facts, {}, now=now)


def _find_or_add(tx: Connection, line: Line, report: CallReport, *, now: datetime) -> Row[Any]:
    """The call's row, locked for this transaction; made by whichever report came first."""
    customer, ours = (
        (report.caller, report.called) if report.direction is Direction.IN else (report.called, report.caller)
    )
    number = number_of(customer, line.region)
    insert_once(
        tx,
        Call,
        key=["channel_account_id", "external_id"],
        values={
            "channel_account_id": line.account.id,
            "external_id": report.call_id,
            "source": line.source,
            "direction": report.direction.value,
            "state": CallState.RINGING.value,
            "number": number,
            "line": ours[:80],
            "live": report.direction is Direction.IN and line.rings_agents,
            "agent": "",
            "queue": report.queue,
            "cause": "",
            "wait_seconds": 0,
            "talk_seconds": 0,
            "created_at": now,
        },
    )
    row = tx.execute(
        select(Call.__table__)
        .where(Call.channel_account_id == line.account.id, Call.external_id == report.call_id)
        .with_for_update()
    ).one()
    # The agent's leg knows no customer; whoever tells the number later fills it in.
    return _change(tx, row, number=number, line=ours[:80]) if number and not row.number else row


def _facts(row: Row[Any]) -> Facts:
    return Facts(row.rang_at, row.answered_at, row.ended_at, Ending(row.ending) if row.ending else None)


def _wait(facts: Facts) -> int:
    until = facts.answered_at or facts.ended_at
    return max(0, round((until - facts.rang_at).total_seconds())) if until and facts.rang_at else 0


def _change(tx: Connection, row: Row[Any], **values: Any) -> Row[Any]:
    return tx.execute(update(Call).where(Call.id == row.id).values(**values).returning(*Call.__table__.columns)).one()


def _into_conversation(
    tx: Connection, line: Line, call: Row[Any], *, journal_id: int | None, now: datetime
) -> Row[Any]:
    """Give the call its place in a ticket, if it is time for one."""
    if call.direction == Direction.OUT.value:
        return _join(tx, line, call, now=now)
    if call.state == CallState.RINGING.value and not call.live:
        return call
    return open_ticket(tx, line, call, journal_id=journal_id, now=now)


def open_ticket(
    tx: Connection, line: Line, call: Row[Any], *, journal_id: int | None = None, now: datetime
) -> Row[Any]:
    """The ticket of a customer's call, in the queue and language that the caller chose; the call as it is then."""
    receipt = intake.receive(tx, entries.inbound_of(line, call, journal_id=journal_id), now=now)
    contact_point_id = tx.execute(
        select(Message.contact_point_id).where(Message.id == receipt.message_id)
    ).scalar_one_or_none()
    return _change(
        tx, call, ticket_id=receipt.ticket_id, message_id=receipt.message_id, contact_point_id=contact_point_id
    )


def end_as(tx: Connection, line: Line, call: Row[Any], outcome: str, *, now: datetime) -> None:
    """Say how a call ended for the caller; its entry in the conversation says so too."""
    changed = _change(tx, call, outcome=outcome)
    if changed.message_id is not None:
        entries.rewrite(tx, line, changed, now=now)


def _join(tx: Connection, line: Line, call: Row[Any], *, now: datetime) -> Row[Any]:
    """Our own call belongs to the matter that customer has open; else it is a line in the ledger only."""
    point = tx.execute(
        select(ContactPoint.id, ContactPoint.customer_id).where(
            ContactPoint.kind == ContactKind.PHONE.value, ContactPoint.value == call.number
        )
    ).first()
    if point is None:
        return call
    ticket_id = open_matter(tx, point.customer_id)
    if ticket_id is None:
        return _change(tx, call, contact_point_id=point.id)
    entry = Entry(
        kind=MessageKind.CALL,
        channel=Channel.PHONE.value,
        author_kind=AuthorKind.AGENT,
        user_id=call.user_id,
        text=entries.sentence_of(line, call),
        public=False,
        channel_account_id=line.account.id,
        contact_point_id=point.id,
        external_id=call.external_id,
        meta=entries.meta_of(call),
    )
    appended = append(tx, ticket_id, entry, now=now)
    return _change(tx, call, ticket_id=ticket_id, message_id=appended.message_id, contact_point_id=point.id)


def open_matter(tx: Connection, customer_id: int) -> int | None:
    """The ticket that a customer has open and that moved last."""
    found: int | None = tx.execute(
        select(Ticket.id)
        .where(
            Ticket.customer_id == customer_id,
            Ticket.status.not_in([status.value for status in RESTING_STATUSES]),
            Ticket.merged_into_id.is_(None),
        )
        .order_by(Ticket.updated_at.desc(), Ticket.id.desc())
        .limit(1)
    ).scalar_one_or_none()
    return found


def _announce(tx: Connection, line: Line, call: Row[Any], before: Row[Any], *, now: datetime) -> None:
    """Screens, routing and the planned callbacks hear that the call moved."""
    if call.ticket_id is None:
        return
    ticket = lifecycle.access(tx, call.ticket_id)
    topics = topics_of(ticket.id, queue_id=ticket.queue_id, assignee_id=ticket.assignee_id)
    told = {"ticket_id": ticket.id, "message_id": call.message_id, "delivery": None}
    emit(tx, "message.updated", told, now=now, topics=topics)
    moved = {
        "call_id": call.id,
        "ticket_id": ticket.id,
        "state": call.state,
        "direction": call.direction,
        "user_id": call.user_id,
    }
    emit(tx, "call.changed", moved, now=now, topics=topics)
    if call.direction == Direction.IN.value:
        _tell_floor(tx, call, before, now=now)
    elif call.state == CallState.COMPLETED.value:
        finish_callbacks(tx, ticket.id, user_id=call.user_id, now=now)


def _tell_floor(tx: Connection, call: Row[Any], before: Row[Any], *, now: datetime) -> None:
    """Routing hears of the answer and of the end of a customer's call."""
    was_final, is_final = before.state in FINAL, call.state in FINAL
    answered = call.answered_at is not None
    if answered and (before.answered_at is None or (call.user_id and before.user_id is None)):
        floor.answered(tx, call.ticket_id, call.user_id, now=now)
    if is_final and (not was_final or before.state != call.state):
        floor.hung_up(tx, call.ticket_id, call.state == CallState.COMPLETED.value, now=now)
        if call.state == CallState.COMPLETED.value and call.user_id is None:
            _close_outside(tx, call.ticket_id, now=now)


def _close_outside(tx: Connection, ticket_id: int, *, now: datetime) -> None:
    """A call that somebody took who is no user here needs nobody any more, unless a colleague has it by now."""
    ticket = lifecycle.access(tx, ticket_id)
    if ticket.assignee_id is None and ticket.status == Status.NEW.value:
        lifecycle.resolve(tx, ticket_id, user_id=None, now=now)


def on_ticket_assigned(tx: Connection, event: Event, now: datetime) -> None:
    """Who accepted a call that rings, or took it over, is whose call it is until the exchange knows better."""
    tx.execute(CLAIM_CALL, {"of_ticket": event.payload["ticket_id"], "by_user": event.payload["user_id"]})


def finish_callbacks(tx: Connection, ticket_id: int, *, user_id: int | None, now: datetime) -> None:
    """The planned calls of a ticket are done once somebody spoke with the customer."""
    for reminder in timers.open_reminders(tx, ticket_id=ticket_id):
        if reminder.kind == "callback":
            timers.finish(tx, reminder.id, user_id=user_id, now=now)
