"""The checklist ticks itself from what happened, with the times that were measured, and says what comes next."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, select, update

from contact_center import wiring
from contact_center.accounts.permissions import Role
from contact_center.core.db import one_shot, take_pokes
from contact_center.core.relay import relay_batch
from contact_center.demo import checklist
from contact_center.demo.checklist import SIMULATED
from routing import offers, profiles
from routing.engine import Engine
from routing.models import Offer
from routing.presence import set_presence
from routing.states import Presence
from tests.conftest import NOW
from tests.factories import inbound, make_account, make_queue, make_user
from tickets import intake, lifecycle, replies
from tickets.models import Assignment, Customer, JournalItem, Message, Ticket
from tickets.quality import complaints, evaluations, scorecard_versions
from tickets.quality.complaint_stages import Opener
from tickets.quality.default_scorecards import CONVERSATION
from tickets.quality.scorecards import Definition
from tickets.replies import Author, Reply
from tickets.states import Channel

ANSWER = (
    "Turn the old leg to the left until it comes off, clean the thread with a dry cloth, then screw the new leg in "
    "by hand until it sits flush with the seat, and it will carry you for many years."
)


@dataclass
class Floor:
    """A queue that one agent serves, and virtual time."""

    tx: Connection
    agent: int
    queue: int
    account: int
    engine: Engine

    def settle(self, now: datetime) -> None:
        """Let handlers and routing react until nothing moves."""
        while True:
            relayed = relay_batch(self.tx, wiring.HANDLERS, now)
            pokes = take_pokes(self.tx)
            if not relayed and not pokes:
                return
            self.engine.on_pokes(pokes)
            self.engine.resync()
            self.engine.decide_marked(self.tx, now)

    def write(self, text: str, now: datetime, *, simulated: bool = False) -> int:
        values: dict[str, Any] = {"channel": Channel.CHAT, "sender": f"visit-{text}", "thread_key": text, "text": text}
        receipt = intake.receive(self.tx, inbound(self.account, **values), now=now)
        assert receipt.ticket_id is not None
        if simulated:
            owner = select(Ticket.customer_id).where(Ticket.id == receipt.ticket_id).scalar_subquery()
            self.tx.execute(update(Customer).where(Customer.id == owner).values(attributes={SIMULATED: True}))
        return receipt.ticket_id

    def steps(self, since: datetime = NOW) -> list[dict[str, Any]]:
        return [one.shown("en", lambda door, path: f"{door}:{path}") for one in checklist.steps(self.tx, since)]

    def done(self) -> list[str]:
        return [one["text"] for one in self.steps() if one["done"]]


@pytest.fixture
def floor(sqlite_url: str) -> Iterator[Floor]:
    with one_shot(sqlite_url) as tx:
        queue_id, agent = make_queue(tx), make_user(tx, name="Emma Clarke")
        profiles.set_row(tx, agent, queue_id, now=NOW)
        set_presence(tx, agent, Presence.AVAILABLE, now=NOW)
        account = make_account(tx, Channel.CHAT, queue_id=queue_id)
        yield Floor(tx, agent, queue_id, account, Engine(None))  # type: ignore[arg-type]


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def test_nobody_has_written_yet(floor: Floor) -> None:
    floor.write("simulated", at(1), simulated=True)
    found = floor.steps()
    assert [one["done"] for one in found] == [False] * 6
    assert [bool(one["link"]) for one in found] == [True, False, False, False, False, False]
    assert found[0]["link"] == "shop:/demo/shop"


def test_each_step_is_ticked_by_what_happened_with_the_time_that_it_took(floor: Floor) -> None:
    ticket_id = floor.write("The leg of my new reading chair is cracked, what now?", at(1))
    assert floor.done() == ["You wrote: ticket #100"]
    floor.settle(at(1.3))
    assert floor.done()[1:] == ["Offered to Emma Clarke in 0.3 s"]
    assert floor.steps()[1]["more"] == "the only one free for it"
    offer_id = floor.tx.execute(select(Offer.id)).scalar_one()
    offers.accept(floor.tx, offer_id, floor.agent, now=at(3))
    replies.reply(floor.tx, ticket_id, Reply(ANSWER), author=Author(floor.agent), now=at(9))
    floor.settle(at(9))
    assert floor.done()[2:] == ["Answered after 8.0 s"]
    lifecycle.resolve(floor.tx, ticket_id, user_id=floor.agent, now=at(21))
    floor.settle(at(21))
    assert floor.done()[3:] == ["Resolved after 20.0 s", "Article drafted"]
    assert floor.steps()[4]["link"] == "agent:/kb/articles/1"


def test_the_complaint_is_scored_by_a_finished_evaluation_only(floor: Floor) -> None:
    ticket_id = floor.write("The leg is cracked", at(1))
    floor.settle(at(1))
    offers.accept(floor.tx, floor.tx.execute(select(Offer.id)).scalar_one(), floor.agent, now=at(2))
    replies.reply(floor.tx, ticket_id, Reply(ANSWER), author=Author(floor.agent), now=at(3))
    lifecycle.resolve(floor.tx, ticket_id, user_id=floor.agent, now=at(4))
    floor.settle(at(4))
    assert "make it a complaint" in floor.steps()[5]["more"]
    complaints.open_(floor.tx, ticket_id, opener=Opener.AGENT, user_id=floor.agent, summary="Late", now=at(5))
    assert floor.steps()[5]["link"] == "qa:/qa/candidates"
    reviewer = make_user(floor.tx, role=Role.QA)
    card = scorecard_versions.create(floor.tx, "Conversation", CONVERSATION, user_id=None, now=NOW)
    assignment = floor.tx.execute(select(Assignment.id)).scalar_one()
    evaluation = evaluations.start(floor.tx, assignment, card, evaluator_id=reviewer, now=at(6))
    evaluations.save(
        floor.tx,
        evaluation,
        answers=best(scorecard_versions.current(floor.tx, card).definition),
        comments={},
        comment="",
        evaluator_id=reviewer,
        now=at(7),
    )
    assert not floor.steps()[5]["done"]
    evaluations.finish(floor.tx, evaluation, evaluator_id=reviewer, now=at(8))
    last = floor.steps()[5]
    assert (last["text"], last["link"]) == ("Complaint scored: 100 %", f"qa:/qa/evaluations/{evaluation}")


def best(definition: Definition) -> dict[str, str]:
    questions = [question for section in definition.sections for question in section.questions]
    return {one.key: max(one.options, key=lambda option: option.score).key for one in questions}


def test_work_that_is_assigned_without_an_offer_counts_as_given(floor: Floor) -> None:
    account = make_account(floor.tx, Channel.SMS, queue_id=floor.queue)
    values: dict[str, Any] = {"channel": Channel.SMS, "sender": "+84901234567", "thread_key": "+84901234567"}
    intake.receive(floor.tx, inbound(account, **values, text="Where is it?"), now=at(1))
    floor.settle(at(1.5))
    assert floor.done()[1] == "Given to Emma Clarke in 0.5 s"


def test_the_matter_that_was_taken_furthest_stays_when_another_is_begun(floor: Floor) -> None:
    ticket_id = floor.write("The leg is cracked", at(1))
    lifecycle.resolve(floor.tx, ticket_id, user_id=floor.agent, now=at(2))
    floor.write("And the lamp too", at(3))
    assert floor.done()[0] == "You wrote: ticket #100"


def test_what_was_written_before_the_demo_was_started_is_not_yours(floor: Floor) -> None:
    floor.write("Yesterday", at(-5))
    assert floor.done() == []


def test_the_books_are_counted(floor: Floor) -> None:
    first = floor.write("One", at(1))
    journal = {"channel": "sms", "external_id": "SM1", "received_at": NOW, "attempts": 1}
    floor.tx.execute(JournalItem.__table__.insert(), [{**journal, "state": "accepted"}])
    floor.tx.execute(JournalItem.__table__.insert(), [{**journal, "external_id": "SM2", "state": "received"}])
    safe = checklist.safety(floor.tx, at(60))
    # The chat message has a row of its own.
    assert (safe.taken, safe.waiting, safe.gaps) == (2, 1, 0)
    assert safe.undispatched > 0
    floor.settle(at(61))
    floor.tx.execute(update(Message).where(Message.ticket_id == first, Message.seq == 1).values(seq=7, public_seq=7))
    broken = checklist.safety(floor.tx, at(120))
    assert (broken.undispatched, broken.gaps) == (0, 1)
