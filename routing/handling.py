"""What people do with work by hand: take, assign, transfer, requeue, pause, end, wrap up."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row

from contact_center.core.errors import Conflict, Invalid, NotFound
from contact_center.core.events import emit
from contact_center.core.i18n import mark
from routing import agents, offers, placement, presence, work
from routing.facts import SUPERVISOR
from routing.pools import Medium, PoolName
from routing.states import Move, QueueExit, WorkItemState
from tickets import assignments, replies
from tickets.lifecycle import access
from tickets.states import APART_REASONS, APART_STATUSES, OPEN_STATUSES, AssignmentReason, Status

OFFER_TO_AGENT = timedelta(seconds=60)
DEFERRED_TO_AGENT = timedelta(hours=4)
MOST_TRANSFERS = 3
LONGEST_WRAP_UP = timedelta(minutes=10)
TAKEN = mark("Taken by a colleague.")


def take(tx: Connection, ticket_id: int, user_id: int, *, now: datetime) -> None:
    """T16: an agent picks waiting work; of many who race one wins. Taking one's own work again does nothing."""
    item = _item_to_handle(tx, ticket_id, now=now)
    if item is None:
        if access(tx, ticket_id, lock=True).assignee_id != user_id:
            assignments.assign(tx, ticket_id, user_id, reason=AssignmentReason.TAKEN, now=now)
    elif item.agent_id == user_id:
        if item.state == WorkItemState.RESERVED.value:
            offers.accept_open(tx, item, now=now)
    elif item.state != WorkItemState.QUEUED.value:
        raise Conflict(TAKEN)
    elif not placement.settings_of(tx, item.queue_id).pull:
        raise Conflict("The work of this queue is offered, it cannot be picked.")
    else:
        offers.hand_to(tx, item, user_id, Move.TAKE, AssignmentReason.TAKEN, now=now)


def assign(tx: Connection, ticket_id: int, to_user_id: int, *, by_user_id: int | None, now: datetime) -> None:
    """T16: somebody gives the work to an agent; it wins over an open offer and may exceed the agent's pool."""
    item = _item_to_handle(tx, ticket_id, now=now)
    if item is not None and item.state == WorkItemState.WRAPPING.value:
        _finish(tx, item, None, now=now)
        item = _item_to_handle(tx, ticket_id, now=now)
    reason = AssignmentReason.TAKEN if to_user_id == by_user_id else AssignmentReason.ASSIGNED
    if item is None:
        if access(tx, ticket_id, lock=True).assignee_id != to_user_id:
            assignments.assign(tx, ticket_id, to_user_id, reason=reason, now=now, by_user_id=by_user_id)
    elif item.agent_id != to_user_id or item.state == WorkItemState.RESERVED.value:
        offers.hand_to(tx, item, to_user_id, Move.ASSIGN, reason, now=now, by_user_id=by_user_id)


def give(tx: Connection, ticket_id: int, to_user_id: int, *, by_user_id: int, force: bool, now: datetime) -> None:
    """Give work to somebody: oneself takes it; who may (`force`) assigns it, others pass it on."""
    if to_user_id == by_user_id:
        take(tx, ticket_id, to_user_id, now=now)
    elif force:
        assign(tx, ticket_id, to_user_id, by_user_id=by_user_id, now=now)
    else:
        transfer(tx, ticket_id, by_user_id=by_user_id, to_user_id=to_user_id, now=now)


def transfer(
    tx: Connection,
    ticket_id: int,
    *,
    by_user_id: int,
    now: datetime,
    queue_id: int | None = None,
    to_user_id: int | None = None,
    summary: str = "",
) -> None:
    """T11: pass work on to another queue or an agent, with its age and a summary as a note.

    An agent has it to themselves for a while, then their queue gets it. From the fourth transfer on supervisors are
    asked first; it is never refused.
    """
    if queue_id is None and to_user_id is None:
        raise Invalid("Choose a queue or a colleague.", field="queue_id")
    if to_user_id is not None and to_user_id == by_user_id:
        raise Invalid("Choose somebody else.", field="to_user_id")
    item = _item_to_handle(tx, ticket_id, now=now)
    if item is not None and item.state == WorkItemState.RESERVED.value:
        item = offers.rescind(tx, item, "transferred", now=now)
    if item is not None and item.state == WorkItemState.WRAPPING.value:
        _finish(tx, item, None, now=now)
        item = None
    ticket = access(tx, ticket_id)
    changes = _transfer_changes(tx, item, ticket, queue_id or ticket.queue_id, to_user_id, now=now)
    if item is not None:
        if item.state == WorkItemState.QUEUED.value:
            _move_waiting(tx, item, changes, now=now)
        else:
            changes["tried"] = [by_user_id] if item.agent_id == by_user_id else []
            work.move(tx, item, Move.TRANSFER, now=now, reason="transferred", changes=changes)
    if summary.strip():
        replies.note(tx, ticket_id, summary, author=replies.Author(by_user_id), now=now)
    assignments.unassign(tx, ticket_id, end_reason="transferred", now=now, by_user_id=by_user_id)
    assignments.move_to_queue(tx, ticket_id, changes["queue_id"], now=now, by_user_id=by_user_id)
    if item is not None and changes["transfers"] > MOST_TRANSFERS:
        _escalate(tx, item, changes["transfers"], now=now)
    if item is None and to_user_id is not None:
        assign(tx, ticket_id, to_user_id, by_user_id=by_user_id, now=now)


def requeue(tx: Connection, ticket_id: int, *, by_user_id: int, now: datetime) -> None:
    """A supervisor puts work back into its queue, with its age."""
    item = _present(work.open_of(tx, ticket_id))
    if item.state == WorkItemState.QUEUED.value:
        return
    if item.state == WorkItemState.RESERVED.value:
        offers.rescind(tx, item, "requeued", now=now)
        return
    work.move(tx, item, Move.REQUEUE, now=now, changes=_fresh_wait(now))
    assignments.unassign(tx, ticket_id, end_reason="requeued", now=now, by_user_id=by_user_id)


def pause(tx: Connection, ticket_id: int, user_id: int, *, now: datetime) -> None:
    """T12: the customer is silent: give the weight free; never while we owe the answer."""
    item = _own(tx, ticket_id, user_id)
    if access(tx, ticket_id).waiting_since is not None:
        raise Conflict("The customer is waiting for your answer.")
    work.move(tx, item, Move.PAUSE, now=now, changes={"paused_at": now})


def end(tx: Connection, ticket_id: int, *, now: datetime) -> None:
    """T7: the contact is over: wrap-up begins, or the item completes where there is none. Ending a contact is not
    resolving the ticket. Ending twice does nothing."""
    item = work.open_of(tx, ticket_id)
    if item is None or item.state == WorkItemState.WRAPPING.value:
        return
    if item.state == WorkItemState.ASSIGNED.value and item.pool == PoolName.LIVE.value:
        end_live(tx, item, now=now)
    else:
        _finish(tx, item, None, now=now)


def end_live(tx: Connection, item: Row[Any], *, now: datetime) -> None:
    """T7 for a locked, assigned item of the live pool."""
    ended = placement.wrap_up(tx, item, now=now)
    if ended.wrap_until <= now:
        _finish(tx, ended, None, now=now)


def finish(tx: Connection, ticket_id: int, user_id: int, *, disposition: str | None = None, now: datetime) -> None:
    """T8: wrap-up is done; the agent is free for the next contact. Finishing twice does nothing."""
    item = work.wrapped_by(tx, ticket_id, user_id)
    if item is None:
        return
    if item.agent_id != user_id:
        raise Conflict(TAKEN)
    _finish(tx, item, disposition, now=now)


def finish_due(tx: Connection, work_item_id: int, *, now: datetime) -> bool:
    """The wrap-up timer ran out; False if somebody finished or extended it in the meantime."""
    item = work.by_id(tx, work_item_id)
    if item.state != WorkItemState.WRAPPING.value or item.wrap_until > now:
        return False
    _finish(tx, item, None, now=now)
    return True


def extend(tx: Connection, ticket_id: int, user_id: int, *, seconds: int = 30, now: datetime) -> datetime:
    """More time for the wrap-up, at most ten minutes in all; returns when it ends now."""
    item = _present(work.wrapped_by(tx, ticket_id, user_id))
    if item.agent_id != user_id:
        raise Conflict(TAKEN)
    if item.state != WorkItemState.WRAPPING.value:
        raise Conflict("There is no wrap-up to extend.")
    until: datetime = min(item.wrap_until + timedelta(seconds=seconds), item.ended_at + LONGEST_WRAP_UP)
    work.change(tx, item, now, wrap_until=until)
    return until


def _finish(tx: Connection, item: Row[Any], disposition: str | None, *, now: datetime) -> None:
    changes = {"ended_at": item.ended_at or now, "finished_at": now, "disposition": disposition}
    work.move(tx, item, Move.FINISH, now=now, changes=changes)
    if item.pool == PoolName.LIVE.value:
        presence.take_next(tx, item.agent_id, now=now)
    if item.beside is not None:
        return
    ticket = access(tx, item.ticket_id)
    if ticket.waiting_since is not None and Status(ticket.status) in OPEN_STATUSES:
        # The customer wrote while the agent wrapped up, or was never answered: somebody still has to.
        placement.place(tx, ticket, Medium.TASK, now=now, owner_first=True, enqueued_at=item.enqueued_at)


def _item_to_handle(tx: Connection, ticket_id: int, *, now: datetime) -> Row[Any] | None:
    """The open item; made on the spot for an open ticket that has none. None: nobody has to act on the ticket."""
    item = work.open_of(tx, ticket_id)
    if item is not None:
        return item
    ticket = access(tx, ticket_id)
    if ticket.status == Status.CLOSED.value:
        raise Conflict("This ticket is closed.")
    if ticket.status in APART_STATUSES:
        raise Conflict(APART_REASONS[Status(ticket.status)])
    if Status(ticket.status) not in OPEN_STATUSES:
        return None
    return placement.follow_up(tx, ticket, now=now) or work.open_of(tx, ticket_id)


def _transfer_changes(
    tx: Connection,
    item: Row[Any] | None,
    ticket: Row[Any],
    queue_id: int,
    to_user_id: int | None,
    *,
    now: datetime,
) -> dict[str, Any]:
    settings = placement.settings_of(tx, queue_id)
    is_live = item is not None and item.pool == PoolName.LIVE.value
    alone = OFFER_TO_AGENT if is_live else DEFERRED_TO_AGENT
    transfers = (item.transfers if item is not None else 0) + 1
    changes = {
        **_fresh_wait(now),
        "queue_id": queue_id,
        "skills": sorted([skill, level] for skill, level in settings.skills.items()),
        "preferred_id": to_user_id,
        "preferred_until": now + alone if to_user_id is not None else None,
        "transfers": transfers,
    }
    if item is not None and transfers > MOST_TRANSFERS and SUPERVISOR not in item.wishes:
        changes["wishes"] = [SUPERVISOR, *item.wishes]
    if to_user_id is not None:
        agents.state_of(tx, to_user_id, now=now)
    return changes


def _move_waiting(tx: Connection, item: Row[Any], changes: Mapping[str, Any], *, now: datetime) -> None:
    work.leave_queue(tx, item.id, QueueExit.FLOWED_OUT, now=now, reason="transferred")
    moved = work.change(tx, item, now, **changes)
    work.enter_queue(tx, moved, now=now)


def _escalate(tx: Connection, item: Row[Any], transfers: int, *, now: datetime) -> None:
    emit(
        tx,
        "work_item.escalated",
        {"work_item_id": item.id, "ticket_id": item.ticket_id, "transfers": transfers},
        now=now,
        topics=["floor", f"ticket:{item.ticket_id}"],
    )


def _fresh_wait(now: datetime) -> dict[str, Any]:
    return {
        "waiting_since": now,
        "tried": [],
        "round": 0,
        "not_before": None,
        "preferred_id": None,
        "preferred_until": None,
        "paused_at": None,
    }


def _own(tx: Connection, ticket_id: int, user_id: int) -> Row[Any]:
    item = _present(work.open_of(tx, ticket_id))
    if item.agent_id != user_id:
        raise Conflict(TAKEN)
    return item


def _present(item: Row[Any] | None) -> Row[Any]:
    if item is None:
        raise NotFound("Nobody has to work on this ticket now.")
    return item
