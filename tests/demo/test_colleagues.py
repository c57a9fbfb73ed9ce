"""What the simulated colleagues do when nobody has planned it for them."""

import random
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Connection, select, update

from contact_center.core.db import one_shot
from contact_center.core.settings import Settings
from contact_center.demo.cast import MAIL_ADDRESS, load
from contact_center.demo.colleagues import TIDIED_AFTER, Colleagues, attempt
from contact_center.demo.stepping_back import STEP_BACK, step_back
from routing import connections, handling
from routing.presence import set_presence
from routing.states import Presence
from tests.conftest import NOW
from tickets import intake, lifecycle, replies
from tickets.inbound import Address, InboundMessage
from tickets.models import ChannelAccount, Queue, Ticket
from tickets.replies import Author, Reply
from tickets.states import Channel, ContactKind, Status

LATER = NOW + timedelta(minutes=10)


@pytest.fixture
def tx(small_demo: Settings) -> Iterator[Connection]:
    with one_shot(small_demo.database) as tx:
        yield tx


@pytest.fixture
def colleagues(tx: Connection) -> Colleagues:
    return Colleagues(load(tx), random.Random(1))


def an_owned_ticket(tx: Connection, colleagues: Colleagues) -> int:
    """A resolved mail or text of a simulated colleague, open again."""
    ticket_id: int = tx.execute(
        select(Ticket.id)
        .where(Ticket.assignee_id.in_(colleagues.ids), Ticket.status == "resolved", Ticket.channel != "phone")
        .limit(1)
    ).scalar_one()
    lifecycle.reopen(tx, ticket_id, user_id=None, now=NOW)
    return ticket_id


def status_of(tx: Connection, ticket_id: int) -> str:
    return str(tx.execute(select(Ticket.status).where(Ticket.id == ticket_id)).scalar_one())


def test_an_answer_that_was_owed_before_a_restart_is_given(tx: Connection, colleagues: Colleagues) -> None:
    ticket_id = an_owned_ticket(tx, colleagues)
    tx.execute(update(Ticket).where(Ticket.id == ticket_id).values(waiting_since=NOW))
    since = NOW + timedelta(minutes=2)
    plans = colleagues.owed(tx, LATER, since=since)
    assert plans
    # Promised once, and not again while it is being written.
    assert colleagues.owed(tx, LATER, since=since) == []
    for plan in plans:
        attempt(plan.act, tx, LATER + plan.after)
    assert tx.execute(select(Ticket.waiting_since).where(Ticket.id == ticket_id)).scalar_one() is None


def test_somebody_whom_a_person_plays_is_left_alone(tx: Connection, colleagues: Colleagues) -> None:
    ticket_id = an_owned_ticket(tx, colleagues)
    lifecycle.set_status(tx, ticket_id, Status.PENDING, user_id=None, now=NOW)
    colleagues.resting = set(colleagues.ids)
    assert colleagues.tidy(tx, NOW + TIDIED_AFTER * 2) == 0
    assert status_of(tx, ticket_id) == "pending"


def test_an_answer_that_was_planned_is_not_written_for_a_person(tx: Connection, colleagues: Colleagues) -> None:
    ticket_id = an_owned_ticket(tx, colleagues)
    tx.execute(update(Ticket).where(Ticket.id == ticket_id).values(waiting_since=NOW))
    plans = colleagues.owed(tx, LATER, since=NOW + timedelta(minutes=2))
    colleagues.resting = set(colleagues.ids)
    for plan in plans:
        attempt(plan.act, tx, LATER + plan.after)
    assert tx.execute(select(Ticket.waiting_since).where(Ticket.id == ticket_id)).scalar_one() == NOW
    # Once the person is gone it is owed by the colleague again.
    colleagues.resting = set()
    assert colleagues.owed(tx, LATER, since=NOW + timedelta(minutes=2))


def test_an_offer_is_not_accepted_for_a_person_who_has_just_sat_down(tx: Connection, colleagues: Colleagues) -> None:
    ticket_id, colleague_id = a_persons_mail(tx, colleagues)
    happened = {"event": "offer.created", "offer_id": 0, "agent_id": colleague_id, "ticket_id": ticket_id}
    plans = [plan for _ in range(50) for plan in colleagues.on_change(happened, NOW)]
    assert plans
    colleagues.resting = {colleague_id}
    # There is no such offer: whoever tried would raise.
    assert [plan.act(tx, NOW) for plan in plans] == [None] * len(plans)


def test_what_nobody_came_back_to_for_days_is_resolved(tx: Connection, colleagues: Colleagues) -> None:
    ticket_id = an_owned_ticket(tx, colleagues)
    lifecycle.set_status(tx, ticket_id, Status.PENDING, user_id=None, now=NOW)
    colleagues.tidy(tx, NOW + TIDIED_AFTER / 2)
    assert status_of(tx, ticket_id) == "pending"
    colleagues.tidy(tx, NOW + TIDIED_AFTER * 2)
    assert status_of(tx, ticket_id) == "resolved"


def test_an_act_that_came_too_late_changes_nothing(tx: Connection, colleagues: Colleagues) -> None:
    ticket_id = an_owned_ticket(tx, colleagues)
    author = Author(next(iter(colleagues.ids)))

    def half(tx: Connection, now: object) -> None:
        replies.reply(tx, ticket_id, Reply("Written first"), author=author, now=NOW)
        lifecycle.set_status(tx, ticket_id, Status.ON_HOLD, user_id=None, now=NOW)

    before = tx.execute(select(Ticket.seq).where(Ticket.id == ticket_id)).scalar_one()
    assert attempt(half, tx, NOW) == ()
    assert tx.execute(select(Ticket.seq).where(Ticket.id == ticket_id)).scalar_one() == before


def a_persons_mail(tx: Connection, colleagues: Colleagues) -> tuple[int, int]:
    """New mail of somebody who is not simulated, owned by a colleague; the ticket's id and the colleague's."""
    queue_id = tx.execute(select(Queue.id).where(Queue.name == "Orders")).scalar_one()
    account_id = tx.execute(select(ChannelAccount.id).where(ChannelAccount.address == MAIL_ADDRESS)).scalar_one()
    said = InboundMessage(
        Channel.EMAIL, account_id, "own-1", Address(ContactKind.EMAIL, "me@example.com"), "Hello?", queue_id=queue_id
    )
    ticket_id = intake.receive(tx, said, now=NOW).ticket_id
    assert ticket_id is not None
    colleague_id = min(colleagues.ids)
    handling.assign(tx, ticket_id, colleague_id, by_user_id=None, now=NOW)
    return ticket_id, colleague_id


def test_a_persons_mail_goes_to_the_person_at_the_agents_door(tx: Connection, colleagues: Colleagues) -> None:
    ticket_id, colleague_id = a_persons_mail(tx, colleagues)
    person_id = max(colleagues.ids)
    set_presence(tx, person_id, Presence.AVAILABLE, now=NOW)
    step_back(tx, colleagues.ids - {person_id}, NOW)
    assert owner_of(tx, ticket_id) == colleague_id
    connections.connected(tx, person_id, "tab", "process", now=NOW)
    step_back(tx, colleagues.ids - {person_id}, NOW)
    assert owner_of(tx, ticket_id) == person_id


def test_what_is_no_longer_new_stays_where_it_is(tx: Connection, colleagues: Colleagues) -> None:
    ticket_id, colleague_id = a_persons_mail(tx, colleagues)
    person_id = max(colleagues.ids)
    set_presence(tx, person_id, Presence.AVAILABLE, now=NOW)
    connections.connected(tx, person_id, "tab", "process", now=NOW)
    step_back(tx, colleagues.ids - {person_id}, NOW + STEP_BACK)
    assert owner_of(tx, ticket_id) == colleague_id


def owner_of(tx: Connection, ticket_id: int) -> int | None:
    owner: int | None = tx.execute(select(Ticket.assignee_id).where(Ticket.id == ticket_id)).scalar_one()
    return owner
