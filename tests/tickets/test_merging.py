"""Merging, splitting and moving: nothing is lost, numbers stay gap-free, and every step can be taken back."""

import random
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, select, update

from contact_center.core.db import Database
from contact_center.core.errors import Conflict, Invalid
from contact_center.core.events import Event, EventRow
from tests.conftest import NOW
from tests.factories import inbound, make_account, make_ticket, make_user
from tickets import assignments, intake, lifecycle, merging, moving, replies, sla_clocks
from tickets.models import Message, Ticket
from tickets.replies import Author, Reply
from tickets.states import AssignmentReason, Channel, Priority, Status

MINUTE = timedelta(minutes=1)


def two_tickets(tx: Connection) -> dict[str, int]:
    """One customer with a mail and an SMS about the same thing."""
    sms, mail = make_account(tx, Channel.SMS), make_account(tx, Channel.EMAIL)
    kept = make_ticket(tx, account_id=mail, channel=Channel.EMAIL, sender="an@shop.vn", now=NOW + MINUTE).ticket_id
    merged = make_ticket(tx, account_id=sms, now=NOW).ticket_id
    assert kept
    assert merged
    customer = tx.execute(select(Ticket.customer_id).where(Ticket.id == kept)).scalar_one()
    tx.execute(update(Ticket).where(Ticket.id == merged).values(customer_id=customer))
    return {"kept": kept, "merged": merged, "sms": sms, "agent": make_user(tx)}


def do_merge(tx: Connection, at: dict[str, int]) -> int:
    return merging.merge(tx, at["kept"], at["merged"], user_id=at["agent"], now=NOW + 2 * MINUTE)


def ticket(tx: Connection, ticket_id: int) -> Any:
    return tx.execute(select(Ticket.__table__).where(Ticket.id == ticket_id)).one()


def numbers(tx: Connection, ticket_id: int) -> tuple[list[int], list[int], int, int]:
    rows = tx.execute(
        select(Message.seq, Message.public_seq).where(Message.ticket_id == ticket_id).order_by(Message.seq)
    ).all()
    row = ticket(tx, ticket_id)
    return [r.seq for r in rows], sorted(r.public_seq for r in rows if r.public_seq), row.seq, row.public_seq


async def test_the_merged_ticket_closes_and_the_kept_one_takes_its_weight(db: Database) -> None:
    at = await db.write(two_tickets)
    await db.write(lifecycle.set_fields, at["merged"], user_id=None, now=NOW, priority=Priority.URGENT)
    await db.write(lifecycle.tag, at["merged"], ["refund"], user_id=None, now=NOW)
    await db.write(assignments.assign, at["merged"], at["agent"], reason=AssignmentReason.TAKEN, now=NOW)
    await db.write(lifecycle.set_status, at["kept"], Status.PENDING, user_id=None, now=NOW)
    await db.write(do_merge, at)
    kept, merged = await db.read(ticket, at["kept"]), await db.read(ticket, at["merged"])
    assert (merged.status, merged.merged_into_id, merged.assignee_id) == ("closed", at["kept"], None)
    assert (kept.status, kept.priority, kept.waiting_since) == ("open", "urgent", NOW)
    [row] = await db.read(merging.merges_into, at["kept"])
    assert (row.merged_id, row.messages) == (at["merged"], 1)


async def test_what_the_customer_writes_next_reaches_the_kept_ticket(db: Database) -> None:
    at = await db.write(two_tickets)
    await db.write(do_merge, at)
    receipt = await db.write(intake.receive, inbound(at["sms"]), now=NOW + 5 * MINUTE)
    assert (receipt.ticket_id, receipt.created, receipt.matched_by) == (at["kept"], False, "thread")
    await db.write(lifecycle.set_status, at["kept"], Status.CLOSED, user_id=None, now=NOW + 6 * MINUTE)
    assert (await db.write(intake.receive, inbound(at["sms"]), now=NOW + 7 * MINUTE)).created


async def test_undoing_makes_two_tickets_again(db: Database) -> None:
    at = await db.write(two_tickets)
    merge_id = await db.write(do_merge, at)
    await db.write(merging.undo, merge_id, user_id=at["agent"], now=NOW + 9 * MINUTE)
    merged = await db.read(ticket, at["merged"])
    assert (merged.status, merged.merged_into_id, merged.closed_at, merged.waiting_since) == ("new", None, None, NOW)
    assert await db.read(merging.merges_into, at["kept"]) == []
    assert (await db.write(intake.receive, inbound(at["sms"]), now=NOW + 10 * MINUTE)).ticket_id == at["merged"]
    with pytest.raises(Conflict):
        await db.write(merging.undo, merge_id, user_id=at["agent"], now=NOW)


async def test_a_thread_begun_anew_keeps_its_key_when_a_merge_is_undone(db: Database) -> None:
    at = await db.write(two_tickets)
    merge_id = await db.write(do_merge, at)
    await db.write(lifecycle.set_status, at["kept"], Status.CLOSED, user_id=None, now=NOW + 6 * MINUTE)
    anew = (await db.write(intake.receive, inbound(at["sms"]), now=NOW + 7 * MINUTE)).ticket_id
    await db.write(merging.undo, merge_id, user_id=at["agent"], now=NOW + 9 * MINUTE)
    assert (await db.read(ticket, at["merged"])).thread_key is None
    assert (await db.write(intake.receive, inbound(at["sms"]), now=NOW + 10 * MINUTE)).ticket_id == anew


async def test_tickets_of_two_customers_closed_or_merged_ones_are_refused(db: Database) -> None:
    at = await db.write(two_tickets)
    other = (await db.write(lambda tx: make_ticket(tx, sender="+84912345678", account_id=at["sms"]))).ticket_id
    with pytest.raises(Conflict, match="two customers"):
        await db.write(merging.merge, at["kept"], other, user_id=at["agent"], now=NOW)
    with pytest.raises(Invalid):
        await db.write(merging.merge, at["kept"], at["kept"], user_id=at["agent"], now=NOW)
    await db.write(do_merge, at)
    with pytest.raises(Conflict):
        await db.write(do_merge, at)


async def test_a_moved_message_leaves_a_trace_and_gets_new_numbers(db: Database) -> None:
    at = await db.write(two_tickets)
    second = await db.write(intake.receive, inbound(at["sms"], text="And another thing"), now=NOW + MINUTE)
    seq = await db.write(moving.move, second.message_id, at["kept"], user_id=at["agent"], now=NOW + 3 * MINUTE)
    assert seq == 2
    trace = await db.read(
        lambda tx: tx.execute(
            select(Message.kind, Message.meta, Message.seq)
            .where(Message.ticket_id == at["merged"])
            .order_by(Message.seq)
        ).all()
    )
    assert [(row.kind, row.seq) for row in trace] == [("inbound", 1), ("event", 2)]
    assert trace[1].meta["to_ticket_id"] == at["kept"]
    assert (await db.read(ticket, at["kept"])).preview == "And another thing"
    assert (await db.read(ticket, at["merged"])).preview == "Where is my order?"


async def test_moving_the_question_moves_the_wait(db: Database) -> None:
    at = await db.write(two_tickets)
    await db.write(replies.reply, at["kept"], Reply("Yes."), author=Author(at["agent"]), now=NOW + 2 * MINUTE)
    later = await db.write(intake.receive, inbound(at["sms"]), now=NOW + 5 * MINUTE)
    await db.write(replies.reply, at["merged"], Reply("Hm."), author=Author(at["agent"]), now=NOW + 4 * MINUTE)
    await db.write(moving.move, later.message_id, at["kept"], user_id=at["agent"], now=NOW + 6 * MINUTE)
    assert (await db.read(ticket, at["kept"])).waiting_since == NOW + 5 * MINUTE
    assert (await db.read(ticket, at["merged"])).waiting_since is None


async def test_splitting_takes_messages_and_the_thread_of_the_last_one_along(db: Database) -> None:
    at = await db.write(two_tickets)
    second = await db.write(intake.receive, inbound(at["sms"], text="A refund, please"), now=NOW + MINUTE)
    new = await db.write(
        moving.split, at["merged"], [second.message_id], subject="Refund", user_id=at["agent"], now=NOW + 2 * MINUTE
    )
    row = await db.read(ticket, new)
    assert (row.subject, row.status, row.waiting_since, row.thread_key) == (
        "Refund",
        "open",
        NOW + MINUTE,
        "+4915112345678",
    )
    assert (await db.read(ticket, at["merged"])).thread_key is None
    assert (await db.write(intake.receive, inbound(at["sms"]), now=NOW + 3 * MINUTE)).ticket_id == new


async def test_only_messages_of_the_ticket_can_be_split_off(db: Database) -> None:
    at = await db.write(two_tickets)
    foreign = await db.read(
        lambda tx: tx.execute(select(Message.id).where(Message.ticket_id == at["kept"])).scalar_one()
    )
    for wrong in ([], [foreign]):
        with pytest.raises(Invalid):
            await db.write(moving.split, at["merged"], wrong, subject="X", user_id=at["agent"], now=NOW)


@pytest.mark.parametrize("seed", [1, 2])
async def test_after_any_moves_numbers_have_no_gaps_and_clocks_follow(db: Database, seed: int) -> None:
    at = await db.write(two_tickets)
    chance = random.Random(seed)

    def shuffle(tx: Connection) -> None:
        ids = [at["kept"], at["merged"]]
        for step in range(12):
            now = NOW + step * MINUTE
            intake.receive(tx, inbound(at["sms"]), now=now)
            replies.note(tx, chance.choice(ids), "Hm.", author=Author(at["agent"]), now=now)
            movable = tx.execute(select(Message.id, Message.ticket_id).where(Message.kind != "event")).all()
            message = chance.choice(movable)
            target = ids[0] if message.ticket_id == ids[1] else ids[1]
            moving.move(tx, message.id, target, user_id=at["agent"], now=now)

    await db.write(shuffle)
    for ticket_id in (at["kept"], at["merged"]):
        seqs, public, seq, public_seq = await db.read(numbers, ticket_id)
        assert seqs == list(range(1, seq + 1))
        assert public == list(range(1, public_seq + 1))

    def relay(tx: Connection) -> None:
        for row in tx.execute(select(EventRow.id, EventRow.name, EventRow.payload).order_by(EventRow.id)).all():
            event = Event(row.id, row.name, row.payload, NOW)
            handlers = {"message.created": sla_clocks.on_message, "message.moved": sla_clocks.on_message_moved}
            if row.name in handlers:
                handlers[row.name](tx, event, NOW)

    await db.write(relay)
    counted = await db.read(sla_clocks.clocks_of, at["kept"])
    await db.write(sla_clocks.recount, at["kept"], now=NOW)
    assert await db.read(sla_clocks.clocks_of, at["kept"]) == counted
