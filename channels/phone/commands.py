"""What the carrier is to do with a call: a wish in a transaction; the switchboard fulfils it, in order per call."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update
from sqlalchemy.orm import aliased

from channels.phone.models import Call, CallCommand
from contact_center.core.bus import Poke
from contact_center.core.db import collect
from contact_center.core.events import emit
from tickets.models import Ticket
from tickets.timeline import topics_of

TOPIC = "call_commands"
BATCH = 20
# Longer than one request may take: whoever has not settled a command by then has died over it.
LEASE = timedelta(seconds=30)


class Verb(StrEnum):
    """What can be wished for. DIAL, HOLD, MUTE, their opposites and DROP are about a leg, the others about the call.

    CONNECT brings the customer into the conference `call-<id>`; DIAL rings a leg into it (`timeout` in seconds).
    DROP takes a leg out; HANGUP ends the call for everybody. ANNOUNCE tells a leg that the talk is recorded;
    RECORD follows it. RECORD and its two brothers are about the customer's leg, which hears both sides.
    """

    CONNECT = "connect"
    DIAL = "dial"
    HOLD = "hold"
    UNHOLD = "unhold"
    MUTE = "mute"
    UNMUTE = "unmute"
    DROP = "drop"
    HANGUP = "hangup"
    ANNOUNCE = "announce"
    RECORD = "record"
    PAUSE_RECORDING = "pause_recording"
    RESUME_RECORDING = "resume_recording"


class CommandState(StrEnum):
    """WANTED may be under way; UNCERTAIN left us and nobody knows what became of it: it is looked up."""

    WANTED = "wanted"
    DONE = "done"
    FAILED = "failed"
    UNCERTAIN = "uncertain"


OPEN = (CommandState.WANTED.value, CommandState.UNCERTAIN.value)


def command(
    tx: Connection,
    call_id: int,
    verb: Verb,
    *,
    leg_id: int | None = None,
    user_id: int | None = None,
    args: Mapping[str, Any] | None = None,
    now: datetime,
) -> int:
    """Wish for something; its id. `user_id` is who wants it, None for the call plan itself."""
    command_id: int = tx.execute(
        insert(CallCommand)
        .values(
            call_id=call_id,
            leg_id=leg_id,
            verb=verb.value,
            args=dict(args or {}),
            state=CommandState.WANTED.value,
            error="",
            wanted_by=user_id,
            due_at=now,
            attempts=0,
            created_at=now,
        )
        .returning(CallCommand.id)
    ).scalar_one()
    _tell(tx, command_id, now=now)
    collect(tx, Poke(TOPIC))
    return command_id


def commands_of(tx: Connection, call_id: int) -> Sequence[Row[Any]]:
    """All commands of a call, oldest first."""
    return tx.execute(
        select(CallCommand.__table__).where(CallCommand.call_id == call_id).order_by(CallCommand.id)
    ).all()


def claim(tx: Connection, now: datetime) -> Sequence[Row[Any]]:
    """The next due command of each call, put off by a lease; `begun_at` is None where it never left us.

    A command waits for the older ones of its call, whatever hinders those. The rows come as they were before.
    """
    older = aliased(CallCommand)
    rows = tx.execute(
        select(CallCommand.__table__)
        .where(
            CallCommand.state.in_(OPEN),
            CallCommand.due_at <= now,
            ~select(older.id)
            .where(older.call_id == CallCommand.call_id, older.state.in_(OPEN), older.id < CallCommand.id)
            .exists(),
        )
        .order_by(CallCommand.id)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    ).all()
    if rows:
        tx.execute(
            update(CallCommand)
            .where(CallCommand.id.in_([row.id for row in rows]))
            .values(
                begun_at=func.coalesce(CallCommand.begun_at, now),
                due_at=now + LEASE,
                attempts=CallCommand.attempts + 1,
            )
        )
    return rows


def settle(tx: Connection, command_id: int, state: CommandState, *, error: str = "", now: datetime) -> bool:
    """Give a command its end; False if it has one."""
    done = tx.execute(
        update(CallCommand)
        .where(CallCommand.id == command_id, CallCommand.state.in_(OPEN))
        .values(state=state.value, error=error[:500], done_at=now)
    )
    if done.rowcount != 1:
        return False
    _tell(tx, command_id, now=now)
    # The next one of the call may follow at once.
    collect(tx, Poke(TOPIC))
    return True


def doubt(tx: Connection, command_id: int, *, error: str, again_at: datetime, now: datetime) -> None:
    """Nobody knows what became of it: it is looked up at `again_at`."""
    changed = tx.execute(
        update(CallCommand)
        .where(CallCommand.id == command_id, CallCommand.state.in_(OPEN))
        .values(state=CommandState.UNCERTAIN.value, error=error[:500], due_at=again_at)
    )
    if changed.rowcount:
        _tell(tx, command_id, now=now)


def postpone(tx: Connection, command_id: int, *, error: str, again_at: datetime) -> None:
    """It provably never reached the carrier: it is simply tried again at `again_at`."""
    tx.execute(
        update(CallCommand)
        .where(CallCommand.id == command_id, CallCommand.state.in_(OPEN))
        .values(state=CommandState.WANTED.value, error=error[:500], begun_at=None, due_at=again_at)
    )


def _tell(tx: Connection, command_id: int, *, now: datetime) -> None:
    row = tx.execute(
        select(
            CallCommand.call_id,
            CallCommand.leg_id,
            CallCommand.verb,
            CallCommand.state,
            CallCommand.wanted_by,
            Call.ticket_id,
            Ticket.queue_id,
            Ticket.assignee_id,
        )
        .join(Call, Call.id == CallCommand.call_id)
        .join(Ticket, Ticket.id == Call.ticket_id, isouter=True)
        .where(CallCommand.id == command_id)
    ).one()
    told = {
        "command_id": command_id,
        "call_id": row.call_id,
        "leg_id": row.leg_id,
        "ticket_id": row.ticket_id,
        "verb": row.verb,
        "state": row.state,
        "user_id": row.wanted_by,
    }
    topics = (
        topics_of(row.ticket_id, queue_id=row.queue_id, assignee_id=row.assignee_id)
        if row.ticket_id is not None
        else []
    )
    emit(tx, "call_command.changed", told, now=now, topics=topics)
